"""The app's one port: webhooks, runners, health and numbers."""

import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.settings import Settings
from app.web import openapi, operator, runner_api, webhook
from app.web.envelope import Envelope
from app.web.front import Front
from app.web.patience import HEAD_SECONDS, with_patience
from app.web.setup_pages import after_routes
from shared.errors import FatalError, TransientError

log = structlog.get_logger()


def build(front: Front, settings: Settings, registry: CollectorRegistry) -> Starlette:
    """The ASGI application; everything it knows comes from `front`."""
    return Starlette(
        routes=[
            Route("/healthz", _alive, methods=["GET"]),
            Route("/readyz", _ready(front), methods=["GET"]),
            Route("/webhook", webhook.endpoint(front, settings.webhook_secret.get_secret_value()), methods=["POST"]),
            Route("/metrics", _metrics(registry), methods=["GET"]),
            Route("/openapi.json", _openapi(), methods=["GET"]),
            *operator.routes(front, settings.operator_token),
            *runner_api.routes(front),
            *after_routes(),
        ],
        middleware=[Middleware(Envelope)],
        exception_handlers={HTTPException: _http_error, TransientError: _try_again, SQLAlchemyError: _no_database},
    )


def listen(host: str, port: int) -> socket.socket:
    """A bound socket, before anything else is started; FatalError when somebody else has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        fixes = {
            errno.EADDRINUSE: "is in use: end the other program, or choose another SHOAL_PORT",
            errno.EACCES: "may not be opened by this user: choose a SHOAL_PORT above 1023",
        }
        fix = fixes.get(error.errno or 0, f"cannot be opened ({error.strerror or error}): check SHOAL_HOST")
        raise FatalError(f"port {port} on {host} {fix}") from error
    return listening


class _Server(uvicorn.Server):
    """Remembers that a signal ended it."""

    told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.told = True
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """A signal outside uvicorn's own watch."""
        self.told = self.should_exit = True


async def run(
    app: Starlette, listening: socket.socket, until: asyncio.Event | None = None, head_seconds: float = HEAD_SECONDS
) -> bool:
    """Serves until SIGINT or SIGTERM (true) or that event (false): what else the process has to close stays the caller's."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=75,
        ws="none",
        http=with_patience(head_seconds),
    )
    loop = asyncio.get_running_loop()
    server = _Server(config)
    ends = (signal.SIGINT, signal.SIGTERM)
    for number in ends:
        # For signals before uvicorn listens to them, and after: it raises them again, and that would kill us half closed.
        loop.add_signal_handler(number, server.end)
    waiting = asyncio.create_task(_end_after(until, server)) if until is not None else None
    try:
        await server.serve(sockets=[listening])
    finally:
        if waiting is not None:
            waiting.cancel()
        for number in ends:
            loop.remove_signal_handler(number)
        listening.close()
    return server.told


async def _end_after(until: asyncio.Event, server: uvicorn.Server) -> None:
    await until.wait()
    server.should_exit = True


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _ready(front: Front) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_request: Request) -> Response:
        why_not = await front.why_not_ready()
        return JSONResponse({"status": why_not or "ready"}, 503 if why_not else 200)

    return endpoint


def _openapi() -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_request: Request) -> Response:
        return JSONResponse(openapi.description())

    return endpoint


def _metrics(registry: CollectorRegistry) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_request: Request) -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return endpoint


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 the table above says so
    return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)


async def _no_database(_request: Request, error: Exception) -> Response:
    log.warning("database.failed", error=str(error)[:300])
    return JSONResponse({"error": "the database does not answer"}, 503, headers={"Retry-After": "1"})


async def _try_again(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 503, headers={"Retry-After": "1"})
