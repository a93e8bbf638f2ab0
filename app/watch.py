"""Notices runners that died, so that nobody waits for their leases."""

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.backends.backend import Backend
from app.decide.state import AttemptStatus
from app.events import AttemptGone
from app.loop import Loop
from app.store import rows
from app.store.database import Database

log = structlog.get_logger()
_SECONDS = 0.5


@dataclass
class Watch:
    """Looks at the process of every attempt that should have one; after a restart this is how runners are adopted."""

    database: Database
    loop: Loop
    backend: Backend

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except SQLAlchemyError as error:
                log.warning("database.failed", error=str(error)[:300])
            await asyncio.sleep(_SECONDS)

    async def look(self) -> None:
        """Once over all attempts."""
        for attempt in await self.database.read(rows.live_attempts):
            if attempt.host not in {"", self.loop.membership.me.host}:
                continue  # a process of that number here is somebody else's
            expected = attempt.status in {AttemptStatus.STARTING, AttemptStatus.CLAIMED}
            if not expected or attempt.gone or attempt.pid is None or attempt.pid_started is None:
                continue
            if not self.backend.alive(attempt.pid, attempt.pid_started):
                await self.loop.submit(
                    AttemptGone(
                        repository_id=attempt.repository_id,
                        attempt=attempt.id,
                        pid=attempt.pid,
                        reason="its runner process died",
                    )
                )
