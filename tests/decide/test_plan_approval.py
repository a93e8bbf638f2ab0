"""`approval: plan`: the plan is shown, nothing is spent, and somebody who may starts or cancels it."""

from dataclasses import replace

from app.events import PresserKnown
from shared.models import VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.decisions import POLICY, Desk

ASKS = RepositorySettings(approval="plan")


def press(desk: Desk, identifier: str, permission: str = "write") -> None:
    """A button of the newest orchestration's check."""
    orchestration = list(desk.state.orchestrations)[-1]
    event = PresserKnown(repository_id=1, external_id=orchestration, identifier=identifier, sender="ann", permission="none")
    desk.tell(event.model_copy(update={"permission": permission}))


def proposed() -> Desk:
    """Two issues whose plan waits."""
    desk = Desk()
    desk.plan(desk.issue(5), desk.issue(6), settings=ASKS)
    return desk


def test_nothing_starts_until_somebody_with_write_access_presses_start() -> None:
    """Neither time nor a reader starts it; the wall time begins with the press."""
    desk = proposed()
    desk.wait(3600)
    press(desk, "start", "read")
    assert (desk.running, desk.asked("start_attempt")) == ([], [])
    press(desk, "start")
    (orchestration,) = desk.state.orchestrations.values()
    assert (desk.running, orchestration.status, orchestration.planned_at) == ([5, 6], "running", desk.now)
    assert [change.what for change in orchestration.changes] == ["the plan was started"]


def test_cancel_ends_it_without_any_attempt() -> None:
    """Every task is cancelled, and the orchestration is over."""
    desk = proposed()
    press(desk, "cancel")
    (orchestration,) = desk.state.orchestrations.values()
    assert orchestration.status == "done"
    assert {task.verdict.name for task in desk.state.tasks.values() if task.verdict} == {VerdictName.CANCELLED}
    assert desk.state.attempts == {}


def test_a_later_batch_has_its_own_approval() -> None:
    """Starting one plan starts no other."""
    desk = proposed()
    desk.plan(desk.issue(7), settings=ASKS)
    press(desk, "start")
    assert desk.running == [7]


def test_a_single_job_waits_for_nobody() -> None:
    """There the label is the approval, and merges are not waited for."""
    desk = Desk(policy=replace(POLICY, attended=False))
    asks = RepositorySettings(approval="plan", stack=False, on_conflict="after_merge")
    desk.plan(desk.issue(5), desk.issue(6, body="Depends on #5"), settings=asks)
    assert desk.running == [5]
    desk.finish(5, pull=11)
    assert desk.running == [6]
