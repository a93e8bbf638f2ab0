"""A default branch that moves under a live plan: what will start from the new commit is looked at again, the rest stays as planned.

Why a plan stays on its commit at all: docs/adrs/0011-a-plan-stays-on-its-commit.md.
"""

from collections.abc import Iterator, Mapping

from app.actions import LookAgain
from app.decide.draft import Draft
from app.decide.start import base_of, planned_base
from app.decide.state import Orchestration, OrchestrationStatus, PlanChange, Task, TaskStatus
from app.events import BaseMoved, PlanRevised
from app.planning.conflicts import counting_conflicts
from shared.models import Touch

_LIVE = {OrchestrationStatus.PROPOSED, OrchestrationStatus.RUNNING}
_WORTH_A_WORD = 0.3  # a file this probable is named when it comes or goes
_MOST_FILES, _MOST_NEWS = 3, 6


def follow_base(draft: Draft, event: BaseMoved) -> None:
    """Remembers the newest commit, and says of what still waits that it stays on the planned one."""
    for orchestration in list(draft.orchestrations.values()):
        if orchestration.status not in _LIVE or event.ref != f"refs/heads/{orchestration.default_branch}":
            continue
        before = orchestration.latest_sha
        moved = draft.change_orchestration(orchestration.id, latest_sha=event.sha)
        staying = sorted({task.issue for task in _waiting(draft, moved)} - set(_from_newest(draft, moved)))
        if staying and before != event.sha:
            stays = f"{_names(staying)} {'stays' if len(staying) == 1 else 'stay'} on {planned_base(moved)[:8]}, as planned"
            _note(draft, moved, f"{_moved(before, event.sha)}: {stays}; open pull requests are checked against the new commit")


def look_again(draft: Draft) -> None:
    """Once per commit, and only where something will start from it."""
    for orchestration in list(draft.orchestrations.values()):
        seen = orchestration.looked_at_sha or orchestration.base_sha
        if orchestration.status in _LIVE and orchestration.latest_sha != seen and _from_newest(draft, orchestration):
            draft.change_orchestration(orchestration.id, looked_at_sha=orchestration.latest_sha)
            draft.act(LookAgain(repository_id=draft.repository.id, orchestration=orchestration.id))


def plan_revised(draft: Draft, event: PlanRevised) -> None:
    """The answer: touches and conflicts of what waits follow it, attempts that run are left alone, the difference is told."""
    orchestration = draft.orchestrations.get(event.orchestration)
    if orchestration is None or orchestration.status not in _LIVE:
        return
    known = {task.issue: task.touches for task in event.plan.tasks}
    again = {issue: known[issue] for issue in _from_newest(draft, orchestration) if issue in known}
    if not again or event.base_sha == orchestration.start_sha:
        return
    news = _merged(draft, again)
    told = "; ".join(news[:_MOST_NEWS]) or f"nothing changed for {_names(sorted(again))}"
    told += f"; and {len(news) - _MOST_NEWS} more" if len(news) > _MOST_NEWS else ""
    moved = _moved(planned_base(orchestration), event.base_sha)
    _note(draft, orchestration, f"{moved}, where {_names(sorted(again))} will start: {told}")
    if orchestration.status is OrchestrationStatus.PROPOSED:  # what a person starts is what stands there
        draft.change_orchestration(orchestration.id, plan=event.plan, start_sha=event.base_sha)


def _waiting(draft: Draft, orchestration: Orchestration) -> list[Task]:
    """A task that was tried keeps the commit of its first attempt."""
    ours = (task for task in draft.tasks.values() if task.orchestration == orchestration.id)
    return [task for task in ours if task.status is TaskStatus.WAITING and not task.base_sha and task.follow_up is None]


def _from_newest(draft: Draft, orchestration: Orchestration) -> list[int]:
    """Of a plan that waits for a person everything; else what waited for work that is merged by now."""
    waiting = _waiting(draft, orchestration)
    if orchestration.status is OrchestrationStatus.PROPOSED:
        return [task.issue for task in waiting]
    if orchestration.latest_sha == planned_base(orchestration):
        return []
    return [task.issue for task in waiting if base_of(draft, task).sha == orchestration.latest_sha]


def _merged(draft: Draft, again: Mapping[int, tuple[Touch, ...]]) -> list[str]:
    """Puts the new touches in, works the conflicts out again, and says what that changed."""
    at_work = (task for task in draft.tasks.values() if task.branch and task.in_the_way)
    conflicts = counting_conflicts({**{task.issue: task.touches for task in at_work}, **again})
    news: list[str] = []
    pairs: dict[tuple[int, int], bool] = {}
    for issue in sorted(again):
        task = draft.tasks[issue]
        news += _files(issue, task.touches, again[issue])
        before = set(task.conflicts)
        now = conflicts[issue] | {other for other in before if other not in conflicts}
        draft.change_task(issue, touches=again[issue], conflicts=tuple(sorted(now)))
        for other in before ^ now:
            pairs[min(issue, other), max(issue, other)] = other in now
        for other in before - now:
            _forget_conflict(draft, other, issue)
    return news + [f"#{one} and #{two} {'now' if come else 'no longer'} conflict" for (one, two), come in sorted(pairs.items())]


def _forget_conflict(draft: Draft, issue: int, other: int) -> None:
    """The pair is one, whichever of the two knows of it."""
    task = draft.tasks.get(issue)
    if task is not None and task.live and other in task.conflicts:
        draft.change_task(issue, conflicts=tuple(one for one in task.conflicts if one != other))


def _files(issue: int, before: tuple[Touch, ...], now: tuple[Touch, ...]) -> Iterator[str]:
    old, new = _probable(before), _probable(now)
    for paths, how in ((new - old, "now may also change"), (old - new, "is no longer expected to change")):
        if paths:
            more = f" and {len(paths) - _MOST_FILES} more" if len(paths) > _MOST_FILES else ""
            yield f"#{issue} {how} {', '.join(sorted(paths)[:_MOST_FILES])}{more}"


def _probable(touches: tuple[Touch, ...]) -> set[str]:
    return {touch.path for touch in touches if touch.probability >= _WORTH_A_WORD}


def _note(draft: Draft, orchestration: Orchestration, what: str) -> None:
    known = draft.orchestrations[orchestration.id].changes
    draft.change_orchestration(orchestration.id, changes=(*known, PlanChange(at=draft.context.now, what=what)))


def _moved(before: str, now: str) -> str:
    return f"the default branch moved from {before[:8]} to {now[:8]}"


def _names(issues: list[int]) -> str:
    return ", ".join(f"#{issue}" for issue in issues)
