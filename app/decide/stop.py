"""How work on a task is ended before its time."""

from app.actions import ReadIssue, StopAttempt
from app.decide.draft import Draft
from app.decide.state import AttemptStatus, TaskStatus
from app.events import RepositoryChanged, WorkStopped
from shared.models import Verdict, VerdictName

# After these a newer label may already wait for its turn.
REREAD = (VerdictName.CANCELLED, VerdictName.EDITED_AFTER_APPROVAL)


def stop_task(draft: Draft, issue: int, name: VerdictName, reason: str) -> None:
    """Ends a task that has no attempt at once; else tells the attempt to stop, and the task ends when it has."""
    task = draft.tasks[issue]
    verdict = Verdict(name=name, reason=reason)
    attempt = draft.attempts.get(task.attempt)
    if attempt is None or task.status not in {TaskStatus.RUNNING, TaskStatus.SETTLING}:
        draft.conclude(issue, verdict)
        return
    if attempt.status in {AttemptStatus.STARTING, AttemptStatus.CLAIMED, AttemptStatus.LOST} and attempt.stop is None:
        draft.change_attempt(attempt.id, stop=verdict)
        draft.act(StopAttempt(repository_id=task.repository_id, attempt=attempt.id, place=attempt.host))


def work_stopped(draft: Draft, event: WorkStopped) -> None:
    """Every task that is not over, or that waits to be published."""
    _stop_all(draft, event.reason)


def _stop_all(draft: Draft, reason: str) -> None:
    for issue in [issue for issue, task in draft.tasks.items() if task.open]:
        stop_task(draft, issue, VerdictName.CANCELLED, reason)


def repository_changed(draft: Draft, event: RepositoryChanged) -> None:
    """Nothing can be written to an archived one; on a public one strangers write, which is for the operator to allow."""
    if event.what == "publicized" and draft.context.policy.allow_public:
        return
    reason = {
        "archived": "the repository was archived; unarchive it, then label the issue again",
        "publicized": "the repository was made public, and the operator has not allowed work on public ones "
        "(`SHOAL_ALLOW_PUBLIC_REPOSITORIES`)",
    }[event.what]
    _stop_all(draft, reason)


def reread(draft: Draft, issue: int, name: VerdictName) -> None:
    """Looks at the issue again after a stop, so that a label put on meanwhile is not lost."""
    if name in REREAD:
        draft.act(ReadIssue(repository_id=draft.repository.id, issue=issue))
