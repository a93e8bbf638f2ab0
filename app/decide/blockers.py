"""Blockers that arrive or go after the plan was made: what waits follows them, what runs is left alone."""

from app.actions import ReadBlockers
from app.decide.draft import Draft
from app.decide.state import OrchestrationStatus, PlanChange, Task, TaskStatus
from app.events import BlockersRead, BlockersTouched
from app.planning.dependencies import NATIVE_EVIDENCE
from app.planning.graph import circle_text, cycles
from shared.models import VerdictName


def blockers_touched(draft: Draft, event: BlockersTouched) -> None:
    """A hint; what blocks the issue now is read from GitHub, by the planner where that is still to plan it."""
    task = draft.tasks.get(event.issue)
    if task is not None and task.status is TaskStatus.INTAKE:
        outdate(draft, task.orchestration)
    elif task is not None and task.live and task.branch:
        draft.act(ReadBlockers(repository_id=event.repository_id, issue=event.issue))


def outdate(draft: Draft, orchestration: str) -> None:
    """The planner may have looked before: its answer is not taken, and it is asked again."""
    known = draft.orchestrations.get(orchestration)
    if known is not None and known.status is OrchestrationStatus.PLANNING:
        draft.change_orchestration(orchestration, outdated=True)


def blockers_read(draft: Draft, event: BlockersRead) -> None:
    """Tasks of ours are waited for; anything else that is open blocks, as it would have at planning."""
    task = draft.tasks.get(event.issue)
    if task is None or not task.live or not task.branch or task.status is TaskStatus.INTAKE:
        return
    ours = {issue for issue in event.open if _will_be_there(draft.tasks.get(issue))} - {task.issue}
    others = sorted(set(event.open) - ours - {task.issue})
    if task.status is not TaskStatus.WAITING:
        _leave_alone(draft, task, sorted(ours - set(task.after)) + others)
        return
    if others or event.elsewhere:
        names = ", ".join([*(f"#{issue}" for issue in others), *event.elsewhere])
        draft.change_task(task.issue, after=tuple(others))
        draft.conclude_as(task.issue, VerdictName.BLOCKED, f"it was marked as blocked by {names}, which is open and not planned")
        return
    kept = set(task.after) - _native(draft, task) - set(task.late_after)
    draft.change_task(task.issue, after=tuple(sorted(kept | ours)), late_after=tuple(sorted(ours - _native(draft, task))))
    _refuse_circle(draft, task.issue)


def _will_be_there(other: Task | None) -> bool:
    return other is not None and (other.open or (other.verified and not other.merged))


def _native(draft: Draft, task: Task) -> set[int]:
    """What the plan knew from the same marks."""
    orchestration = draft.orchestrations.get(task.orchestration)
    edges = orchestration.plan.edges if orchestration and orchestration.plan else ()
    return {edge.before for edge in edges if edge.after == task.issue and edge.before and edge.evidence == NATIVE_EVIDENCE}


def _leave_alone(draft: Draft, task: Task, late: list[int]) -> None:
    orchestration = draft.orchestrations.get(task.orchestration)
    if late and orchestration is not None:
        names = ", ".join(f"#{issue}" for issue in late)
        what = f"#{task.issue} was marked as blocked by {names} while it is worked on: it is left alone"
        if what not in {change.what for change in orchestration.changes}:
            change = PlanChange(at=draft.context.now, what=what)
            draft.change_orchestration(orchestration.id, changes=(*orchestration.changes, change))


def _refuse_circle(draft: Draft, issue: int) -> None:
    """The newest mark closed it; the others go on."""
    after = {task.issue: task.after for task in draft.tasks.values() if task.live}
    circle = next((found for found in cycles(after) if issue in found), None)
    if circle is not None:
        draft.conclude_as(issue, VerdictName.NOT_PLANNED, f"#{issue} is in {circle_text(circle)}; remove one of these dependencies")
