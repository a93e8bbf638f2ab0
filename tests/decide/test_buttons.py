"""Buttons and GitHub's Re-run: who presses is checked, every press is answered."""

from app.actions import CheckPresser, SyncReport
from app.events import ButtonPressed, PresserKnown
from shared.models import VerdictName
from tests.support.decisions import Desk
from tests.support.protocol import REPOSITORY


def pressed(identifier: str, permission: str = "write", external_id: str = "1-1") -> PresserKnown:
    """Somebody's press, their role known."""
    known = PresserKnown(repository_id=1, external_id=external_id, identifier=identifier, sender="bob", permission="none")
    return known.model_copy(update={"permission": permission})


def failed_twice() -> Desk:
    """Two issues whose agents failed."""
    desk = Desk()
    desk.plan(desk.issue(1), desk.issue(2))
    desk.finish(1, VerdictName.AGENT_FAILED)
    desk.finish(2, VerdictName.AGENT_FAILED)
    desk.actions.clear()
    return desk


def test_a_press_is_believed_only_after_the_role_is_known() -> None:
    """The payload says who, GitHub says what they may."""
    desk = failed_twice()
    desk.tell(
        ButtonPressed(repository_id=1, repository=REPOSITORY, external_id="1-1:2", head_sha="x", identifier="retry", sender="bob")
    )

    assert desk.actions == [CheckPresser(repository_id=1, external_id="1-1:2", identifier="retry", sender="bob")]


def test_rerun_of_a_suite_finds_its_check_by_the_commit() -> None:
    """GitHub names no check there."""
    desk = failed_twice()
    for sha in ("base", "unknown"):
        desk.tell(
            ButtonPressed(repository_id=1, repository=REPOSITORY, external_id="", head_sha=sha, identifier="rerun", sender="bob")
        )

    assert [action.external_id for action in desk.actions if isinstance(action, CheckPresser)] == ["1-1"]


def test_retry_starts_what_failed_and_only_that() -> None:
    """In an orchestration of its own; what ended well stays."""
    desk = Desk()
    desk.plan(desk.issue(1), desk.issue(2))
    desk.finish(1, VerdictName.AGENT_FAILED)
    desk.finish(2, pull=7)

    desk.tell(pressed("retry"))

    assert (desk.task(1).status, desk.task(1).orchestration) == ("intake", "1-2")
    assert desk.task(2).verified


def test_rerun_of_one_check_retries_that_task_alone() -> None:
    """The others may be somebody else's."""
    desk = failed_twice()

    desk.tell(pressed("rerun", external_id="1-1:2"))

    assert (desk.task(1).status, desk.task(2).status) == ("done", "intake")


def test_a_press_without_write_access_is_answered_and_does_nothing() -> None:
    """The check is written again, because GitHub shows it as waiting after a Re-run."""
    desk = failed_twice()

    desk.tell(pressed("retry", permission="read"))

    assert desk.actions == [SyncReport(repository_id=1, orchestration="1-1", again=True)]
    assert desk.task(1).status == "done"


def test_cancel_stops_what_runs_and_drops_what_waits() -> None:
    """Everything of the orchestration."""
    desk = Desk()
    desk.plan(desk.issue(1), desk.issue(2, "Depends on #1"))
    desk.claim(1)

    desk.tell(pressed("cancel"))

    waiting = desk.task(2).verdict
    assert waiting is not None
    assert waiting.name is VerdictName.CANCELLED
    assert len(desk.asked("stop_attempt")) == 1
