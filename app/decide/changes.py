"""What became different from the plan while it is carried out, in one line each: the difference of two states, never a guess."""

from app.decide.draft import Draft
from app.decide.state import Orchestration, OrchestrationStatus, PlanChange, Task, TaskStatus
from shared.models import VerdictName

_MOST = 100
_RUNS = {OrchestrationStatus.PROPOSED, OrchestrationStatus.RUNNING}


def note_changes(draft: Draft) -> None:
    """For every planned orchestration; the event that plans it is no change of its plan."""
    for orchestration in list(draft.orchestrations.values()):
        before = draft.before.orchestrations.get(orchestration.id)
        if before is None or before.status not in _RUNS or before.plan is None:
            continue
        lines = [line for issue, task in sorted(draft.tasks.items()) for line in _lines(draft, orchestration, issue, task)]
        if before.status is OrchestrationStatus.PROPOSED and orchestration.status is OrchestrationStatus.RUNNING:
            lines.insert(0, "the plan was started")
        if lines:
            noted = tuple(PlanChange(at=draft.context.now, what=line) for line in lines)
            draft.change_orchestration(orchestration.id, changes=(*orchestration.changes, *noted)[-_MOST:])


def _lines(draft: Draft, orchestration: Orchestration, issue: int, task: Task) -> list[str]:
    before = draft.before.tasks.get(issue)
    if before is None or before is task or before.orchestration != orchestration.id:
        return []
    if task.orchestration != orchestration.id:
        return [f"#{issue} is planned anew in another orchestration"]
    found = _order(before, task)
    started_late = before.status is TaskStatus.WAITING and task.status is TaskStatus.RUNNING and not before.stacked_on
    if started_late and task.stacked_on:
        found.append(f"#{issue} starts from the branch of {_names(task.stacked_on)}, which is verified and not merged yet")
    elif started_late and task.base_sha not in {"", orchestration.base_sha, orchestration.start_sha} and task.follow_up is None:
        found.append(f"#{issue} starts from the default branch as it is now: what it waited for was merged")
    if before.verdict is None and task.verdict is not None and before.status is not TaskStatus.DONE:
        found += _end(before, task)
    return found


def _order(before: Task, task: Task) -> list[str]:
    gained, lost = sorted(set(task.after) - set(before.after)), sorted(set(before.after) - set(task.after))
    planned = before.status in {TaskStatus.WAITING, TaskStatus.RUNNING} and task.status in {TaskStatus.WAITING, TaskStatus.RUNNING}
    lines = [f"#{task.issue} now also waits for {_names(gained)}: it was marked as blocked by it"] if planned and gained else []
    return lines + ([f"#{task.issue} no longer waits for {_names(lost)}: the mark was taken off"] if planned and lost else [])


def _end(before: Task, task: Task) -> list[str]:
    """A success is what the plan foresaw."""
    if task.verdict is None or task.verdict.name is VerdictName.SUCCEEDED:
        return []
    if task.verdict.name is VerdictName.HELD:
        return [f"#{task.issue} is done and waits to be published"]
    how = "never started" if before.status is TaskStatus.WAITING else f"ended as {task.verdict.name.replace('_', ' ')}"
    return [f"#{task.issue} {how}: {task.verdict.reason}"]


def _names(issues: tuple[int, ...] | list[int]) -> str:
    return ", ".join(f"#{issue}" for issue in issues)
