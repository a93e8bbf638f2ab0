"""What of an event is kept for good: who, which text, which plan, which attempt; never a text or a secret itself."""

from hashlib import sha256

from app.decide.draft import Decision
from app.events import (
    AnyEvent,
    AttemptClaimed,
    AttemptFinished,
    AttemptGone,
    AttemptStarted,
    CommandRead,
    IssueRead,
    OperatorSpoke,
    PermitRequested,
    PlanReady,
    PlanRevised,
    PresserKnown,
    PullRequestOpened,
    TokenMinted,
    TokensRevoked,
    WorkHandedOver,
    WorkStopped,
)

_APPROVAL = {"issue", "label", "label_event", "labeller", "permission", "edited_since", "edited_lately_by"}
_KEPT = (AttemptStarted, TokenMinted, TokensRevoked, OperatorSpoke, WorkStopped, AttemptGone, PresserKnown)


def entry(event: AnyEvent, decision: Decision) -> dict[str, object] | None:
    """None for what nobody will ask about."""
    told = _told(event, decision)
    return {**told, "refused": decision.refusal} if told is not None and decision.refusal else told


def _told(event: AnyEvent, decision: Decision) -> dict[str, object] | None:
    match event:
        case IssueRead(label_event=int()):
            task = decision.state.tasks.get(event.issue)
            return {
                **event.model_dump(mode="json", include=_APPROVAL),
                "text_hash": event.snapshot.hash if event.snapshot else "",
                "task": task.status if task else "",
                "orchestration": task.orchestration if task else "",
            }
        case PlanReady() | PlanRevised():
            plan = event.plan.model_dump_json(by_alias=True)
            issues = [task.issue for task in event.plan.tasks]
            kept = {"orchestration": event.orchestration, "base_sha": event.base_sha}
            return {**kept, "issues": issues, "plan_hash": sha256(plan.encode()).hexdigest()}
        case AttemptClaimed():
            return {"attempt": event.attempt, "host": event.claim.host}
        case PermitRequested() | AttemptFinished():
            head = event.head_sha if isinstance(event, PermitRequested) else event.report.head_sha
            return {"attempt": event.attempt, "head_sha": head, "verdict": event.report.verdict.name}
        case WorkHandedOver():
            return {"attempt": event.attempt, "head_sha": event.head_sha, "bundle_sha256": event.work.sha256}
        case CommandRead(command="publish"):
            return {"issue": event.number, "comment": event.comment, "author": event.author, "permission": event.permission}
        case PullRequestOpened():
            return {"attempt": event.attempt, "pull_request": event.pull.number}
        case _ if isinstance(event, _KEPT):
            return event.model_dump(mode="json", exclude={"kind", "repository_id"})
    return None
