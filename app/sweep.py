"""Re-derives from GitHub what a lost message would strand: labels that nobody told us about, issues that changed unseen."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.approved import start_labels
from app.decide.reconcile import REDELIVERABLE, left_behind, to_redeliver, told_by_runs, unheard, whereabouts
from app.decide.state import Task
from app.events import CheckFoundOpen, IssueLabelled, IssueTouched, LabelsSeen, RepositoryChanged, RepositoryRef
from app.found import Installed, Survey
from app.github.access import Access
from app.github.actions import ActionsClient
from app.github.repository import RepositoryClient
from app.github.usage import on_behalf_of
from app.holding import Holding
from app.loop import Loop
from app.metrics import Metrics
from app.settings import Settings
from app.store import rows
from app.store.database import Database
from shared.errors import TransientError, UserError

log = structlog.get_logger()

# GitHub counts whole seconds, and its clock is not ours: an issue that changed just now may change again unseen.
_SETTLED = timedelta(minutes=2)
# One of several apps sweeps, and the next eldest at once when that one has died; seconds.
_LOOK_AGAIN = 0.2
# A delivery is in GitHub's log a while after it was sent.
_OVERLAP = timedelta(minutes=15)
# After a long absence there may be thousands; the rest waits for the next sweep.
_REDELIVERED_AT_ONCE = 100


@dataclass
class Sweep:
    """Everything found goes through the same door as a webhook; an issue that is as it was is not read again."""

    settings: Settings
    database: Database
    loop: Loop
    github: Access
    metrics: Metrics
    holding: Holding
    _known: dict[int, dict[int, datetime]] = field(default_factory=dict)
    # What was told already, so that what stays as it is counts once.
    _told: set[tuple[int, str, str]] = field(default_factory=set)
    _redelivered: set[str] = field(default_factory=set)
    _looked_at: datetime | None = None

    async def run(self) -> None:
        """As soon as it is our turn and then every `sweep_seconds`, until cancelled."""
        while True:
            while not self.loop.membership.leads:  # noqa: ASYNC110 the end of another process sets no event here
                await asyncio.sleep(_LOOK_AGAIN)
            with self._failing_alone("everything"):
                await self.once()
                await self.loop.prune(timedelta(days=self.settings.audit_days), timedelta(days=self.settings.history_days))
                await self.holding.tidy()
            await asyncio.sleep(self.settings.sweep_seconds)

    async def once(self) -> None:
        """What did not arrive first, then every repository that the App is installed on."""
        with self._failing_alone("deliveries"):
            await self._deliveries()
        installed = await self.github.installed()
        with self._failing_alone("whereabouts"):
            await self._whereabouts(installed)
        for found in installed.repositories:
            client = self.github.repository(found.full_name, found.id, found.installation_id)
            survey = None
            with self._failing_alone(found.full_name), on_behalf_of(found.id):
                survey = await client.survey()
            with self._failing_alone(found.full_name), on_behalf_of(found.id):
                await self._repository(found, client, survey)
            with self._failing_alone(found.full_name), on_behalf_of(found.id):
                await self._runs(found, client)
            with self._failing_alone(found.full_name), on_behalf_of(found.id):
                if survey is not None:
                    await self._left_behind(found, survey)

    @contextmanager
    def _failing_alone(self, what: str) -> Iterator[None]:
        """One that cannot be read does not hide the others; the next sweep looks again."""
        try:
            yield
        except (TransientError, UserError, SQLAlchemyError) as error:
            log.warning("sweep.failed", what=what, error=str(error)[:300])

    async def _deliveries(self) -> None:
        """Asks GitHub to deliver again what did not arrive, once each."""
        now = self.loop.clock()
        since = self._looked_at - _OVERLAP if self._looked_at else now - REDELIVERABLE
        lost = to_redeliver(await self.github.deliveries(since), self._redelivered, now)
        for missed in lost[:_REDELIVERED_AT_ONCE]:
            self._redelivered.add(missed.guid)
            self._found("delivery", 0, missed.guid, webhook=missed.event, delivered_at=missed.delivered_at.isoformat())
            await self.github.redeliver(missed.id)
        if len(lost) <= _REDELIVERED_AT_ONCE:
            self._looked_at = now

    async def _whereabouts(self, installed: Installed) -> None:
        """Of every repository ever worked in: whether the App may still see it, or may again, and what became of it."""
        for known in await self.database.read(rows.all_repositories):
            for event in whereabouts(known, installed):
                what = event.what if isinstance(event, RepositoryChanged) else event.kind.removeprefix("repository_")
                self._found("repository", known.id, f"{what}:{known.version}", repository=known.full_name)
                await self.loop.submit(event)

    async def _labels(self, found: RepositoryRef, survey: Survey | None) -> tuple[str, ...]:
        """All that start work there; the app remembers what the repository's settings file says of it."""
        repository = await self.database.read(lambda c: rows.load_repository(c, found.id))
        known = repository.labels if repository else ()
        if survey is None:
            return (self.settings.label, *known)
        labels = start_labels(self.settings.label, survey.settings_text, known)
        if labels[1:] != known:
            await self.loop.submit(LabelsSeen(repository_id=found.id, repository=found, labels=labels[1:]))
        return labels

    async def _repository(self, found: RepositoryRef, client: RepositoryClient, survey: Survey | None) -> None:
        labels = await self._labels(found, survey)
        live = set(await self.database.read(lambda c: rows.live_issues(c, found.id)))
        listed = {issue.snapshot.number: issue for label in labels for issue in await client.labelled_issues(label)}
        known, now = self._known.get(found.id, {}), self.loop.clock()
        tasks = await self._tasks(found.id)
        for number, issue in listed.items():
            if not issue.is_pull_request and number not in live and known.get(number) != issue.updated_at:
                if number not in tasks:
                    self._found("label", found.id, str(number), repository=found.full_name)
                await self.loop.submit(
                    IssueLabelled(repository_id=found.id, repository=found, issue=number, label=self.settings.label, sender="")
                )
        for number in live:  # closed, edited or unlabelled while nobody told us?
            if number not in listed or known.get(number) != listed[number].updated_at:
                await self.loop.submit(
                    IssueTouched(repository_id=found.id, repository=found, issue=number, action="edited", label=self.settings.label)
                )
        self._known[found.id] = {n: i.updated_at for n, i in listed.items() if i.updated_at and now - i.updated_at > _SETTLED}

    async def _runs(self, found: RepositoryRef, client: RepositoryClient) -> None:
        """Of jobs that nothing was heard of: taken by a runner, or over? One look for all of them."""
        if self.settings.backend != "actions":
            return
        live = await self.database.read(rows.live_attempts)
        lease = timedelta(seconds=self.settings.lease_seconds)
        waiting = unheard((one for one in live if one.repository_id == found.id), lease, self.loop.clock())
        if not waiting:
            return
        for event in told_by_runs(waiting, await ActionsClient(client).runs(self.settings.workflow_file)):
            self._found("job", found.id, f"{event.kind}:{event.run_id}", repository=found.full_name, run=str(event.run_id))
            await self.loop.submit(event)

    async def _left_behind(self, found: RepositoryRef, survey: Survey) -> None:
        """What is open on GitHub and belongs to nobody: checks are concluded, branches and pull requests told of."""
        left = left_behind(survey, await self._tasks(found.id))
        for check in left.checks:
            self._found("check", found.id, str(check.id), repository=found.full_name, external_id=check.external_id)
            await self.loop.submit(
                CheckFoundOpen(
                    repository_id=found.id,
                    repository=found,
                    check=check.id,
                    name=check.name,
                    head_sha=check.head_sha,
                    external_id=check.external_id,
                )
            )
        for branch in left.branches:
            self._found("branch", found.id, branch.name, repository=found.full_name)
        for pull in left.pulls:
            self._found("pull_request", found.id, str(pull.number), repository=found.full_name, branch=pull.branch)

    async def _tasks(self, repository_id: int) -> Mapping[int, Task]:
        def read(connection: Connection) -> Mapping[int, Task]:
            repository = rows.load_repository(connection, repository_id)
            return rows.load_state(connection, repository).tasks if repository else {}

        return await self.database.read(read)

    def _found(self, kind: str, repository_id: int, what: str, **about: str) -> None:
        if (repository_id, kind, what) not in self._told:
            self._told.add((repository_id, kind, what))
            self.metrics.reconciled.labels(kind).inc()
            log.warning("reconciled", kind=kind, found=what, **about)
