"""Blocked work that may go on because what it waited for is there."""

from app.decide.draft import Draft
from app.decide.intake import join
from app.decide.state import Task, TaskStatus
from shared.models import VerdictName


def unblock(draft: Draft, issue: int) -> None:
    """Puts tasks that were blocked by `issue` into a new intake once nothing else holds them."""
    for task in list(draft.tasks.values()):
        blocked = task.status is TaskStatus.DONE and task.verdict is not None and task.verdict.name is VerdictName.BLOCKED
        if blocked and issue in task.after and not _other_blockers(draft, task, issue):
            draft.change_task(task.issue, verdict=None, ended_at=None, after=())
            join(draft, task.issue)


def _other_blockers(draft: Draft, task: Task, issue: int) -> list[int]:
    """Of the others only those count that we know to be unfinished; the plan looks at every one anew."""
    others = [draft.tasks.get(other) for other in task.after if other != issue]
    return [other.issue for other in others if other is not None and not other.verified and not other.merged]
