"""What the HTTP front asks of the app: one Protocol, so that the server knows nothing of state, stores or GitHub."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel

from app.decide.operator_mode import OperatorMode
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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook, its signature verified and its body known to be an event of ours; `delivery_id` is the key of its row."""

    delivery_id: str
    event: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt has no right to this call (any more): its number is stale, its lease gone, its nonce another's."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotProven:
    """The caller is not who it must be."""

    reason: str


class Front(Protocol):
    """Every call may raise TransientError, which is answered with 503 and asks the caller to come again."""

    async def why_not_ready(self) -> str:
        """In a few words; empty when requests can be served."""

    async def accept(self, delivery: Delivery) -> Literal["accepted", "duplicate"]:
        """Returns only when the delivery is durable."""

    async def authenticate(self, attempt_id: str, secret: str) -> bool:
        """Whether this is the secret that the attempt was started with."""

    async def identify(self, attempt_id: str, request: IdentityRequest) -> IdentityReply | Refused | NotProven:
        """A secret for the job that proves to be the attempt's."""

    async def claim(self, attempt_id: str, request: ClaimRequest) -> AttemptBrief | Refused:
        """The work, for the first nonce that asks."""

    async def fetch(self, attempt_id: str, request: FetchRequest) -> FetchReply | Refused:
        """A token that reads the repository."""

    async def heartbeat(self, attempt_id: str, beat: Heartbeat) -> HeartbeatReply | Refused:
        """Renews the lease."""

    async def check_issue(self, attempt_id: str) -> IssueCheck | Refused:
        """Whether the issue still is what was approved."""

    async def phase(self, attempt_id: str, finished: PhaseFinished) -> Refused | None:
        """Records a finished phase."""

    async def permit(self, attempt_id: str, request: PermitRequest) -> PermitReply | Refused:
        """The right to write once."""

    async def piece(self, attempt_id: str, piece: Piece) -> PieceReply | Refused:
        """Takes a part of work that may not be published yet."""

    async def hold(self, attempt_id: str, request: HoldRequest) -> HoldReply | Refused:
        """Keeps what was handed over until a person decides."""

    async def held(self, attempt_id: str, request: HeldRequest) -> HeldReply | Refused:
        """Gives a part of it to the attempt that publishes it."""

    async def held_diff(self, attempt_id: str) -> Path | None:
        """The file with the diff of work that waits."""

    async def finish(self, attempt_id: str, request: FinishRequest) -> Refused | None:
        """Takes the attempt's last word."""

    async def status(self) -> BaseModel:
        """Everything an operator asks for, as JSON."""

    async def operation(self) -> BaseModel:
        """Whether new work may start, and how much is under way."""

    async def operate(self, mode: OperatorMode) -> BaseModel:
        """The same, once the operator's word is durable."""

    def audit(self, since: datetime) -> AsyncIterator[str]:
        """The trail, a line of JSON each, the oldest first."""
