"""Gathers the facts of a batch and plans it; what is wrong with the input becomes part of the plan."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import structlog

from app.decide.state import Task, TaskStatus
from app.events import PlanFailed, PlanReady, PlanRevised
from app.facts.analysis import analyse
from app.facts.damage import Damaged
from app.facts.repository import gather
from app.facts.settings_file import SettingsMistake
from app.facts.settings_file import parse as parse_settings
from app.github.client import NotFound
from app.github.repository import RepositoryClient
from app.limits import not_allowed
from app.planning.capacity import Machine
from app.planning.estimate import History
from app.planning.plan import make_plan, outside_blockers, with_touches
from app.settings import Settings
from app.store import measured, rows
from app.store.database import Database
from shared.errors import UserError
from shared.models import IssueSnapshot, Touch

log = structlog.get_logger()

_Made = TypeVar("_Made")
BlockerState = Literal["open", "closed", "pull_request", "unknown"]


@dataclass
class Planner:
    """One per app."""

    settings: Settings
    database: Database
    machine: Callable[[], Machine]

    async def make(self, client: RepositoryClient, repository_id: int, orchestration: str) -> PlanReady | PlanFailed:
        """The plan of an orchestration's intake, on the newest commit of the default branch; a damaged mirror is made anew."""
        return await _healing(client, partial(self._make, client, repository_id, orchestration))

    async def look_again(self, client: RepositoryClient, repository_id: int, orchestration: str) -> PlanRevised | None:
        """The same plan with what its waiting tasks will probably touch on the newest commit; None where nothing waits."""
        planned = await self.database.read(lambda c: rows.load_orchestration(c, orchestration))
        tasks = await self.database.read(lambda c: rows.tasks_of(c, orchestration))
        texts = [task.snapshot for task in tasks if task.status is TaskStatus.WAITING and task.snapshot is not None]
        if planned is None or planned.plan is None or not texts:
            return None
        sha, touches = await _healing(client, partial(self._touches, client, texts))
        plan = await asyncio.to_thread(with_touches, planned.plan, touches, self.machine())
        log.info("plan.revised", orchestration=orchestration, base=sha)
        return PlanRevised(repository_id=repository_id, orchestration=orchestration, base_sha=sha, plan=plan)

    async def _touches(
        self, client: RepositoryClient, texts: list[IssueSnapshot], *, afresh: bool
    ) -> tuple[str, Mapping[int, tuple[Touch, ...]]]:
        facts = await gather(client, self.settings.work_dir, afresh=afresh)
        analysis = await asyncio.to_thread(analyse, facts.listing, texts, self.settings.work_dir / "planning")
        return facts.base_sha, analysis.touches

    async def _make(
        self, client: RepositoryClient, repository_id: int, orchestration: str, *, afresh: bool
    ) -> PlanReady | PlanFailed:
        begun = time.monotonic()
        repository = await self.database.read(lambda c: rows.load_repository(c, repository_id))
        tasks = await self.database.read(lambda c: rows.tasks_of(c, orchestration))
        batch = [task.snapshot for task in tasks if task.status is TaskStatus.INTAKE and task.snapshot is not None]
        facts, (issues, foreign) = await asyncio.gather(
            gather(client, self.settings.work_dir, afresh=afresh), self._with_blockers(client, batch)
        )
        try:
            settings = parse_settings(facts.settings_text or "", partial(not_allowed, self.settings))
        except SettingsMistake as mistake:
            return PlanFailed(
                repository_id=repository_id,
                orchestration=orchestration,
                base_sha=facts.base_sha,
                reason=mistake.message,
                line=mistake.line,
            )
        name = repository.full_name if repository else ""
        elsewhere = await self._live_elsewhere(repository_id, outside_blockers(issues, repository=name))
        blockers = dict(await self._states(client, issues, name, elsewhere))
        gathered = time.monotonic()
        past = await self.database.read(lambda c: measured.latest(c, repository_id))
        analysis = await asyncio.to_thread(analyse, facts.listing, issues, self.settings.work_dir / "planning")
        plan = await asyncio.to_thread(
            make_plan,
            issues,
            facts.listing.tree,
            slots=self.settings.slots,
            blockers=blockers,
            elsewhere=foreign,
            repository=name,
            history=History(past, self.settings.task_memory_mib),
            touches=analysis.touches,
            machine=self.machine(),
            on_conflict=settings.on_conflict,
        )
        log.info(
            "planning.analysed",
            hits=analysis.hits,
            misses=analysis.misses,
            ms=round(analysis.milliseconds),
            saved_ms=round(analysis.saved_milliseconds),
        )
        log.info("plan.made", orchestration=orchestration, tasks=len(plan.tasks), problems=len(plan.problems))
        return PlanReady(
            repository_id=repository_id,
            orchestration=orchestration,
            base_sha=facts.base_sha,
            default_branch=facts.default_branch,
            clone_url=facts.clone_url,
            plan=plan,
            settings=settings,
            outside=_outside(issues, elsewhere, name),
            gather_seconds=gathered - begun,
            plan_seconds=time.monotonic() - gathered,
        )

    async def _with_blockers(
        self, client: RepositoryClient, batch: list[IssueSnapshot]
    ) -> tuple[list[IssueSnapshot], dict[int, tuple[str, ...]]]:
        """The snapshots with the blockers that GitHub itself knows (blocked-by links, and sub-issues of a parent), and each issue's
        open ones in other repositories."""

        async def one(issue: IssueSnapshot) -> tuple[IssueSnapshot, tuple[str, ...]]:
            links = await client.links(issue.number)
            own = {link.number for link in links if link.repository_full_name in {"", client.full_name}}
            others = {link for link in links if link.repository_full_name not in {"", client.full_name} and link.state == "open"}
            names = tuple(sorted(f"{link.repository_full_name}#{link.number}" for link in others))
            return issue.model_copy(update={"blocked_by": tuple(sorted(own - {issue.number}))}), names

        found = await asyncio.gather(*map(one, batch))
        return [issue for issue, _ in found], {issue.number: names for issue, names in found if names}

    async def _live_elsewhere(self, repository_id: int, numbers: tuple[int, ...]) -> frozenset[int]:
        """Blockers that are being worked on in another orchestration: waited for, not refused."""
        found = await self.database.read(lambda c: [rows.task_of(c, repository_id, number) for number in numbers])
        return frozenset(task.issue for task in found if task is not None and _will_be_there(task))

    async def _states(
        self, client: RepositoryClient, issues: list[IssueSnapshot], name: str, elsewhere: frozenset[int]
    ) -> list[tuple[int, BlockerState]]:
        async def one(number: int) -> tuple[int, BlockerState]:
            if number in elsewhere:
                return number, "closed"
            try:
                issue = await client.issue(number)
            except NotFound:
                return number, "unknown"
            if issue.is_pull_request:
                return number, "pull_request"
            return number, "open" if issue.state == "open" else "closed"

        return list(await asyncio.gather(*map(one, outside_blockers(issues, repository=name))))


async def _healing(client: RepositoryClient, work: Callable[..., Awaitable[_Made]]) -> _Made:
    """`work(afresh=...)`; where the mirror turns out to be damaged once more, with a new one."""
    try:
        return await work(afresh=False)
    except Damaged as damage:
        log.warning("mirror.damaged", repository=client.full_name, said=damage.said)
    try:
        return await work(afresh=True)
    except Damaged as damage:
        words = f"{client.full_name} cannot be read even when it is cloned anew, git says “{damage.said}”"
        raise UserError(f"{words}: run `git fsck` in a clone, and push what is lost") from damage


def _will_be_there(task: Task) -> bool:
    return task.open or (task.verified and not task.merged)


def _outside(issues: list[IssueSnapshot], elsewhere: frozenset[int], name: str) -> dict[int, tuple[int, ...]]:
    """Which issue of the batch waits for which of those."""
    waits = {issue.number: tuple(n for n in outside_blockers([issue], repository=name) if n in elsewhere) for issue in issues}
    return {number: blockers for number, blockers in waits.items() if blockers}
