"""How work on a task is ended before its time."""

from app.actions import ReadIssue, StopAttempt, SyncReport
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


ARCHIVED = "the repository was archived; unarchive it, then label the issue again"
PUBLIC = "the repository was made public, and the operator has not allowed work on public ones (`SHOAL_ALLOW_PUBLIC_REPOSITORIES`)"


def repository_changed(draft: Draft, event: RepositoryChanged) -> None:
    """Nothing can be written to an archived one; on a public one strangers write, which is for the operator to allow."""
    match event.what:
        case "archived":
            _note(draft, archived_since=draft.repository.archived_since or draft.context.now)
            _stop_all(draft, ARCHIVED)
        case "unarchived":
            _tell_what_could_not_be_told(draft)
            _note(draft, archived_since=None)
        case "publicized":
            _note(draft, public=True)
            if not draft.context.policy.allow_public:
                _stop_all(draft, PUBLIC)
        case "privatized":
            _note(draft, public=False)
        case "renamed":
            _follow(draft, event.repository.full_name)


def _note(draft: Draft, **changes: object) -> None:
    draft.repository = draft.repository.model_copy(update=changes)


def _tell_what_could_not_be_told(draft: Draft) -> None:
    since = draft.repository.archived_since
    for orchestration in draft.orchestrations.values():
        if since is not None and (orchestration.ended_at is None or orchestration.ended_at >= since):
            draft.act(SyncReport(repository_id=draft.repository.id, orchestration=orchestration.id))


def _follow(draft: Draft, full_name: str) -> None:
    """The old name leads there only until somebody else takes it."""
    for orchestration in list(draft.orchestrations.values()):
        if orchestration.ended_at is None and orchestration.clone_url:
            url = f"{orchestration.clone_url.rsplit('/', 2)[0]}/{full_name}.git"
            draft.change_orchestration(orchestration.id, clone_url=url)


def reread(draft: Draft, issue: int, name: VerdictName) -> None:
    """Looks at the issue again after a stop, so that a label put on meanwhile is not lost."""
    if name in REREAD:
        draft.act(ReadIssue(repository_id=draft.repository.id, issue=issue))
