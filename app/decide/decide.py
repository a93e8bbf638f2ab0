"""The one decision: state and event in, new state and actions out. Pure: no I/O, no clock, no randomness."""

from collections.abc import Callable
from typing import Any

from app.actions import RefreshReport, SyncReport
from app.decide.absence import notice_another_installation, repository_back, repository_gone
from app.decide.approval import issue_labelled, issue_read, issue_touched, labels_seen
from app.decide.attempts import (
    attempt_claimed,
    attempt_finished,
    attempt_gone,
    attempt_started,
    heartbeat_received,
    job_ended,
    job_taken,
    lose_silent,
    phase_reported,
    renew_leases,
)
from app.decide.blockers import blockers_read, blockers_touched
from app.decide.buttons import button_pressed, presser_known
from app.decide.changes import note_changes
from app.decide.ci import checks_read, checks_touched, watch_ci
from app.decide.commands import command_given, command_read
from app.decide.context import Context
from app.decide.draft import Decision, Draft
from app.decide.hold import end_overdue, work_handed_over
from app.decide.intake import close_intakes
from app.decide.new_base import look_again, plan_revised
from app.decide.pause import look_at_probes
from app.decide.permit import permit_requested, remote_read_for_permit, token_minted
from app.decide.planned import plan_failed, plan_ready, planning_failed
from app.decide.pulls import base_moved, pull_request_changed
from app.decide.reconcile import check_found_open
from app.decide.runners import runners_read
from app.decide.settle import attempt_effect_failed, pull_request_opened, remote_read_to_settle, settle_attempts, tokens_revoked
from app.decide.start import start_ready
from app.decide.state import OrchestrationStatus, State
from app.decide.stop import repository_changed, work_stopped
from app.events import AnyEvent, EffectFailed, OperatorSpoke, RemoteRead, ReportHeldBack, Started


def decide(state: State, event: AnyEvent, context: Context) -> Decision:
    """First what the event itself means, then everything that has become possible by it or by the time."""
    draft = Draft(state, context)
    notice_another_installation(draft)
    HANDLERS[event.kind](draft, event)
    lose_silent(draft)
    settle_attempts(draft)
    end_overdue(draft)
    look_at_probes(draft)
    watch_ci(draft)
    close_intakes(draft)
    start_ready(draft)
    look_again(draft)
    _end_orchestrations(draft)
    note_changes(draft)
    _report_changes(draft)
    return draft.decision()


def _remote_read(draft: Draft, event: RemoteRead) -> None:
    (remote_read_to_settle if event.sequence is None else remote_read_for_permit)(draft, event)


def _effect_failed(draft: Draft, event: EffectFailed) -> None:
    planning_failed(draft, event)
    attempt_effect_failed(draft, event)


def _started(draft: Draft, _event: Started) -> None:
    renew_leases(draft)


def _operator_spoke(draft: Draft, _event: OperatorSpoke) -> None:
    """The word itself is in the pool; what waits for it says so."""
    for orchestration in draft.orchestrations.values():
        if orchestration.status is OrchestrationStatus.RUNNING:
            draft.act(SyncReport(repository_id=draft.repository.id, orchestration=orchestration.id))


def _report_held_back(draft: Draft, event: ReportHeldBack) -> None:
    draft.act(RefreshReport(repository_id=event.repository_id, orchestration=event.orchestration, not_before=event.until))


def _nothing(_draft: Draft, _event: object) -> None:
    """Time alone: what it makes possible is looked at after every event."""


HANDLERS: dict[str, Callable[[Draft, Any], None]] = {
    "issue_labelled": issue_labelled,
    "issue_touched": issue_touched,
    "issue_read": issue_read,
    "labels_seen": labels_seen,
    "pull_request_changed": pull_request_changed,
    "base_moved": base_moved,
    "button_pressed": button_pressed,
    "presser_known": presser_known,
    "check_found_open": check_found_open,
    "checks_touched": checks_touched,
    "checks_read": checks_read,
    "blockers_touched": blockers_touched,
    "blockers_read": blockers_read,
    "command_given": command_given,
    "command_read": command_read,
    "repository_changed": repository_changed,
    "repository_gone": repository_gone,
    "repository_back": repository_back,
    "plan_ready": plan_ready,
    "plan_failed": plan_failed,
    "plan_revised": plan_revised,
    "attempt_started": attempt_started,
    "attempt_claimed": attempt_claimed,
    "heartbeat_received": heartbeat_received,
    "phase_reported": phase_reported,
    "permit_requested": permit_requested,
    "work_handed_over": work_handed_over,
    "token_minted": token_minted,
    "attempt_finished": attempt_finished,
    "attempt_gone": attempt_gone,
    "job_ended": job_ended,
    "job_taken": job_taken,
    "runners_read": runners_read,
    "tokens_revoked": tokens_revoked,
    "remote_read": _remote_read,
    "pull_request_opened": pull_request_opened,
    "report_held_back": _report_held_back,
    "effect_failed": _effect_failed,
    "started": _started,
    "work_stopped": work_stopped,
    "operator_spoke": _operator_spoke,
    "tick": _nothing,
}


def _end_orchestrations(draft: Draft) -> None:
    for orchestration in list(draft.orchestrations.values()):
        live = any(task.live and task.orchestration == orchestration.id for task in draft.tasks.values())
        if orchestration.status in {OrchestrationStatus.RUNNING, OrchestrationStatus.PROPOSED} and not live:
            draft.change_orchestration(orchestration.id, status=OrchestrationStatus.DONE, ended_at=draft.context.now)


def _report_changes(draft: Draft) -> None:
    """Whatever a person could see changed is written again; the effect compares texts and writes only what differs."""
    changed = {o.id for key, o in draft.orchestrations.items() if draft.before.orchestrations.get(key) is not o}
    for issue, task in draft.tasks.items():
        earlier = draft.before.tasks.get(issue)
        if earlier is not task:
            changed |= {task.orchestration, earlier.orchestration if earlier else ""}
    for key, attempt in draft.attempts.items():
        before = draft.before.attempts.get(key)
        if before is None or (before.phase, before.status) != (attempt.phase, attempt.status):
            changed.add(attempt.orchestration)
    repository_id = draft.repository.id
    for orchestration in sorted(changed - {""}):
        if not any(isinstance(a, SyncReport) and a.orchestration == orchestration for a in draft.actions):
            draft.act(SyncReport(repository_id=repository_id, orchestration=orchestration))
