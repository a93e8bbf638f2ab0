"""More work on a branch that is published: the next attempt starts from the branch as it is, and adds to it."""

from app.decide.draft import Draft
from app.decide.state import AFRESH, OrchestrationStatus, Task, TaskStatus
from shared.messages import FOLLOW_UP_LIMIT, FollowUp


def can_follow_up(task: Task) -> bool:
    """There is an open pull request and nobody of ours is at work on it."""
    return not task.open and task.verdict is not None and task.pull_request_state == "open" and task.head_sha != ""


def follow_up(draft: Draft, issue: int, wanted: FollowUp) -> None:
    """Puts the task back among the waiting ones of its orchestration; its verdict stands until more is published."""
    task = draft.tasks[issue]
    changes = {
        **AFRESH,
        "status": TaskStatus.WAITING,
        "follow_up": wanted.model_copy(update={"text": wanted.text[:FOLLOW_UP_LIMIT]}),
        "standing": task.verdict,
        "shared_branch": task.shared_branch or wanted.head_sha not in task.heads,
    }
    draft.change_task(issue, verdict=None, ended_at=None, base_sha="", merge_shas=(), note="", **changes)
    if draft.orchestrations[task.orchestration].status is OrchestrationStatus.DONE:
        draft.change_orchestration(task.orchestration, status=OrchestrationStatus.RUNNING, ended_at=None)
