"""The right to write to GitHub once: asked with evidence, granted after GitHub was read again."""

from app.actions import ReadRemote
from app.decide.attempts import STALE
from app.decide.draft import Draft
from app.decide.hold import must_hold
from app.decide.state import Attempt, AttemptStatus, Evidence, Permit, Task
from app.events import PermitRequested, RemoteRead, TokenMinted
from shared.models import Verdict, VerdictName


def permit_requested(draft: Draft, event: PermitRequested) -> None:
    """Stores report and head, then asks GitHub; the same request again changes nothing."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is None or attempt.status is not AttemptStatus.CLAIMED or attempt.nonce != event.nonce:
        draft.refusal = STALE
        return
    if attempt.permit is not None and event.sequence <= attempt.permit.sequence:
        if event.sequence < attempt.permit.sequence:
            draft.refusal = "a newer permit was asked for"
        return
    draft.change_attempt(
        attempt.id,
        report=event.report,
        permit=Permit(sequence=event.sequence, head_sha=event.head_sha),
        lease_until=draft.context.now + draft.context.policy.lease,
    )
    draft.act(ReadRemote(repository_id=attempt.repository_id, attempt=attempt.id, sequence=event.sequence))


def remote_read_for_permit(draft: Draft, event: RemoteRead) -> None:
    """Grants or refuses by what GitHub holds now; where a person must speak first, it does neither."""
    attempt = draft.attempts.get(event.attempt)
    if attempt is None or attempt.permit is None or attempt.permit.sequence != event.sequence or attempt.permit.status != "reading":
        return
    task = draft.tasks[attempt.issue]
    refusal = _refusal(attempt, task, event)
    if refusal is not None:
        draft.change_attempt(attempt.id, permit=attempt.permit.model_copy(update={"status": "refused", "refusal": refusal}))
        return
    if must_hold(task, draft.orchestrations[task.orchestration].settings, attempt.permit.head_sha):
        draft.change_attempt(attempt.id, permit=attempt.permit.model_copy(update={"status": "held"}))
        return
    granted = attempt.permit.model_copy(update={"status": "granted", "expected_sha": event.branch_sha or ""})
    draft.change_attempt(attempt.id, permit=granted, evidence=_with_evidence(attempt, attempt.permit.head_sha))
    draft.change_task(task.issue, heads=tuple(dict.fromkeys((*task.heads, attempt.permit.head_sha))))


def _with_evidence(attempt: Attempt, head_sha: str) -> tuple[Evidence, ...]:
    """The report of this very permit, beside those of the heads before; a head asked for again counts with its newest."""
    others = tuple(one for one in attempt.evidence if one.head_sha != head_sha)
    return (*others, Evidence(head_sha=head_sha, report=attempt.report)) if attempt.report else others


def token_minted(draft: Draft, event: TokenMinted) -> None:
    """Stores until when a write token works; refused when the attempt lost its right meanwhile (the token is then revoked)."""
    attempt = draft.attempts.get(event.attempt)
    live = attempt is not None and attempt.status is AttemptStatus.CLAIMED and attempt.stop is None
    if (
        attempt is None
        or not live
        or attempt.permit is None
        or attempt.permit.status != "granted"
        or attempt.permit.sequence != event.sequence
    ):
        draft.refusal = STALE
        return
    latest = max(filter(None, (attempt.token_expires_at, event.expires_at)))
    holders = tuple(sorted({*attempt.token_holders, event.holder}))
    draft.change_attempt(attempt.id, token_expires_at=latest, token_holders=holders)


def _refusal(attempt: Attempt, task: Task, event: RemoteRead) -> Verdict | None:
    def refuse(name: VerdictName, reason: str) -> Verdict:
        return Verdict(name=name, reason=reason)

    if attempt.status is not AttemptStatus.CLAIMED or task.attempt != attempt.id:
        return refuse(VerdictName.LOST, STALE)
    if attempt.stop is not None:
        return attempt.stop
    if not event.issue_open:
        return refuse(VerdictName.CANCELLED, f"issue #{task.issue} was closed")
    if task.snapshot is not None and event.issue_hash != task.snapshot.hash:
        return refuse(
            VerdictName.EDITED_AFTER_APPROVAL, "the issue was edited after it was labelled; label it again to approve the new text"
        )
    ended = next((pull for pull in event.pulls if pull.state == "closed"), None)
    if ended is not None and not any(pull.state == "open" for pull in event.pulls):
        how = "merged" if ended.merged else "closed"
        return refuse(
            VerdictName.CANCELLED,
            f"pull request #{ended.number} of this branch was {how} by a person; label the issue again to start anew",
        )
    ours = {*task.heads, attempt.permit.head_sha if attempt.permit else ""}
    if task.follow_up is not None:
        ours.add(task.follow_up.head_sha)  # whoever made it: what is pushed builds on it
    elif task.shared_branch and event.branch_sha is not None:
        ours.clear()
    known = event.branch_sha is None or event.branch_is_empty or event.branch_sha in ours
    if not known:
        return refuse(
            VerdictName.BRANCH_MOVED,
            f"somebody else pushed {str(event.branch_sha)[:8]} to `{task.branch}`; their commits are left alone",
        )
    return None
