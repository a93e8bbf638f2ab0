"""Re-derives from GitHub what a lost message would strand: labels that nobody told us about, issues that changed unseen."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.events import IssueLabelled, IssueTouched, RepositoryRef
from app.github.access import Access
from app.loop import Loop
from app.settings import Settings
from app.store import rows
from app.store.database import Database
from shared.errors import TransientError, UserError

log = structlog.get_logger()

# GitHub counts whole seconds, and its clock is not ours: an issue that changed just now may change again unseen.
_SETTLED = timedelta(minutes=2)
# One of several apps sweeps, and the next eldest at once when that one has died; seconds.
_LOOK_AGAIN = 0.2


@dataclass
class Sweep:
    """Everything found goes through the same door as a webhook; an issue that is as it was is not read again."""

    settings: Settings
    database: Database
    loop: Loop
    github: Access
    _known: dict[int, dict[int, datetime]] = field(default_factory=dict)

    async def run(self) -> None:
        """As soon as it is our turn and then every `sweep_seconds`, until cancelled."""
        while True:
            while not self.loop.membership.leads:  # noqa: ASYNC110 the end of another process sets no event here
                await asyncio.sleep(_LOOK_AGAIN)
            try:
                await self.once()
                await self.loop.prune(timedelta(days=self.settings.audit_days))
            except (TransientError, UserError, SQLAlchemyError) as error:
                log.warning("sweep.failed", error=str(error)[:300])
            await asyncio.sleep(self.settings.sweep_seconds)

    async def once(self) -> None:
        """Over every repository that the App is installed on."""
        for found in await self.github.installed_repositories():
            await self._repository(found)

    async def _repository(self, found: RepositoryRef) -> None:
        live = set(await self.database.read(lambda c: rows.live_issues(c, found.id)))
        client = self.github.repository(found.full_name, found.id, found.installation_id)
        listed = {issue.snapshot.number: issue for issue in await client.labelled_issues(self.settings.label)}
        known, now = self._known.get(found.id, {}), self.loop.clock()
        for number, issue in listed.items():
            if not issue.is_pull_request and number not in live and known.get(number) != issue.updated_at:
                await self.loop.submit(
                    IssueLabelled(repository_id=found.id, repository=found, issue=number, label=self.settings.label, sender="")
                )
        for number in live:  # closed, edited or unlabelled while nobody told us?
            if number not in listed or known.get(number) != listed[number].updated_at:
                await self.loop.submit(
                    IssueTouched(repository_id=found.id, repository=found, issue=number, action="edited", label=self.settings.label)
                )
        self._known[found.id] = {n: i.updated_at for n, i in listed.items() if i.updated_at and now - i.updated_at > _SETTLED}
