"""A runner's calls: claim, heartbeat, phase, finish; and what becomes of one that falls silent."""

from app.actions import StopAttempt
from app.decide.draft import Draft
from app.decide.pause import phase_proves
from app.decide.state import Attempt, AttemptStatus, TaskStatus
from app.events import (
    AttemptClaimed,
    AttemptFinished,
    AttemptGone,
    AttemptStarted,
    HeartbeatReceived,
    JobEnded,
    JobTaken,
    PhaseReported,
)
from shared.models import AttemptReport, Verdict, VerdictName

STALE = "this attempt is over; another one may be at work"


def attempt_started(draft: Draft, event: AttemptStarted) -> None:
    """Remembers the process: the one started last, for its secret is the only one that counts."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is not None:
        seen = {} if attempt.pid == event.pid else {"taken_at": None, "taken_by": ""}
        draft.change_attempt(attempt.id, pid=event.pid, pid_started=event.pid_started, host=event.host, **seen)


def attempt_claimed(draft: Draft, event: AttemptClaimed) -> None:
    """Compare-and-set: the first nonce wins, the same nonce may ask again."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is None or attempt.stop is not None or not _is_current(draft, attempt):
        draft.refusal = STALE
    elif attempt.status is AttemptStatus.CLAIMED and attempt.nonce == event.claim.nonce:
        return
    elif attempt.status is not AttemptStatus.STARTING:
        draft.refusal = "another process has claimed this attempt"
    else:
        now = draft.context.now
        draft.change_attempt(
            attempt.id,
            status=AttemptStatus.CLAIMED,
            nonce=event.claim.nonce,
            claimed_at=now,
            lease_until=now + draft.context.policy.lease,
            # Who shows the secret is the one that was started last, also when the app died before it could note that.
            pid=event.claim.pid,
            pid_started=event.claim.pid_started,
            host=event.claim.host,
        )


def heartbeat_received(draft: Draft, event: HeartbeatReceived) -> None:
    """Renews the lease of the one who holds it."""
    attempt = holder_of_lease(draft, event.attempt, event.heartbeat.nonce)
    if attempt is not None:
        lease = draft.context.now + draft.context.policy.lease
        draft.change_attempt(attempt.id, lease_until=lease, phase=event.heartbeat.phase, progress=event.heartbeat.progress)


def phase_reported(draft: Draft, event: PhaseReported) -> None:
    """Keeps a phase's result; the same phase again replaces it."""
    attempt = holder_of_lease(draft, event.attempt, event.nonce)
    if attempt is not None:
        others = tuple(result for result in attempt.phases if result.name is not event.result.name)
        lease = draft.context.now + draft.context.policy.lease
        draft.change_attempt(attempt.id, phases=(*others, event.result), phase=event.result.name, lease_until=lease)
        phase_proves(draft, draft.attempts[attempt.id], event.result)


def attempt_finished(draft: Draft, event: AttemptFinished) -> None:
    """A last word is heard from the current attempt only, also when it was thought lost and nobody has followed it yet."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is None or attempt.nonce != event.nonce or not _is_current(draft, attempt):
        draft.refusal = STALE
        return
    if attempt.status is AttemptStatus.FINISHED:
        return
    if _interrupted(attempt, event.report) and not event.job_cancelled:
        draft.change_attempt(attempt.id, gone_reason=event.report.verdict.reason)
        if attempt.status is AttemptStatus.CLAIMED:
            _lose(draft, draft.attempts[attempt.id])
        return
    draft.change_attempt(
        attempt.id,
        status=AttemptStatus.FINISHED,
        report=event.report,
        phases=event.report.phases or attempt.phases,
        ended_at=attempt.ended_at or draft.context.now,
    )
    _returns_tokens(draft, attempt, event)
    draft.change_task(attempt.issue, status=TaskStatus.SETTLING)


def _returns_tokens(draft: Draft, attempt: Attempt, event: AttemptFinished) -> None:
    """Heard of who held the lease to the end only; a token minted after its runner's were compared ends later than those."""
    last, dead_until = attempt.token_expires_at, event.tokens_dead_until
    held = attempt.status is AttemptStatus.CLAIMED and attempt.stop is None
    if held and last is not None and dead_until is not None and last <= dead_until:
        draft.change_attempt(attempt.id, token_holders=(), token_expires_at=None)


def attempt_gone(draft: Draft, event: AttemptGone) -> None:
    """The process is dead: no need to wait for the lease."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is None or attempt.gone or (event.pid is not None and attempt.pid is not None and event.pid != attempt.pid):
        return
    draft.change_attempt(attempt.id, gone=True, gone_proven=event.proven, gone_reason=attempt.gone_reason or event.reason)
    if attempt.status in {AttemptStatus.STARTING, AttemptStatus.CLAIMED}:
        _lose(draft, attempt)


def job_taken(draft: Draft, event: JobTaken) -> None:
    """From now on it is no longer the queue that is waited for."""
    for attempt in list(draft.attempts.values()):
        if attempt.pid == event.run_id and attempt.status is AttemptStatus.STARTING:
            taken = attempt.taken_at or draft.context.now
            draft.change_attempt(attempt.id, taken_at=taken, taken_by=event.runner or attempt.taken_by)


def job_ended(draft: Draft, event: JobEnded) -> None:
    """The runner's job is over and its attempt is not: cancelled by a person, or lost. Its machine may still be at work."""
    for attempt in list(draft.attempts.values()):
        if attempt.pid != event.run_id or attempt.gone or attempt.status not in {AttemptStatus.STARTING, AttemptStatus.CLAIMED}:
            continue
        if event.conclusion == "cancelled" and attempt.stop is None:
            stop = Verdict(name=VerdictName.CANCELLED, reason="its job was cancelled on GitHub; label the issue again to go on")
            draft.change_attempt(attempt.id, stop=stop)
        reason = f"its job ended as `{event.conclusion}` without a result"
        gone = AttemptGone(repository_id=attempt.repository_id, attempt=attempt.id, pid=attempt.pid, proven=False, reason=reason)
        attempt_gone(draft, gone)


def lose_silent(draft: Draft) -> None:
    """Takes the right to act from every attempt whose lease ran out, or that was never claimed."""
    now, policy = draft.context.now, draft.context.policy
    for attempt in list(draft.attempts.values()):
        silent = attempt.status is AttemptStatus.CLAIMED and attempt.lease_until < now
        unclaimed = attempt.status is AttemptStatus.STARTING and attempt.created_at + policy.start_timeout < now
        idle = _took_and_did_not_begin(draft, attempt)
        if idle:
            draft.change_attempt(attempt.id, gone_reason=policy.not_claimed.format(runner=attempt.taken_by or "a runner"))
        elif unclaimed:
            draft.change_attempt(attempt.id, gone_reason=policy.not_begun)
        if silent or unclaimed or idle:
            _lose(draft, attempt)


def _took_and_did_not_begin(draft: Draft, attempt: Attempt) -> bool:
    limit, taken = draft.context.policy.begin_timeout, attempt.taken_at
    starting = attempt.status is AttemptStatus.STARTING
    return starting and limit is not None and taken is not None and taken + limit < draft.context.now


def renew_leases(draft: Draft) -> None:
    """After a restart: nobody could renew while we were away, so nobody is to blame."""
    now, policy = draft.context.now, draft.context.policy
    for attempt in list(draft.attempts.values()):
        if attempt.status is AttemptStatus.CLAIMED:
            draft.change_attempt(attempt.id, lease_until=now + policy.lease)
        elif attempt.status is AttemptStatus.STARTING:
            draft.change_attempt(attempt.id, created_at=now, taken_at=attempt.taken_at and now)


def _interrupted(attempt: Attempt, report: AttemptReport) -> bool:
    """It ended because its machine, or we ourselves when it seemed lost, told its process to: nobody wants the task ended."""
    refused = attempt.permit is not None and attempt.permit.refusal is not None
    return report.verdict.name is VerdictName.CANCELLED and attempt.stop is None and not refused


def _lose(draft: Draft, attempt: Attempt) -> None:
    draft.change_attempt(attempt.id, status=AttemptStatus.LOST, ended_at=draft.context.now)
    draft.change_task(attempt.issue, status=TaskStatus.SETTLING)
    if not draft.attempts[attempt.id].gone:
        draft.act(StopAttempt(repository_id=attempt.repository_id, attempt=attempt.id, place=attempt.host))


def holder_of_lease(draft: Draft, attempt_id: str, nonce: str) -> Attempt | None:
    """The attempt if this caller holds its lease; else the refusal is set."""
    attempt = draft.attempts.get(attempt_id)
    if attempt is None or attempt.status is not AttemptStatus.CLAIMED or attempt.nonce != nonce or not _is_current(draft, attempt):
        draft.refusal = STALE
        return None
    return attempt


def _is_current(draft: Draft, attempt: Attempt) -> bool:
    task = draft.tasks.get(attempt.issue)
    return task is not None and task.attempt == attempt.id
