"""What every answer has, whatever happened: a request id, security headers, and never a traceback."""

import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
log = structlog.get_logger()


class Envelope:
    """ASGI middleware; a page may set its own value of a header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, begun, status = uuid4().hex[:12], time.monotonic(), 0

        async def send_wrapped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self.app(scope, receive, send_wrapped)
            except Exception:
                # A bug: its traceback is ours to read, the other side gets the id to quote.
                log.exception("request.failed", path=scope["path"])
                if status == 0:
                    answer = JSONResponse({"error": "internal error", "request": request_id}, 500)
                    await answer(scope, receive, send_wrapped)
            log.debug("request", path=scope["path"], status=status, seconds=round(time.monotonic() - begun, 4))
