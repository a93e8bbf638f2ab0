"""The operator's door: what is going on, pause and drain, and the audit trail; all of it for the bearer of one token."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from pydantic import BaseModel, SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from app.decide.operator_mode import OperatorMode
from app.web.front import Front

_MODES = {"pause": OperatorMode.PAUSED, "drain": OperatorMode.DRAINING, "resume": OperatorMode.RUNNING}
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(front: Front, token: SecretStr | None) -> list[Route]:
    """Without a token in the settings there is none of this."""

    async def status(_request: Request) -> Response:
        return _json(await front.status())

    async def show(_request: Request) -> Response:
        return _json(await front.operation())

    async def audit(request: Request) -> Response:
        lines = front.audit(_since(request.query_params.get("since", "")))
        # The first line is fetched now: what goes wrong with the database must still be able to become a status.
        first = await anext(lines, "")
        return StreamingResponse(_all(first, lines), media_type="application/jsonl")

    async def diff(request: Request) -> Response:
        found = await front.held_diff(request.path_params["attempt_id"])
        if found is None:
            raise HTTPException(404, "no such work waits to be published")
        return FileResponse(found, media_type="text/plain; charset=utf-8")  # an agent wrote it: never a page

    return [
        Route("/held/{attempt_id}.diff", _guarded(diff, token), methods=["GET"]),
        Route("/status.json", _guarded(status, token), methods=["GET"]),
        Route("/audit.jsonl", _guarded(audit, token), methods=["GET"]),
        Route("/operator", _guarded(show, token), methods=["GET"]),
        *(Route(f"/operator/{verb}", _guarded(_told(front, mode), token), methods=["POST"]) for verb, mode in _MODES.items()),
    ]


def _told(front: Front, mode: OperatorMode) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        return _json(await front.operate(mode))

    return endpoint


def _guarded(inner: Endpoint, token: SecretStr | None) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if token is None:
            raise HTTPException(404, "set SHOAL_OPERATOR_TOKEN to have this page")
        expected = f"Bearer {token.get_secret_value()}".encode()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode("latin-1"), expected):
            raise HTTPException(401, "the operator's token is missing or wrong", headers={"WWW-Authenticate": "Bearer"})
        return await inner(request)

    return endpoint


def _since(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
    except ValueError as error:
        raise HTTPException(422, "since: not a date such as 2026-01-31 or 2026-01-31T12:00:00+00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _all(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for line in rest:
        yield line


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
