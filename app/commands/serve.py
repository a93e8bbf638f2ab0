"""`shoal serve`: the orchestrator until it is told to end."""

import asyncio
import json

import structlog

from app.settings import Settings
from app.web import server
from app.wiring import running

log = structlog.get_logger()


def serve(settings: Settings, *, as_json: bool) -> None:
    """Blocks until SIGTERM or Ctrl-C; runners go on and are taken up again by the next start."""
    asyncio.run(_serve(settings, as_json=as_json))


async def _serve(settings: Settings, *, as_json: bool) -> None:
    listening = server.listen(settings.host, settings.port)
    try:
        async with running(settings) as app:
            port = listening.getsockname()[1]
            log.info("app.listening", host=settings.host, port=port, database=settings.database_url.split("@")[-1])
            if as_json:
                print(json.dumps({"listening": {"host": settings.host, "port": port}}), flush=True)  # noqa: T201 the result
            serving = asyncio.create_task(server.run(app.web, listening))
            await asyncio.wait({serving, app.work}, return_when=asyncio.FIRST_COMPLETED)
            if app.work.done():
                serving.cancel()
                await app.work
            await serving
    finally:
        listening.close()
    log.info("app.ended")
