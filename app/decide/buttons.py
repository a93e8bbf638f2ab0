"""Buttons on check runs, and GitHub's Re-run: who pressed is checked, and every press is answered."""

from app.actions import CheckPresser, SyncReport
from app.decide.approval import WRITERS
from app.decide.draft import Draft
from app.decide.hold import publish
from app.decide.intake import join
from app.decide.state import AFRESH, OrchestrationStatus, Task
from app.decide.stop import stop_task
from app.events import ButtonPressed, PresserKnown
from shared.models import VerdictName

# A new attempt could come out differently; the others need a person first.
RETRYABLE = {
    VerdictName.NO_CHANGE,
    VerdictName.TESTS_FAILED,
    VerdictName.SETUP_FAILED,
    VerdictName.AGENT_FAILED,
    VerdictName.LIMIT_REACHED,
    VerdictName.PROVIDER_LIMIT,
    VerdictName.PUBLISH_FAILED,
    VerdictName.CANCELLED,
    VerdictName.LOST,
    VerdictName.INTERNAL_ERROR,
    VerdictName.UNSAFE_DIFF,
}


def button_pressed(draft: Draft, event: ButtonPressed) -> None:
    """Payloads do not say what the presser may do: GitHub is asked."""
    external_id = event.external_id or _by_commit(draft, event.head_sha)
    if external_id:
        presser = {"identifier": event.identifier, "sender": event.sender}
        draft.act(CheckPresser(repository_id=event.repository_id, external_id=external_id, **presser))


def _by_commit(draft: Draft, head_sha: str) -> str:
    """Re-run of a whole suite names only the commit that our checks stand on."""
    task = next((t for t in draft.tasks.values() if head_sha and t.head_sha == head_sha), None)
    whole = next((o for o in draft.orchestrations.values() if head_sha and o.base_sha == head_sha), None)
    return f"{task.orchestration}:{task.issue}" if task else whole.id if whole else ""


def presser_known(draft: Draft, event: PresserKnown) -> None:
    """Does what was pressed, for people who may; `external_id` is `<orchestration>` or `<orchestration>:<issue>`."""
    orchestration, _, issue = event.external_id.partition(":")
    if orchestration not in draft.orchestrations:
        return
    draft.act(SyncReport(repository_id=event.repository_id, orchestration=orchestration, again=True))
    if event.permission not in WRITERS:
        return
    if event.identifier == "start":
        start_plan(draft, orchestration)
    tasks = [t for t in draft.tasks.values() if t.orchestration == orchestration]
    only = int(issue.split(":")[0]) if issue[:1].isdigit() and event.identifier in {"rerun", "publish"} else None
    for task in tasks:
        if event.identifier == "cancel":
            cancel(draft, task, event.sender)
        elif event.identifier == "publish" and only in {None, task.issue}:
            publish(draft, task, event.sender)
        elif event.identifier in {"retry", "rerun"} and only in {None, task.issue}:
            retry(draft, task, event.sender)


def start_plan(draft: Draft, orchestration: str) -> bool:
    """From now on a proposed plan runs; False when it does so already."""
    if draft.orchestrations[orchestration].status is not OrchestrationStatus.PROPOSED:
        return False
    draft.change_orchestration(orchestration, status=OrchestrationStatus.RUNNING, planned_at=draft.context.now)
    if draft.orchestrations[orchestration].needs_start:
        for task in [task for task in draft.tasks.values() if task.orchestration == orchestration and task.live]:
            draft.change_task(task.issue, note="")  # what was asked for is done
    return True


def cancel(draft: Draft, task: Task, who: str) -> bool:
    """Stops the work on a task; False when there is none."""
    if task.open:
        stop_task(draft, task.issue, VerdictName.CANCELLED, f"cancelled by {who}")
    return task.open


def retry(draft: Draft, task: Task, who: str) -> bool:
    """Puts a task that ended without success into the next intake; False when that could change nothing."""
    if not _retryable(task):
        return False
    draft.change_task(task.issue, verdict=None, ended_at=None, started_at=None, note=f"retried by {who}", **AFRESH)
    join(draft, task.issue)
    return True


def _retryable(task: Task) -> bool:
    ended = task.verdict is not None and not task.live and task.verdict.name in RETRYABLE
    # From the base it would write over a person's commits.
    return ended and task.pull_request_state not in {"merged", "closed"} and not task.shared_branch
