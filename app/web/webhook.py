"""Webhooks in: verified, known, durable, answered; what they mean is decided later and elsewhere."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.github.payloads import Unreadable, split, to_event
from app.web.body import read_body
from app.web.front import Delivery, Front
from shared.github import WEBHOOK_BODY_LIMIT

_DELIVERY_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
log = structlog.get_logger()


def signature(secret: str, body: bytes) -> str:
    """What GitHub sends as X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def endpoint(front: Front, secret: str) -> Callable[[Request], Awaitable[Response]]:
    """POST /webhook."""

    async def receive(request: Request) -> Response:
        body = await read_body(request, WEBHOOK_BODY_LIMIT)
        given = request.headers.get("x-hub-signature-256", "")
        # Bytes: compare_digest refuses text that is not ASCII.
        if not hmac.compare_digest(given.encode("latin-1"), signature(secret, body).encode()):
            raise HTTPException(401, "X-Hub-Signature-256 is missing or not made with this App's webhook secret")
        kind, delivery_id = _identity(request)
        structlog.contextvars.bind_contextvars(delivery=delivery_id, github_event=kind)
        try:
            bodies = [part for part in split(kind, body) if to_event(kind, part) is not None]
        except Unreadable as error:
            raise HTTPException(400, str(error)) from error
        status = "ignored"
        for number, part in enumerate(bodies):
            # An installation's end concerns several repositories: one row each, so that each is consumed once.
            key = delivery_id if number == 0 else f"{delivery_id}#{number}"
            answer = await front.accept(Delivery(key, kind, part, datetime.now(UTC)))
            status = answer if status != "accepted" else status
        log.info("webhook", status=status)
        return JSONResponse({"status": status}, 202)

    return receive


def _identity(request: Request) -> tuple[str, str]:
    kind, delivery_id = request.headers.get("x-github-event", ""), request.headers.get("x-github-delivery", "")
    if not re.fullmatch(r"[a-z_]{1,64}", kind):
        raise HTTPException(400, "X-GitHub-Event is missing or not an event's name")
    if not _DELIVERY_ID.fullmatch(delivery_id):
        raise HTTPException(400, "X-GitHub-Delivery is missing or not a UUID")
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise HTTPException(415, "set the webhook's content type to application/json")
    return kind, delivery_id.lower()
