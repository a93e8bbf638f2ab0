"""A real, small Front: keeps what it is given and answers like an app with one attempt."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from app.decide.operator_mode import OperatorMode
from app.report.status import Operation
from app.web.front import Delivery, NotProven, Refused
from shared.errors import TransientError
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

SECRET = "shoal_secret_" + "x" * 32


@dataclass
class OneAttempt:
    """Knows the attempt `a1`; `nonce` is who holds it."""

    deliveries: dict[str, Delivery] = field(default_factory=dict)
    nonce: str = ""
    phases: list[PhaseFinished] = field(default_factory=list)
    is_ready: bool = True
    mode: OperatorMode = OperatorMode.RUNNING
    # Of work that waits to be published.
    diff: Path | None = None

    async def why_not_ready(self) -> str:
        return "" if self.is_ready else "the database does not answer"

    async def accept(self, delivery: Delivery) -> Literal["accepted", "duplicate"]:
        if delivery.event == "push":
            raise TransientError("the database is locked")
        known = delivery.delivery_id in self.deliveries
        self.deliveries.setdefault(delivery.delivery_id, delivery)
        return "duplicate" if known else "accepted"

    async def authenticate(self, attempt_id: str, secret: str) -> bool:
        return (attempt_id, secret) == ("a1", SECRET)

    async def identify(self, attempt_id: str, request: IdentityRequest) -> IdentityReply | Refused | NotProven:
        if request.id_token != "a proof":
            return NotProven(f"that is no proof of {attempt_id}")
        return Refused("another process has claimed this attempt") if self.nonce else IdentityReply(secret=SECRET)

    async def claim(self, attempt_id: str, request: ClaimRequest) -> AttemptBrief | Refused:
        self.nonce = self.nonce or request.nonce
        return Refused(f"{attempt_id} is claimed by another process")

    async def fetch(self, attempt_id: str, request: FetchRequest) -> FetchReply | Refused:
        return FetchReply(token="reads") if request.nonce == self.nonce else Refused(f"{attempt_id} belongs to another process")

    async def heartbeat(self, attempt_id: str, beat: Heartbeat) -> HeartbeatReply | Refused:
        return HeartbeatReply() if beat.nonce == self.nonce else Refused(f"{attempt_id} belongs to another process")

    async def check_issue(self, attempt_id: str) -> IssueCheck | Refused:
        return IssueCheck(unchanged=False, reason=f"the issue of {attempt_id} was edited")

    async def phase(self, attempt_id: str, finished: PhaseFinished) -> Refused | None:
        self.phases.append(finished)
        return None

    async def permit(self, attempt_id: str, request: PermitRequest) -> PermitReply | Refused:
        return PermitReply(status="pending")

    async def piece(self, attempt_id: str, piece: Piece) -> PieceReply | Refused:
        return Refused(f"{attempt_id} was not told to hand anything over")

    async def hold(self, attempt_id: str, request: HoldRequest) -> HoldReply | Refused:
        return Refused(f"{attempt_id} was not told to hand anything over")

    async def held(self, attempt_id: str, request: HeldRequest) -> HeldReply | Refused:
        return Refused(f"nothing of {attempt_id} was published")

    async def held_diff(self, attempt_id: str) -> Path | None:
        return self.diff if attempt_id == "a1" else None

    async def finish(self, attempt_id: str, request: FinishRequest) -> Refused | None:
        raise RuntimeError("a bug with a secret: ghs_" + "a" * 36)

    async def operation(self) -> Operation:
        return Operation(mode=self.mode.value, running=1)

    async def operate(self, mode: OperatorMode) -> Operation:
        self.mode = mode
        return await self.operation()

    async def audit(self, since: datetime) -> AsyncIterator[str]:
        yield f'{{"at": "{since:%Y}"}}\n'

    async def status(self) -> HeartbeatReply:
        return HeartbeatReply(stop="any model will do")
