"""`shoal serve`: the orchestrator until it is told to end; on a machine without a GitHub App first the page that registers one."""

import asyncio
import json
import socket
import sys

import structlog

from app import settings
from app.settings import Place, Settings
from app.web import server
from app.wiring import running, set_up
from shared import log as logs

log = structlog.get_logger()


def serve(*, as_json: bool) -> None:
    """Blocks until SIGTERM or Ctrl-C; runners go on and are taken up again by the next start."""
    place = settings.unregistered()
    listening = None
    if place is not None:
        logs.set_up(place.log_level, as_json=place.log_json)
        # One socket for both lives: who comes in between waits in its queue and notices nothing.
        listening = server.listen(place.host, place.port)
        if not asyncio.run(_set_up(place, listening, as_json=as_json)):
            listening.close()
            return
    loaded = settings.load()
    logs.set_up(loaded.log_level, as_json=loaded.log_json)
    asyncio.run(_serve(loaded, listening or server.listen(loaded.host, loaded.port), as_json=as_json))


async def _set_up(place: Place, listening: socket.socket, *, as_json: bool) -> bool:
    """Whether there is an App now; not when somebody ended it before."""
    page = set_up(place)
    port = listening.getsockname()[1]
    host = "127.0.0.1" if place.host in {"0.0.0.0", "::"} else place.host  # noqa: S104 compared, not bound
    base = place.public_url if "public_url" in place.model_fields_set else f"http://{f'[{host}]' if ':' in host else host}:{port}"
    url = f"{base}/setup?token={page.token}"
    serving = asyncio.create_task(server.run(page.web(), listening.dup(), page.finished))
    await asyncio.sleep(0)  # from here on it is ended by signals as it should be, so it may be announced
    # Not by the log, which is kept: whoever has the address can register the App.
    sys.stderr.write(
        f"No GitHub App is registered yet. Open this page to register one; its address is good for this start only:\n  {url}\n"
    )
    sys.stderr.flush()
    if as_json:
        print(json.dumps({"setup": {"url": url}}), flush=True)  # noqa: T201 the result
    return not await serving and page.finished.is_set()


async def _serve(settings: Settings, listening: socket.socket, *, as_json: bool) -> None:
    try:
        async with running(settings) as app:
            serving = asyncio.create_task(server.run(app.web, listening))
            await asyncio.sleep(0)  # from here on it is ended by signals as it should be, so it may be announced
            port = listening.getsockname()[1]
            log.info("app.listening", host=settings.host, port=port, database=settings.database_url.split("@")[-1])
            if as_json:
                print(json.dumps({"listening": {"host": settings.host, "port": port}}), flush=True)  # noqa: T201 the result
            await asyncio.wait({serving, app.work}, return_when=asyncio.FIRST_COMPLETED)
            if app.work.done():
                serving.cancel()
                await app.work
            await serving
    finally:
        listening.close()
    log.info("app.ended")
