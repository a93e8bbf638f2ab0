"""`publish: hold`: checked work waits, off GitHub, until a person who may lets exactly that commit out, or its time is over."""

from app.actions import SyncReport
from app.decide.attempts import holder_of_lease
from app.decide.draft import Draft
from app.decide.on_hold import OnHold
from app.decide.state import Attempt, OrchestrationStatus, Task, TaskStatus
from app.events import WorkHandedOver
from shared.models import Verdict, VerdictName
from shared.repository_settings import RepositorySettings

ELSEWHERE = (
    "`publish: hold` in `.github/shoal.yml` needs the app: a single job ends with its work, and nobody could publish it later;"
    " set `publish: now`, or let the app start the work (`mode: work`)"
)


def must_hold(task: Task, settings: RepositorySettings, head_sha: str) -> bool:
    """Only the commit that a person saw leaves: of anything else it is asked again."""
    released = task.released_by != "" and task.on_hold is not None and task.on_hold.head_sha == head_sha
    return settings.publish == "hold" and not released


def work_handed_over(draft: Draft, event: WorkHandedOver) -> None:
    """Remembered for the end of the attempt; the same once more changes nothing."""
    attempt = holder_of_lease(draft, event.attempt, event.nonce)
    if attempt is None:
        return
    permit = attempt.permit
    if permit is None or permit.status != "held" or permit.head_sha != event.head_sha:
        draft.refusal = "nobody asked this attempt to hand over that commit"
        return
    now, policy = draft.context.now, draft.context.policy
    kept = OnHold(attempt=attempt.id, head_sha=event.head_sha, work=event.work, host=event.host, since=now, until=now + policy.hold)
    draft.change_attempt(attempt.id, on_hold=kept, lease_until=now + policy.lease)


def waiting(kept: OnHold) -> Verdict:
    """What people read while it waits."""
    said = kept.work.report.verdict
    found = "" if said.name is VerdictName.SUCCEEDED else f"{said.name.replace('_', ' ')}, "
    reason = f"kept until {kept.until:%Y-%m-%d %H:%M} UTC, nothing of it is on GitHub; what it found: {found}{said.reason}"
    return Verdict(name=VerdictName.HELD, reason=reason, detail=said.detail)


def still_good(task: Task, attempt: Attempt, verdict: Verdict) -> bool:
    """Publishing failed, not what was to be published: it can be tried again."""
    tried = attempt.permit is not None and attempt.permit.status == "granted"
    failed = verdict.name is VerdictName.LOST or (verdict.name is VerdictName.PUBLISH_FAILED and tried)
    return task.on_hold is not None and attempt.releases and not attempt.landed and failed


def publish(draft: Draft, task: Task, who: str) -> bool:
    """From now on it may leave; False when nothing waits."""
    if not task.waits_to_be_published:
        return False
    changes = {"verdict": None, "ended_at": None, "attempt": "", "losses": 0, "note": f"published by {who}"}
    draft.change_task(task.issue, status=TaskStatus.WAITING, released_by=who, **changes)
    if draft.orchestrations[task.orchestration].status is OrchestrationStatus.DONE:
        draft.change_orchestration(task.orchestration, status=OrchestrationStatus.RUNNING, ended_at=None)
    draft.act(SyncReport(repository_id=task.repository_id, orchestration=task.orchestration))
    return True


def end_overdue(draft: Draft) -> None:
    """Work is not kept for ever: nobody reviews what is weeks old, and the base moves on."""
    for task in list(draft.tasks.values()):
        if task.waits_to_be_published and task.on_hold is not None and draft.context.now >= task.on_hold.until:
            hours = round((task.on_hold.until - task.on_hold.since).total_seconds() / 3600, 1)
            reason = (
                f"nobody published it within {hours:g} hours (SHOAL_HOLD_HOURS), so it was deleted; `/shoal retry` does it anew"
            )
            draft.conclude_as(task.issue, VerdictName.CANCELLED, reason)
