"""Which labels belong together: one orchestration per intake window."""

from app.actions import MakePlan, SyncReport
from app.decide.draft import Draft
from app.decide.state import Orchestration, OrchestrationStatus, TaskStatus


def join(draft: Draft, issue: int, *, needs_start: bool = False) -> None:
    """Puts an approved task into the open intake, or opens one; those that a person must start hold up no others."""
    now = draft.context.now
    repository = draft.repository
    intakes = [o for o in draft.orchestrations.values() if o.status is OrchestrationStatus.INTAKE]
    open_intake = next((o for o in intakes if o.needs_start is needs_start), None)
    if open_intake is None:
        number = repository.orchestrations + 1
        draft.repository = repository.model_copy(update={"orchestrations": number})
        open_intake = Orchestration(
            id=f"{repository.id}-{number}",
            repository_id=repository.id,
            created_at=now,
            last_label_at=now,
            slots=draft.context.policy.slots,
            needs_start=needs_start,
            budget_usd=draft.context.policy.orchestration_cost_usd,
        )
        draft.orchestrations[open_intake.id] = open_intake
    draft.change_orchestration(open_intake.id, last_label_at=now)
    draft.change_task(issue, orchestration=open_intake.id, status=TaskStatus.INTAKE)
    draft.act(SyncReport(repository_id=repository.id, orchestration=open_intake.id))


def close_intakes(draft: Draft) -> None:
    """Plans every batch whose window is over: quiet for `intake`, or open for `intake_max`."""
    policy, now = draft.context.policy, draft.context.now
    for orchestration in list(draft.orchestrations.values()):
        if orchestration.status is not OrchestrationStatus.INTAKE:
            continue
        quiet = now - orchestration.last_label_at >= policy.intake
        if quiet or now - orchestration.created_at >= policy.intake_max:
            draft.change_orchestration(orchestration.id, status=OrchestrationStatus.PLANNING)
            draft.act(MakePlan(repository_id=draft.repository.id, orchestration=orchestration.id))
