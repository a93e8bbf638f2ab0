"""Keeps every write to GitHub in the audit trail."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.store import audit
from app.store.database import Database

log = structlog.get_logger()


@dataclass
class Trail:
    """Whoever writes waits for its line, so that a crash loses at most one."""

    clock: Callable[[], datetime]
    database: Database = field(init=False)

    async def wrote(self, method: str, path: str, outcome: str) -> None:
        """The write took place, whatever becomes of its line."""
        written = {"method": method, "path": path, "outcome": outcome}
        try:
            await self.database.write(lambda c: audit.put(c, self.clock(), None, "github_write", written))
        except SQLAlchemyError as error:
            log.warning("audit.lost", **written, error=str(error)[:300])
