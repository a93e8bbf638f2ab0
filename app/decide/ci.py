"""The repository's own CI after the pull request: waited for, told, and answered once when it is red."""

from datetime import timedelta

from app.actions import ReadChecks, SyncReport
from app.decide.draft import Draft
from app.decide.follow_up import can_follow_up, follow_up
from app.decide.state import Ci, Task
from app.events import ChecksRead, ChecksTouched, CiFailure
from shared.messages import FollowUp

# GitHub tells of every end; these are for messages that were lost. CI that has not begun by the second look never will.
_FIRST_LOOK = timedelta(seconds=90)
_NEXT_LOOK = timedelta(minutes=5)
_RED_SHOWN = 10


def watch_ci(draft: Draft) -> None:
    """Every open pull request of ours has a watch on its head, and a look at GitHub when nothing was heard for long."""
    now, wait = draft.context.now, draft.context.policy.ci_wait
    if draft.repository.gone:
        return
    for task in list(draft.tasks.values()):
        if not wait or not task.verified or task.pull_request_state != "open":
            continue
        if task.ci is None or task.ci.head_sha != task.head_sha:
            repairs = task.ci.repairs if task.ci else 0
            watch = Ci(head_sha=task.head_sha, since=now, look_at=now + _FIRST_LOOK, repairs=repairs)
            draft.change_task(task.issue, ci=watch, mergeable=None)
        elif task.ci.status == "waiting" and now - task.ci.since > wait:
            draft.change_task(task.issue, ci=task.ci.model_copy(update={"status": "unknown"}))
        elif task.ci.status == "waiting" and now >= task.ci.look_at:
            _look(draft, task, task.ci)


def checks_touched(draft: Draft, event: ChecksTouched) -> None:
    """Of a head that we watch: what it is now is asked. Our own check tells us nothing."""
    if f"{event.app_slug}[bot]" == draft.context.policy.app_login:
        return
    for task in list(draft.tasks.values()):
        if task.ci is not None and task.ci.head_sha == event.head_sha == task.head_sha and task.pull_request_state == "open":
            _look(draft, task, task.ci)


def look_after_base_moved(draft: Draft) -> None:
    """A new commit on the default branch may be in the way of what is open."""
    for task in list(draft.tasks.values()):
        if task.ci is not None and task.verified and task.pull_request_state == "open":
            _look(draft, task, task.ci)


def checks_read(draft: Draft, event: ChecksRead) -> None:
    """Kept and told; red on a commit of ours starts the one attempt to mend it."""
    task = draft.tasks.get(event.issue)
    if task is None or task.ci is None or task.ci.head_sha != event.head_sha:
        return
    # Nothing there at the first look may only be late.
    late = event.status == "none" and task.ci.status == "waiting" and draft.context.now - task.ci.since < 2 * _FIRST_LOOK
    status = "waiting" if late else event.status
    ci = task.ci.model_copy(update={"status": status, "failures": event.failures[:_RED_SHOWN]})
    draft.change_task(task.issue, ci=ci, mergeable=event.mergeable)
    draft.act(SyncReport(repository_id=task.repository_id, orchestration=task.orchestration))
    settings = draft.orchestrations[task.orchestration].settings
    if status == "red" and ci.repairs < settings.ci_repairs and _is_ours(task):
        draft.change_task(task.issue, ci=ci.model_copy(update={"repairs": ci.repairs + 1}))
        follow_up(draft, task.issue, FollowUp(source="ci", head_sha=task.head_sha, text=_told(event.failures)))


def _look(draft: Draft, task: Task, ci: Ci) -> None:
    draft.change_task(task.issue, ci=ci.model_copy(update={"look_at": draft.context.now + _NEXT_LOOK}))
    draft.act(ReadChecks(repository_id=task.repository_id, issue=task.issue, head_sha=task.head_sha))


def _is_ours(task: Task) -> bool:
    return can_follow_up(task) and task.verified and task.head_sha in task.heads and not task.shared_branch


def _told(failures: tuple[CiFailure, ...]) -> str:
    return "\n\n".join(f"{failure.name} failed. The end of its output:\n{failure.tail}" for failure in failures)
