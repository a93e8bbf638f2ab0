"""What the web front asks of the core: webhooks become rows, runner calls become events, answers come from the state."""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import brief, oidc
from app.decide.attempts import STALE
from app.decide.operator_mode import OperatorMode
from app.decide.state import Attempt, AttemptStatus, Repository, Task
from app.events import AttemptClaimed, AttemptFinished, HeartbeatReceived, PermitRequested, PhaseReported, TokenMinted
from app.github.access import Access
from app.github.usage import Usage, on_behalf_of
from app.holding import Holding
from app.loop import Loop
from app.metrics import Metrics
from app.oidc import Verifier
from app.report.status import AppStatus, Operation
from app.reporter import Reporter
from app.settings import Settings
from app.store import audit, rows
from app.store.database import Database
from app.tokens_held import TokensHeld
from app.views import absence_of
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
from shared.models import VerdictName

log = structlog.get_logger()
READ = {"contents": "read", "metadata": "read"}
WRITE = {"contents": "write", "pull_requests": "write", "metadata": "read"}
# How long a permit request is held open while GitHub is read; the runner asks again after that.
_PERMIT_PATIENCE = 2.0
_LOOK_AGAIN = 0.05


@dataclass
class CoreFront:
    """Implements app.web.front.Front."""

    settings: Settings
    database: Database
    loop: Loop
    github: Access
    reporter: Reporter
    tokens: TokensHeld
    metrics: Metrics
    verifier: Verifier
    usage: Usage
    holding: Holding

    async def accept(self, delivery: Delivery) -> Literal["accepted", "duplicate"]:
        """One durable row per delivery id."""
        body = delivery.body.decode("utf-8", "replace")
        new = await self.loop.accept(delivery.delivery_id, delivery.event, body)
        return "accepted" if new else "duplicate"

    async def authenticate(self, attempt_id: str, secret: str) -> bool:
        """Whether this is the secret that the attempt's runner was started with."""
        stored = await self.database.read(lambda c: rows.secret_hash_of(c, attempt_id))
        return bool(stored) and hmac.compare_digest(stored, sha256(secret.encode()).hexdigest())

    async def identify(self, attempt_id: str, request: IdentityRequest) -> IdentityReply | Refused | NotProven:
        """A new secret, once per token, for the very run that was dispatched for this attempt."""
        attempt, _ = await self.database.read(lambda c: rows.attempt_and_task(c, attempt_id))
        if self.settings.backend != "actions" or attempt is None:
            return NotProven("this app has no such attempt for a job of GitHub Actions")
        if attempt.status is not AttemptStatus.STARTING:
            return Refused("another process has claimed this attempt, or it is over")
        if attempt.pid is None or attempt.pid_started is None:
            raise TransientError("the run's id is not known yet")
        try:
            claims = await self.verifier.claims(request.id_token)
        except oidc.NotProven as error:
            return self._not_proven(attempt_id, str(error))
        _, _, repository = await self._find(attempt_id)
        orchestration = await self.database.read(lambda c: rows.load_orchestration(c, attempt.orchestration))
        branch = orchestration.default_branch if orchestration else ""
        workflow = f"{repository.full_name}/.github/workflows/{self.settings.workflow_file}@refs/heads/{branch}"
        if reason := oidc.why_not(claims, oidc.Expected(repository.id, attempt.pid, int(attempt.pid_started), workflow)):
            return self._not_proven(attempt_id, reason)
        secret = f"shoal_secret_{secrets.token_urlsafe(32)}"
        hashed = sha256(secret.encode()).hexdigest()
        refusal = await self.database.write(
            lambda c: rows.identify(c, attempt_id, hashed, claims.jti, float(claims.exp), self.loop.clock().timestamp())
        )
        return self._not_proven(attempt_id, refusal) if refusal else IdentityReply(secret=secret)

    @staticmethod
    def _not_proven(attempt_id: str, reason: str) -> NotProven:
        log.warning("identity.refused", attempt=attempt_id, reason=reason)
        return NotProven(reason)

    async def claim(self, attempt_id: str, request: ClaimRequest) -> AttemptBrief | Refused:
        """The brief, for the first process that asks."""
        attempt, task, repository = await self._find(attempt_id)
        if self.settings.backend == "actions" and attempt.pid is not None and attempt.pid_started is not None:
            # Its process is on a machine that we cannot see: what names it is its run.
            request = request.model_copy(update={"pid": attempt.pid, "pid_started": attempt.pid_started, "host": ""})
        refusal = await self.loop.submit(AttemptClaimed(repository_id=repository.id, attempt=attempt_id, claim=request))
        if refusal:
            return Refused(refusal)
        return await self._brief(attempt, task, repository)

    async def fetch(self, attempt_id: str, request: FetchRequest) -> FetchReply | Refused:
        """A fresh token that can fetch this repository and nothing else, for who holds the attempt."""
        attempt, task, repository = await self._find(attempt_id)
        held = attempt.status is AttemptStatus.CLAIMED and attempt.nonce == request.nonce and task.attempt == attempt.id
        if not held or attempt.stop is not None:
            return Refused(STALE)
        _must_be_there(repository)
        with on_behalf_of(repository.id):
            read = await self.github.tokens.mint(repository.installation_id, repository.id, READ)
        return FetchReply(token=read.token)

    async def heartbeat(self, attempt_id: str, beat: Heartbeat) -> HeartbeatReply | Refused:
        """Renews the lease; says why to stop when the task was stopped."""
        attempt, _, repository = await self._find(attempt_id)
        refusal = await self.loop.submit(HeartbeatReceived(repository_id=repository.id, attempt=attempt_id, heartbeat=beat))
        if refusal:
            return Refused(refusal)
        return HeartbeatReply(stop=attempt.stop.reason if attempt.stop else None)

    async def check_issue(self, attempt_id: str) -> IssueCheck | Refused:
        """Whether the issue is still what was approved, read from GitHub now."""
        attempt, task, repository = await self._find(attempt_id)
        if task.attempt != attempt.id:
            return Refused(STALE)
        _must_be_there(repository)
        client = self.github.repository(repository.full_name, repository.id, repository.installation_id)
        with on_behalf_of(repository.id):
            issue = await client.issue(task.issue)
        if issue.state != "open":
            return IssueCheck(unchanged=False, reason=f"issue #{task.issue} was closed")
        if task.snapshot is None or issue.snapshot.hash != task.snapshot.hash:
            return IssueCheck(
                unchanged=False, reason="the issue was edited after it was labelled; label it again to approve the new text"
            )
        return IssueCheck(unchanged=True)

    async def phase(self, attempt_id: str, finished: PhaseFinished) -> Refused | None:
        """Keeps a phase's result."""
        _, _, repository = await self._find(attempt_id)
        event = PhaseReported(repository_id=repository.id, attempt=attempt_id, nonce=finished.nonce, result=finished.result)
        refusal = await self.loop.submit(event, f"{attempt_id}:{finished.nonce}:phase:{finished.result.name}")
        self.metrics.phase_seconds.labels(finished.result.name, finished.result.status).observe(finished.result.seconds)
        return Refused(refusal) if refusal else None

    async def permit(self, attempt_id: str, request: PermitRequest) -> PermitReply | Refused:
        """Asks GitHub, then grants with a token or refuses with a verdict; `pending` while GitHub is being asked."""
        _, _, repository = await self._find(attempt_id)
        event = PermitRequested(repository_id=repository.id, attempt=attempt_id, **request.model_dump())
        refusal = await self.loop.submit(event, f"{attempt_id}:{request.nonce}:permit:{request.sequence}")
        if refusal:
            return Refused(refusal)
        attempt = await self._until(lambda: self._permit_decided(attempt_id, request.sequence), _PERMIT_PATIENCE)
        if attempt is None or attempt.permit is None:
            return PermitReply(status="pending")
        if attempt.permit.status == "refused":
            return PermitReply(status="refused", verdict=attempt.permit.refusal)
        if attempt.permit.status == "held":
            return PermitReply(status="held")
        return await self._grant(attempt, repository, request)

    async def piece(self, attempt_id: str, piece: Piece) -> PieceReply | Refused:
        """Of work that waits to be published."""
        return await self.holding.piece(attempt_id, piece)

    async def hold(self, attempt_id: str, request: HoldRequest) -> HoldReply | Refused:
        """All of it."""
        return await self.holding.hold(attempt_id, request)

    async def held(self, attempt_id: str, request: HeldRequest) -> HeldReply | Refused:
        """Back to the attempt that publishes it."""
        return await self.holding.held(attempt_id, request)

    async def held_diff(self, attempt_id: str) -> Path | None:
        """For the operator."""
        return await self.holding.diff(attempt_id)

    async def finish(self, attempt_id: str, request: FinishRequest) -> Refused | None:
        """Hears the last word."""
        attempt, _, repository = await self._find(attempt_id)
        dead_until = self._dead_until(attempt, request)
        event = AttemptFinished(
            repository_id=repository.id,
            attempt=attempt_id,
            nonce=request.nonce,
            report=request.report,
            tokens_dead_until=dead_until,
            job_cancelled=request.job_cancelled,
        )
        refusal = await self.loop.submit(event, f"{attempt_id}:{request.nonce}:finish")
        if not refusal and dead_until is not None:
            self.tokens.forget(attempt_id, request.tokens_revoked)
        if not refusal and attempt.status is AttemptStatus.CLAIMED:  # not when it only says so again
            self.metrics.used(request.report.usage)
        return Refused(refusal) if refusal else None

    def _dead_until(self, attempt: Attempt, request: FinishRequest) -> datetime | None:
        """Until when every token that we handed out would work, where the runner revoked each one; None: we revoke them ourselves.

        So also where another app handed out some, which we cannot compare, and where another attempt may follow.
        """
        ours_alone = attempt.token_holders == (self.loop.membership.me.id,)
        ended_well = request.report.verdict.name is VerdictName.SUCCEEDED
        returned = ended_well and ours_alone and self.tokens.all_among(attempt.id, request.tokens_revoked)
        return attempt.token_expires_at if returned else None

    async def status(self) -> AppStatus:
        """For the operator's programs."""
        status = await self.reporter.status()
        counted = tuple(one.counted(self.usage.of(one.orchestration.id)) for one in status.orchestrations)
        found = {"orchestrations": counted, "github": self.github.health, "operation": await self.operation()}
        return status.model_copy(update=found)

    async def operation(self) -> Operation:
        """As the database has it."""
        operation = await self.reporter.operation()
        return operation.model_copy(update={"room": await self.loop.room()})

    async def operate(self, mode: OperatorMode) -> Operation:
        """Durable before it is answered."""
        log.info("operator.spoke", mode=mode)
        await self.loop.operate(mode)
        return await self.operation()

    async def audit(self, since: datetime) -> AsyncIterator[str]:
        """In pages, so that a year of it is never in memory."""
        page = await self._trail(since, 0)
        while page:
            for _, line in page:
                yield line
            page = await self._trail(since, page[-1][0])

    async def _trail(self, since: datetime, after: int) -> list[tuple[int, str]]:
        return await self.database.read(lambda c: audit.lines(c, since, after, 1000))

    async def why_not_ready(self) -> str:
        """The database, or the end of a drain: until then runners still need this app."""
        try:
            operation = await self.operation()
        except SQLAlchemyError as error:
            log.warning("database.failed", error=str(error)[:300])
            return "the database does not answer"
        return "drained" if operation.drained else ""

    async def _grant(self, attempt: Attempt, repository: Repository, request: PermitRequest) -> PermitReply | Refused:
        _must_be_there(repository)
        with on_behalf_of(repository.id):
            minted = await self.github.tokens.mint(repository.installation_id, repository.id, WRITE)
        # Held and stored before it is handed out: from now on no successor starts while it works.
        self.tokens.hold(attempt.id, minted.token)
        event = TokenMinted(
            repository_id=repository.id,
            attempt=attempt.id,
            sequence=request.sequence,
            holder=self.loop.membership.me.id,
            expires_at=minted.expires_at,
        )
        refusal = await self.loop.submit(event)
        if refusal or attempt.permit is None:
            await self.github.tokens.revoke(minted.token)
            return Refused(refusal)
        return PermitReply(status="granted", token=minted.token, expected_sha=attempt.permit.expected_sha)

    async def _permit_decided(self, attempt_id: str, sequence: int) -> Attempt | None:
        attempt, _, _ = await self._find(attempt_id)
        permit = attempt.permit
        decided = permit is not None and permit.sequence == sequence and permit.status != "reading"
        return attempt if decided or attempt.status is not AttemptStatus.CLAIMED else None

    @staticmethod
    async def _until(look: Callable[[], Awaitable[Attempt | None]], seconds: float) -> Attempt | None:
        """Looks again until there is something to see; the answer lies in the database, where another process may have put it."""
        found = await look()
        for _ in range(int(seconds / _LOOK_AGAIN)):
            if found is not None:
                break
            await asyncio.sleep(_LOOK_AGAIN)
            found = await look()
        return found

    async def _find(self, attempt_id: str) -> tuple[Attempt, Task, Repository]:
        """Callers were authenticated against this very attempt: it exists."""
        attempt, task = await self.database.read(lambda c: rows.attempt_and_task(c, attempt_id))
        if attempt is None or task is None:
            raise LookupError(attempt_id)
        repository = await self.database.read(lambda c: rows.load_repository(c, attempt.repository_id))
        if repository is None:
            raise LookupError(attempt_id)
        return attempt, task, repository

    async def _brief(self, attempt: Attempt, task: Task, repository: Repository) -> AttemptBrief | Refused:
        orchestration = await self.database.read(lambda c: rows.load_orchestration(c, attempt.orchestration))
        if orchestration is None or task.snapshot is None:
            return Refused(STALE)
        return brief.make(
            self.settings,
            repository,
            orchestration,
            task,
            attempt,
            task.snapshot,
            shared_tokens=self.github.tokens.shared,
            login=self.github.login,
            email=self.github.email,
        )


def _must_be_there(repository: Repository) -> None:
    """While the App may not see it GitHub's answers say nothing: the runner asks again."""
    if repository.gone:
        raise TransientError(f"waits for {absence_of(repository)}")
