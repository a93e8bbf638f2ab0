"""Re-derives from GitHub what a lost message would strand: labels that nobody told us about, issues that changed unseen."""

import asyncio
from dataclasses import dataclass

import structlog

from app.events import IssueLabelled, IssueTouched, RepositoryRef
from app.github.client import GitHubApp
from app.loop import Loop
from app.settings import Settings
from app.store import rows
from app.store.database import Database
from shared.errors import TransientError, UserError

log = structlog.get_logger()


@dataclass
class Sweep:
    """Everything found goes through the same door as a webhook."""

    settings: Settings
    database: Database
    loop: Loop
    github: GitHubApp

    async def run(self) -> None:
        """At the start and then every `sweep_seconds`, until cancelled."""
        while True:
            try:
                await self.once()
                await self.loop.prune()
            except (TransientError, UserError) as error:
                log.warning("sweep.failed", error=str(error)[:300])
            await asyncio.sleep(self.settings.sweep_seconds)

    async def once(self) -> None:
        """Over every repository that the App is installed on."""
        for found in await self.github.installed_repositories():
            await self._repository(found)

    async def _repository(self, found: RepositoryRef) -> None:
        live = await self.database.read(lambda c: rows.live_issues(c, found.id))
        await self._labelled(found, live)
        await self._live(found, live)

    async def _labelled(self, found: RepositoryRef, live: list[int]) -> None:
        """Labelled open issues; those whose label event is known already change nothing."""
        client = self.github.repository(found.full_name, found.id, found.installation_id)
        for issue in await client.labelled_issues(self.settings.label):
            if issue.is_pull_request:
                continue
            number = issue.snapshot.number
            if number not in live:
                await self.loop.submit(
                    IssueLabelled(repository_id=found.id, repository=found, issue=number, label=self.settings.label, sender="")
                )

    async def _live(self, found: RepositoryRef, live: list[int]) -> None:
        """Issues that we work on: were they closed, edited or unlabelled while nobody told us?"""
        for number in live:
            await self.loop.submit(
                IssueTouched(repository_id=found.id, repository=found, issue=number, action="edited", label=self.settings.label)
            )
