"""The App may not see a repository for a while, suspended or taken out: everything waits, and nothing that waits is lost."""

from app.actions import ReadIssue, SyncReport
from app.decide.attempts import renew_leases
from app.decide.draft import Draft
from app.decide.state import OrchestrationStatus, PlanChange
from app.events import RepositoryBack, RepositoryGone

_WAS = {
    "suspended": "the GitHub App was suspended",
    "uninstalled": "the GitHub App was uninstalled",
    "deleted": "the repository was said to be deleted",
}


def repository_gone(draft: Draft, event: RepositoryGone) -> None:
    """Runners at work go on: they hold their leases by us alone, and a permit waits for what GitHub says."""
    if event.repository.installation_id != draft.repository.installation_id:
        return  # of one that it has left: it was transferred, or the App is installed anew
    since = draft.repository.gone_since or draft.context.now
    gone = {"gone": True, "gone_why": event.why, "gone_since": since, "gone_from": draft.repository.installation_id}
    draft.repository = draft.repository.model_copy(update=gone)


def repository_back(draft: Draft, _event: RepositoryBack) -> None:
    """Told of it, or found by the sweep."""
    _take_up(draft)


def notice_another_installation(draft: Draft) -> None:
    """Whatever it is that another installation tells: by that one the App sees the repository."""
    if draft.repository.gone_from not in {None, draft.repository.installation_id}:
        _take_up(draft)


def _take_up(draft: Draft) -> None:
    """What people did meanwhile nobody told us: it is read. What waited to be done is done by the one who keeps it."""
    was = draft.repository
    if not was.gone:
        return
    now = draft.context.now
    since = was.gone_since or now
    draft.repository = was.model_copy(update={"gone": False, "gone_why": "", "gone_since": None, "gone_from": None})
    renew_leases(draft)
    for task in list(draft.tasks.values()):
        if task.open:
            draft.act(ReadIssue(repository_id=was.id, issue=task.issue))
        if task.waits_for_ci and task.ci is not None:
            later = {"since": task.ci.since + (now - since), "look_at": now}
            draft.change_task(task.issue, ci=task.ci.model_copy(update=later))
    what = _WAS.get(was.gone_why, "the GitHub App had no access to this repository")
    told = f"{what} from {since:%Y-%m-%d %H:%M} to {now:%H:%M} UTC: nothing was started and nothing was published then"
    for orchestration in list(draft.orchestrations.values()):
        if orchestration.status is not OrchestrationStatus.DONE:
            changes = (*orchestration.changes, PlanChange(at=now, what=told))
            draft.change_orchestration(orchestration.id, changes=changes)
            draft.act(SyncReport(repository_id=was.id, orchestration=orchestration.id))
