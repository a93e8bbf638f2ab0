"""What runners and people ask of the work that waits to be published; who may is checked here, the files are app.held_work's."""

import asyncio
import base64
import errno
from dataclasses import dataclass
from pathlib import Path

from app.decide.attempts import STALE
from app.decide.state import Attempt, AttemptStatus, Task
from app.events import WorkHandedOver
from app.held_work import HeldFolder
from app.loop import Loop
from app.store import rows
from app.store.database import Database
from app.web.front import Refused
from shared.errors import TransientError
from shared.messages import HeldReply, HeldRequest, HeldWork, HoldReply, HoldRequest, Piece, PieceReply

_AGAIN = "what was handed over is not what was announced: the app's folder of held work is not whole"
_GONE = "its bundle is missing in the app's folder of held work, so it cannot be published; `/shoal retry` does the work anew"


@dataclass(frozen=True)
class Holding:
    """Callers were authenticated against the attempt that they name."""

    folder: HeldFolder
    database: Database
    loop: Loop

    async def piece(self, attempt_id: str, piece: Piece) -> PieceReply | Refused:
        """Only of an attempt that was told to hand over, by the process that holds it."""
        attempt, task = await self._find(attempt_id)
        if not _hands_over(attempt, task, piece.nonce):
            return Refused(STALE)
        data = base64.b64decode(piece.data)
        try:
            return PieceReply(bytes=await asyncio.to_thread(self.folder.take, attempt.id, piece.of, piece.offset, data))
        except OSError as error:
            raise TransientError(_no_room(error)) from error

    async def hold(self, attempt_id: str, request: HoldRequest) -> HoldReply | Refused:
        """Durable on the disk first, then in the database."""
        attempt, task = await self._find(attempt_id)
        if not _hands_over(attempt, task, request.nonce):
            return Refused(STALE)
        try:
            size = await asyncio.to_thread(self.folder.keep, attempt.id, "bundle", request.bundle_sha256)
            diff = await asyncio.to_thread(self.folder.keep, attempt.id, "diff", request.diff_sha256)
        except OSError as error:
            raise TransientError(_no_room(error)) from error
        if size is None or diff is None:
            return HoldReply(problem=_AGAIN)
        event = WorkHandedOver(
            repository_id=attempt.repository_id,
            attempt=attempt.id,
            nonce=request.nonce,
            head_sha=request.head_sha,
            host=self.loop.membership.me.host,
            work=HeldWork(report=request.report, bytes=size, sha256=request.bundle_sha256),
        )
        refusal = await self.loop.submit(event, f"{attempt_id}:{request.nonce}:hold:{request.head_sha}")
        return Refused(refusal) if refusal else HoldReply()

    async def held(self, attempt_id: str, request: HeldRequest) -> HeldReply | Refused:
        """Only to the attempt that publishes it."""
        attempt, task = await self._find(attempt_id)
        current = attempt.status is AttemptStatus.CLAIMED and attempt.nonce == request.nonce and task.attempt == attempt.id
        if not current or not attempt.releases or task.on_hold is None:
            return Refused(STALE)
        data = await asyncio.to_thread(self.folder.read, task.on_hold.attempt, request.offset)
        if data is not None:
            return HeldReply(data=base64.b64encode(data).decode())
        if task.on_hold.host not in {"", self.loop.membership.me.host}:
            raise TransientError(f"the held work lies on {task.on_hold.host}")
        return HeldReply(problem=_GONE)

    async def diff(self, attempt_id: str) -> Path | None:
        """Of work that waits now; the id comes from outside, and only one that the database knows becomes a name."""
        attempt, task = await self.database.read(lambda c: rows.attempt_and_task(c, attempt_id))
        if attempt is None or task is None or task.on_hold is None or task.on_hold.attempt != attempt.id:
            return None
        return await asyncio.to_thread(self.folder.diff, attempt.id)

    async def tidy(self) -> None:
        """Removes what belongs to no work that waits: the app died first, or the attempt was lost while it handed over."""
        for name in sorted(await asyncio.to_thread(self.folder.attempts)):
            attempt, task = await self.database.read(lambda c, name=name: rows.attempt_and_task(c, name))  # type: ignore[misc]
            if attempt is not None and task is not None and not _wanted(attempt, task):
                await asyncio.to_thread(self.folder.drop, name)

    async def _find(self, attempt_id: str) -> tuple[Attempt, Task]:
        attempt, task = await self.database.read(lambda c: rows.attempt_and_task(c, attempt_id))
        if attempt is None or task is None:
            raise LookupError(attempt_id)
        return attempt, task


def _hands_over(attempt: Attempt, task: Task, nonce: str) -> bool:
    holds = attempt.status is AttemptStatus.CLAIMED and attempt.nonce == nonce and task.attempt == attempt.id
    return holds and attempt.stop is None and attempt.permit is not None and attempt.permit.status == "held"


def _wanted(attempt: Attempt, task: Task) -> bool:
    """Files of an attempt that has not ended are somebody's; after that only a task keeps them."""
    kept = task.on_hold is not None and task.on_hold.attempt == attempt.id
    return kept or attempt.status is not AttemptStatus.ENDED


def _no_room(error: OSError) -> str:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return "the app's disk is full: make room in its work folder" if full else f"the app cannot keep it: {error.strerror}"
