"""What became of an attempt: decided by GitHub's state, never by the attempt's word alone."""

from app.actions import OpenPullRequest, ReadBlockers, ReadRemote, RevokeTokens
from app.decide.budget import settled
from app.decide.draft import Draft
from app.decide.hold import still_good, waiting
from app.decide.pause import ended_otherwise, paused
from app.decide.state import Attempt, AttemptStatus, Task, TaskStatus
from app.decide.stop import reread
from app.decide.unblock import unblock
from app.events import EffectFailed, PullRequestOpened, PullRequestSeen, RemoteRead, TokensRevoked
from shared.messages import Published
from shared.models import AttemptReport, Verdict, VerdictName


def tokens_revoked(draft: Draft, event: TokensRevoked) -> None:
    """When that was true of every holder, nobody can write for this attempt any more."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is not None:
        left = tuple(holder for holder in attempt.token_holders if holder != event.holder)
        draft.change_attempt(attempt.id, token_holders=left, token_expires_at=attempt.token_expires_at if left else None)


def settle_attempts(draft: Draft) -> None:
    """Moves every attempt that has finished or was lost one step nearer to its end, as far as is known by now."""
    for attempt in list(draft.attempts.values()):
        if attempt.status in {AttemptStatus.FINISHED, AttemptStatus.LOST}:
            _settle(draft, attempt)


def _settle(draft: Draft, attempt: Attempt) -> None:
    now = draft.context.now
    writable = attempt.token_expires_at is not None and now < attempt.token_expires_at
    if writable and not attempt.revoke_asked:
        for holder in attempt.token_holders or ("",):
            draft.act(RevokeTokens(repository_id=attempt.repository_id, attempt=attempt.id, place=holder))
        draft.change_attempt(attempt.id, revoke_asked=True)
    if attempt.status is AttemptStatus.LOST:
        # No successor while the old process may live or its token may write: GitHub is read only after both are out.
        harmless = attempt.gone and (attempt.gone_proven or not writable)
        if not harmless:
            return
    if not attempt.evidence and draft.tasks[attempt.issue].published is None:
        _conclude_unpublished(draft, attempt)
    elif not attempt.remote_asked:
        draft.change_attempt(attempt.id, remote_asked=True)
        draft.act(ReadRemote(repository_id=attempt.repository_id, attempt=attempt.id))


def _conclude_unpublished(draft: Draft, attempt: Attempt) -> None:
    if attempt.stop is not None:
        _end(draft, attempt, attempt.stop)
    elif attempt.permit is not None and attempt.permit.refusal is not None:
        _end(draft, attempt, attempt.permit.refusal)
    elif attempt.on_hold is not None:  # handed over whole, whatever became of its runner then
        draft.change_task(attempt.issue, on_hold=attempt.on_hold, released_by="")
        _end(draft, attempt, waiting(attempt.on_hold))
    elif attempt.status is AttemptStatus.LOST:
        _try_again(draft, attempt, None)
    else:
        _end(draft, attempt, _without_evidence(attempt.report.verdict if attempt.report else None))


def remote_read_to_settle(draft: Draft, event: RemoteRead) -> None:
    """The branch tells whether the attempt's work landed."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is None or attempt.status not in {AttemptStatus.FINISHED, AttemptStatus.LOST}:
        return
    if event.branch_sha is not None and event.landed:
        _landed(draft, attempt, event)
    elif event.branch_sha is None or event.branch_is_empty or event.branch_sha in _kept_heads(draft.tasks[attempt.issue]):
        _not_landed(draft, attempt, event)
    else:
        reason = (
            f"somebody else pushed {event.branch_sha[:8]} to `{draft.tasks[attempt.issue].branch}`; their commits are left alone"
        )
        _end(draft, attempt, Verdict(name=VerdictName.BRANCH_MOVED, reason=reason))


def _kept_heads(task: Task) -> tuple[str, ...]:
    """What the branch may hold when the attempt pushed nothing."""
    return (*task.heads, task.follow_up.head_sha) if task.follow_up else task.heads


def _landed(draft: Draft, attempt: Attempt, event: RemoteRead) -> None:
    draft.change_task(attempt.issue, head_sha=event.branch_sha)
    attempt = draft.change_attempt(attempt.id, landed=event.landed)
    ours = [pull for pull in event.pulls if pull.ours]
    pull = next((p for p in ours if p.state == "open"), ours[-1] if ours else None)
    if pull is None:
        draft.act(OpenPullRequest(repository_id=attempt.repository_id, attempt=attempt.id))
    else:
        _conclude_published(draft, attempt, pull)


def pull_request_opened(draft: Draft, event: PullRequestOpened) -> None:
    """The app stood in for a runner that died between push and pull request."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is not None and attempt.status in {AttemptStatus.FINISHED, AttemptStatus.LOST}:
        _conclude_published(draft, attempt, event.pull)


def _conclude_published(draft: Draft, attempt: Attempt, pull: PullRequestSeen) -> None:
    state = "merged" if pull.merged else pull.state
    task = draft.change_task(attempt.issue, pull_request=pull.number, pull_request_url=pull.url, pull_request_state=state)
    proof = evidence_of(task, attempt)
    if attempt.stop is not None:
        _end(draft, attempt, attempt.stop)
        return
    # Somebody else's commit on top, or a closed pull request: there is nothing left for us to review.
    reviewable = state == "open" and task.head_sha == attempt.landed
    left = Published(pull_request=pull.number, report=proof.model_copy(update={"head_sha": attempt.landed}))
    if attempt.status is AttemptStatus.LOST:
        due = reviewable and not proof.review_posted
        draft.change_task(attempt.issue, published=left)
        _try_again(draft, attempt, proof.verdict) if due else _end(draft, attempt, proof.verdict)
        return
    verdict = _last_word(task, attempt, proof)
    if verdict.name is not VerdictName.PROVIDER_LIMIT:
        _end(draft, attempt, verdict)
    elif reviewable and paused(draft, attempt, verdict):
        draft.change_task(attempt.issue, published=left)
        _close(draft, attempt)
    else:
        _end(draft, attempt, proof.verdict)


def _last_word(task: Task, attempt: Attempt, proof: AttemptReport) -> Verdict:
    """The runner's own, where it speaks of the commit that is on the branch; a review changes no verdict on what it found there."""
    report = attempt.report
    if report is None or report.verdict.name is VerdictName.PROVIDER_LIMIT:
        return report.verdict if report else proof.verdict
    if task.published is not None and task.published.report.head_sha == attempt.landed:
        return task.published.report.verdict
    about_tests = report.verdict.name in {VerdictName.SUCCEEDED, VerdictName.TESTS_FAILED}
    return proof.verdict if about_tests and report.head_sha not in {"", attempt.landed} else report.verdict


def _not_landed(draft: Draft, attempt: Attempt, event: RemoteRead) -> None:
    draft.change_task(attempt.issue, published=None)
    if event.branch_sha is not None:
        draft.change_task(attempt.issue, head_sha=event.branch_sha)
    _conclude_unpublished(draft, attempt)


def evidence_of(task: Task, attempt: Attempt) -> AttemptReport:
    """What is known of the head that landed: from this attempt, or from the one whose work it took over."""
    said = attempt.said_of(attempt.landed)
    if said is None and task.published is not None:
        return task.published.report
    if said is None:
        raise AssertionError("unreachable: only heads with evidence are looked for")
    return said


def attempt_effect_failed(draft: Draft, event: EffectFailed) -> None:
    """What cannot be asked or done ends the attempt with the reason, instead of leaving it open for ever."""
    attempt = draft.attempts.get(event.subject)
    if attempt is None:
        return
    verdict = Verdict(name=VerdictName.PUBLISH_FAILED, reason=event.reason)
    if attempt.status in {AttemptStatus.FINISHED, AttemptStatus.LOST}:
        _end(draft, attempt, verdict)
    elif attempt.permit is not None and attempt.permit.status == "reading":
        draft.change_attempt(attempt.id, permit=attempt.permit.model_copy(update={"status": "refused", "refusal": verdict}))


def _without_evidence(verdict: Verdict | None) -> Verdict:
    """A success, or a red draft, that left nothing on GitHub is none; nor is work held that was not handed over."""
    if verdict is None or verdict.name in {VerdictName.SUCCEEDED, VerdictName.TESTS_FAILED, VerdictName.HELD}:
        return Verdict(
            name=VerdictName.PUBLISH_FAILED,
            reason="the attempt ended without its branch on GitHub",
            detail=verdict.reason if verdict else "",
        )
    return verdict


def _try_again(draft: Draft, attempt: Attempt, proven: Verdict | None) -> None:
    """Another attempt, or the end: with what was `proven` when only the review is missing."""
    # One that could not be started or heard while the App may not see the repository is nobody's fault.
    losses = draft.tasks[attempt.issue].losses + (not draft.repository.gone)
    why = attempt.gone_reason or "its runner fell silent"
    if losses >= draft.context.policy.max_losses:
        given_up = Verdict(name=VerdictName.LOST, reason=f"given up after {losses} attempts that vanished: {why}")
        _end(draft, attempt, proven or given_up)
        return
    _close(draft, attempt)
    # What blocks it may have come while it was worked on.
    draft.act(ReadBlockers(repository_id=attempt.repository_id, issue=attempt.issue))
    what = "its review is still to be done" if proven else "trying again"
    draft.change_task(
        attempt.issue,
        status=TaskStatus.WAITING,
        attempt="",
        losses=losses,
        note=f"attempt {attempt.number} was lost ({why}); {what}",
    )


def _end(draft: Draft, attempt: Attempt, verdict: Verdict) -> None:
    _close(draft, attempt)
    if verdict.name is VerdictName.PROVIDER_LIMIT and paused(draft, attempt, verdict):
        return
    ended_otherwise(draft, attempt, verdict)
    task, note = draft.tasks[attempt.issue], ""
    if task.on_hold is not None and still_good(task, attempt, verdict):
        draft.change_task(attempt.issue, released_by="")
        note = f"publishing it ended as: {verdict.name.replace('_', ' ')} ({verdict.reason}); it waits again"
        verdict = waiting(task.on_hold)
    task = draft.conclude(attempt.issue, verdict, note=note)
    if task.verified:
        unblock(draft, attempt.issue)
    reread(draft, attempt.issue, verdict.name)


def _close(draft: Draft, attempt: Attempt) -> None:
    took = settled(draft.attempts[attempt.id])
    ended = draft.change_attempt(attempt.id, status=AttemptStatus.ENDED, settled_usd=took.usd, settled_tokens=took.tokens)
    orchestration = draft.orchestrations.get(attempt.orchestration)
    if orchestration is not None:
        draft.change_orchestration(
            orchestration.id,
            attempt_seconds=orchestration.attempt_seconds + ended.seconds,
            spent_usd=orchestration.spent_usd + took.usd,
            spent_tokens=orchestration.spent_tokens + took.tokens,
        )
