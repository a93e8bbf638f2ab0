"""What people do to our pull requests and to the default branch."""

from app.actions import SyncReport
from app.decide.ci import look_after_base_moved
from app.decide.draft import Draft
from app.decide.new_base import follow_base
from app.decide.stop import stop_task
from app.decide.unblock import unblock
from app.events import BaseMoved, PullRequestChanged
from shared.models import VerdictName


def pull_request_changed(draft: Draft, event: PullRequestChanged) -> None:
    """Follows the state and the head of our own pull requests."""
    task = next((t for t in draft.tasks.values() if t.branch and t.branch == event.head_ref), None)
    if task is None or (task.pull_request is not None and task.pull_request != event.number):
        return
    state = "merged" if event.merged else event.state
    if task.pull_request is None:
        return  # not read back yet: the attempt that opened it says so itself
    draft.change_task(task.issue, pull_request_state=state, head_sha=event.head_sha or task.head_sha)
    if state == "merged":
        unblock(draft, task.issue)
    if state != "open" and task.open:
        stop_task(draft, task.issue, VerdictName.CANCELLED, f"pull request #{event.number} was {state} while work went on")
    draft.act(SyncReport(repository_id=event.repository_id, orchestration=task.orchestration))


def base_moved(draft: Draft, event: BaseMoved) -> None:
    """Plans learn of it, and open pull requests are looked at: whether they still merge."""
    follow_base(draft, event)
    branches = {orchestration.default_branch for orchestration in draft.orchestrations.values()}
    if event.ref.removeprefix("refs/heads/") in branches:
        look_after_base_moved(draft)
