"""What lost messages left behind: which deliveries are asked for again, what belongs to no task, which checks must be concluded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.actions import ConcludeCheck
from app.decide.draft import Draft
from app.decide.state import Attempt, AttemptStatus, Repository, Task
from app.events import CheckFoundOpen, JobEnded, JobTaken, RepositoryBack, RepositoryChanged, RepositoryGone, RepositoryRef
from app.found import BranchFound, CheckFound, DeliverySeen, Installed, PullFound, RunNow, Survey

# GitHub delivers again what is not older than three days; an hour is kept for its clock and ours.
REDELIVERABLE = timedelta(days=3) - timedelta(hours=1)

_Change = Literal["renamed", "archived", "unarchived", "publicized", "privatized"]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Nothing of this is deleted: a branch may be the only place where work is."""

    branches: tuple[BranchFound, ...] = ()
    pulls: tuple[PullFound, ...] = ()
    checks: tuple[CheckFound, ...] = ()


def to_redeliver(seen: Iterable[DeliverySeen], tried: Iterable[str], now: datetime) -> tuple[DeliverySeen, ...]:
    """The deliveries of which no attempt arrived, each asked for once, oldest first: GitHub's own log remembers that for us."""
    by_guid: dict[str, list[DeliverySeen]] = {}
    for attempt in seen:
        by_guid.setdefault(attempt.guid, []).append(attempt)
    failed = [
        min(attempts, key=lambda one: one.id)
        for guid, attempts in by_guid.items()
        if guid not in set(tried) and not any(one.arrived or one.redelivery for one in attempts)
    ]
    return tuple(sorted((one for one in failed if now - one.delivered_at < REDELIVERABLE), key=lambda one: one.id))


def whereabouts(known: Repository, installed: Installed) -> tuple[RepositoryGone | RepositoryBack | RepositoryChanged, ...]:
    """What messages should have told of a repository that we know; an installation that could not be read says nothing."""
    found = next((one for one in (*installed.repositories, *installed.archived) if one.id == known.id), None)
    if found is not None:
        back = (RepositoryBack(repository_id=known.id, repository=found),) if known.gone else ()
        changes = _changes(known, found, is_archived=found in installed.archived)
        return (*back, *(RepositoryChanged(repository_id=known.id, repository=found, what=what) for what in changes))
    if known.gone or known.installation_id in installed.unread:
        return ()
    ref = RepositoryRef(id=known.id, full_name=known.full_name, installation_id=known.installation_id)
    if known.installation_id not in installed.installations:
        return (RepositoryGone(repository_id=known.id, repository=ref, why="uninstalled"),)
    why: Literal["suspended", "removed"] = "suspended" if known.installation_id in installed.suspended else "removed"
    return (RepositoryGone(repository_id=known.id, repository=ref, why=why),)


def _changes(known: Repository, found: RepositoryRef, *, is_archived: bool) -> Iterator[_Change]:
    if (found.full_name, found.installation_id) != (known.full_name, known.installation_id):
        yield "renamed"
    if is_archived is not (known.archived_since is not None):
        yield "archived" if is_archived else "unarchived"
    if found.private is known.public:
        yield "privatized" if found.private else "publicized"


def unheard(attempts: Iterable[Attempt], lease: timedelta, now: datetime) -> tuple[Attempt, ...]:
    """Whose run should be looked at: nobody has claimed it, or half its lease has passed without a word."""
    waiting = (one for one in attempts if one.pid is not None and not one.gone)
    return tuple(
        one
        for one in waiting
        if one.status is AttemptStatus.STARTING or (one.status is AttemptStatus.CLAIMED and one.lease_until < now + lease / 2)
    )


def told_by_runs(attempts: Iterable[Attempt], runs: Iterable[RunNow]) -> Iterator[JobEnded | JobTaken]:
    """What a webhook of the job should have told."""
    known = {run.id: run for run in runs}
    for attempt in attempts:
        run = known.get(attempt.pid or 0)
        if run is None:
            continue
        about = {"repository_id": attempt.repository_id, "run_id": run.id}
        if run.status == "completed":
            yield JobEnded(**about, conclusion=run.conclusion or "unknown")
        elif run.status == "in_progress" and attempt.taken_at is None and attempt.status is AttemptStatus.STARTING:
            yield JobTaken(**about)


def left_behind(survey: Survey, tasks: Mapping[int, Task]) -> LeftBehind:
    """Branches and pull requests of ours that no task answers for, and checks that wait for nobody."""
    ours = {task.branch: task for task in tasks.values() if task.branch}
    return LeftBehind(
        branches=tuple(one for one in survey.branches if not one.has_pull and not _works_on(ours.get(one.name))),
        pulls=tuple(one for one in survey.pulls if one.branch not in ours),
        checks=tuple(one for one in survey.checks if not _is_awaited(one.external_id, tasks)),
    )


def check_found_open(draft: Draft, event: CheckFoundOpen) -> None:
    """Looked at again with what is known by now: work may have been taken up since it was read."""
    if not _is_awaited(event.external_id, draft.tasks):
        draft.act(ConcludeCheck(**event.model_dump(exclude={"kind", "repository"})))


def _works_on(task: Task | None) -> bool:
    return task is not None and task.live


def _is_awaited(external_id: str, tasks: Mapping[int, Task]) -> bool:
    """`orchestration:issue`: open for as long as that task is at work."""
    orchestration, _, issue = external_id.partition(":")
    task = tasks.get(int(issue)) if issue.isdecimal() else None
    return task is not None and task.orchestration == orchestration and task.live
