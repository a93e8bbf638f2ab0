"""The runners' door: one attempt per secret, bodies checked before anybody acts on them."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.web.body import read_body
from app.web.front import Front, NotProven, Refused
from shared.messages import ClaimRequest, FinishRequest, Heartbeat, IdentityRequest, PermitRequest, PhaseFinished
from shared.models import WIRE_VERSION

BODY_LIMIT = 4 * 1024 * 1024
_IDENTITY_LIMIT = 64 * 1024  # read before anybody is known
_ROOT = "/runner/v1/attempts/{attempt_id:str}"
_Body = TypeVar("_Body", bound=BaseModel)


def routes(front: Front) -> list[Route]:
    """Everything a runner may ask."""
    return [
        Route(f"{_ROOT}/identity", _identity(front), methods=["POST"]),
        _call(front, "claim", ClaimRequest, front.claim),
        _call(front, "heartbeat", Heartbeat, front.heartbeat),
        _call(front, "phase", PhaseFinished, front.phase),
        _call(front, "permit", PermitRequest, front.permit),
        _call(front, "finish", FinishRequest, front.finish),
        Route(f"{_ROOT}/issue", _issue(front), methods=["GET"]),
    ]


def _call(front: Front, name: str, shape: type[_Body], act: Callable[[str, _Body], Awaitable[BaseModel | Refused | None]]) -> Route:
    async def endpoint(request: Request) -> Response:
        attempt_id = await _attempt(front, request)
        body = _parse(shape, await read_body(request, BODY_LIMIT))
        return _answer(await act(attempt_id, body))

    return Route(f"{_ROOT}/{name}", endpoint, methods=["POST"])


def _identity(front: Front) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        attempt_id: str = request.path_params["attempt_id"]
        body = _parse(IdentityRequest, await read_body(request, _IDENTITY_LIMIT))
        answer = await front.identify(attempt_id, body)
        if isinstance(answer, NotProven):
            raise HTTPException(403, answer.reason)
        return _answer(answer)

    return endpoint


def _issue(front: Front) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return _answer(await front.check_issue(await _attempt(front, request)))

    return endpoint


async def _attempt(front: Front, request: Request) -> str:
    """The attempt's id, once its secret is proven: before that, nothing of the body is read."""
    attempt_id: str = request.path_params["attempt_id"]
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret or not await front.authenticate(attempt_id, secret):
        raise HTTPException(401, "this is not the attempt's secret", headers={"WWW-Authenticate": "Bearer"})
    structlog.contextvars.bind_contextvars(attempt=attempt_id)
    return attempt_id


def _parse(shape: type[_Body], raw: bytes) -> _Body:
    try:
        data = from_json(raw)
    except ValueError as error:
        raise HTTPException(400, "the body is not JSON") from error
    version = data.get("wire_version", WIRE_VERSION) if isinstance(data, dict) else WIRE_VERSION
    if version != WIRE_VERSION:
        # Looked at before the rest: another version's body would only seem to be wrong in some field.
        raise HTTPException(426, f"this app speaks version {WIRE_VERSION}, the runner version {version!r:.20}")
    try:
        return shape.model_validate(data)
    except ValidationError as error:
        raise HTTPException(422, _first_mistake(error)) from error


def _first_mistake(error: ValidationError) -> str:
    detail = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in detail["loc"]) or "the body"
    return f"{field}: {detail['msg']}"


def _answer(result: BaseModel | Refused | None) -> Response:
    match result:
        case None:
            return JSONResponse({})
        case Refused(reason):
            return JSONResponse({"reason": reason}, 409)
        case _:
            return Response(result.model_dump_json(by_alias=True), media_type="application/json")
