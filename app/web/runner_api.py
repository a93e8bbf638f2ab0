"""The runners' door: one attempt per secret, bodies checked before anybody acts on them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from shared.messages import (
    AttemptBrief,
    ClaimRequest,
    FetchReply,
    FetchRequest,
    FinishRequest,
    Heartbeat,
    HeartbeatReply,
    HeldReply,
    HeldRequest,
    HoldReply,
    HoldRequest,
    IdentityReply,
    IdentityRequest,
    IssueCheck,
    PermitReply,
    PermitRequest,
    PhaseFinished,
    Piece,
    PieceReply,
)
from shared.models import WIRE_VERSION

BODY_LIMIT = 4 * 1024 * 1024
_IDENTITY_LIMIT = 64 * 1024  # read before anybody is known
_PREFIX = "/runner/v1/attempts"
_Body = TypeVar("_Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it is described to others; without `body` it is a GET, without `answer` it says nothing but "done"."""

    name: str
    does: str
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    needs_secret: bool = True

    @property
    def path(self) -> str:
        """Below the app's address."""
        return f"{_PREFIX}/{{attempt_id}}/{self.name}"


IDENTITY = Call("identity", "Prove by an OIDC token to be the attempt's job", IdentityRequest, IdentityReply, needs_secret=False)
CLAIM = Call("claim", "Be the one that works on the attempt", ClaimRequest, AttemptBrief)
FETCH = Call("fetch", "Ask for a token that fetches the repository", FetchRequest, FetchReply)
HEARTBEAT = Call("heartbeat", "Renew the lease", Heartbeat, HeartbeatReply)
ISSUE = Call("issue", "Ask whether the issue still is what was approved", None, IssueCheck)
PHASE = Call("phase", "Report a finished phase", PhaseFinished, None)
PERMIT = Call("permit", "Ask for the right to write to GitHub once", PermitRequest, PermitReply)
PIECE = Call("piece", "Hand over a part of work that may not be published yet", Piece, PieceReply)
HOLD = Call("hold", "Say that all of it was handed over, to be kept until a person publishes it", HoldRequest, HoldReply)
HELD = Call("held", "Take back a part of held work that a person has published", HeldRequest, HeldReply)
FINISH = Call("finish", "Say the attempt's last word", FinishRequest, None)
CALLS = (IDENTITY, CLAIM, FETCH, HEARTBEAT, ISSUE, PHASE, PERMIT, PIECE, HOLD, HELD, FINISH)


def routes(front: Front) -> list[Route]:
    """Everything a runner may ask."""
    return [
        Route(IDENTITY.path, _identity(front), methods=["POST"]),
        _call(front, CLAIM, ClaimRequest, front.claim),
        _call(front, FETCH, FetchRequest, front.fetch),
        _call(front, HEARTBEAT, Heartbeat, front.heartbeat),
        _call(front, PHASE, PhaseFinished, front.phase),
        _call(front, PERMIT, PermitRequest, front.permit),
        _call(front, PIECE, Piece, front.piece),
        _call(front, HOLD, HoldRequest, front.hold),
        _call(front, HELD, HeldRequest, front.held),
        _call(front, FINISH, FinishRequest, front.finish),
        Route(ISSUE.path, _issue(front), methods=["GET"]),
    ]


def _call(
    front: Front, call: Call, shape: type[_Body], act: Callable[[str, _Body], Awaitable[BaseModel | Refused | None]]
) -> Route:
    async def endpoint(request: Request) -> Response:
        attempt_id = await _attempt(front, request)
        body = _parse(shape, await read_body(request, BODY_LIMIT))
        return _answer(await act(attempt_id, body))

    return Route(call.path, endpoint, methods=["POST"])


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
