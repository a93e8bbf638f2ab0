"""`publish: hold`: nothing of the work is on GitHub until somebody who may says so; then it is exactly that commit."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from app.actions import AnswerCommand, DropHeld
from app.decide.policy import Policy
from app.decide.state import Permit, Task
from app.events import (
    AttemptFinished,
    AttemptGone,
    CommandRead,
    PermitRequested,
    PresserKnown,
    PullRequestChanged,
    RepositoryChanged,
    WorkHandedOver,
)
from app.events import IssueRead as Read
from shared.messages import HeldWork
from shared.models import AttemptReport, FileChange, Verdict, VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.decisions import POLICY, Desk

HOLDS = RepositorySettings(publish="hold")
GOOD = Verdict(name=VerdictName.SUCCEEDED, reason="the tests pass: 3 passed")


def report(issue: int, verdict: Verdict = GOOD) -> AttemptReport:
    """What an attempt says of the commit `head-<issue>`."""
    changes = (FileChange(path="a.py", added=3, removed=1),)
    return AttemptReport(verdict=verdict, head_sha=f"head-{issue}", changes=changes)


def hand_over(desk: Desk, issue: int, **wrong: str) -> str:
    """Claim, permit, and all of the work goes to the app; the refusal of the last step."""
    desk.publish(issue, report(issue))
    event = WorkHandedOver(
        repository_id=1,
        attempt=desk.task(issue).attempt,
        nonce="n",
        head_sha=f"head-{issue}",
        work=HeldWork(report=report(issue), bytes=10, sha256="0" * 64),
    )
    return desk.tell(event.model_copy(update=wrong))


def held(desk: Desk | None = None, policy: Policy = POLICY, settings: RepositorySettings = HOLDS) -> Desk:
    """Issue 5, done and waiting to be published."""
    desk = desk or Desk(policy=policy)
    desk.plan(desk.issue(5), settings=settings)
    attempt = desk.task(5).attempt
    assert hand_over(desk, 5) == ""
    says = report(5, Verdict(name=VerdictName.HELD, reason="it waits"))
    desk.tell(AttemptFinished(repository_id=1, attempt=attempt, nonce="n", report=says))
    return desk


def say(desk: Desk, command: str, role: Literal["write", "read"] = "write") -> AnswerCommand:
    """A comment on issue 5; the answer to it."""
    desk.tell(CommandRead(repository_id=1, number=5, comment=70, author="ann", permission=role, command=command, words="more"))
    return [action for action in desk.actions if isinstance(action, AnswerCommand)][-1]


def press(desk: Desk, identifier: str, permission: Literal["write", "read"] = "write") -> None:
    """A button of the whole check."""
    orchestration = desk.task(5).orchestration
    desk.tell(PresserKnown(repository_id=1, external_id=orchestration, identifier=identifier, sender="ann", permission=permission))


def name_of(task: Task) -> str:
    """The verdict's name."""
    return task.verdict.name if task.verdict else ""


def permit_of(desk: Desk) -> Permit:
    """Of the attempt at issue 5."""
    permit = desk.state.attempts[desk.task(5).attempt].permit
    assert permit is not None
    return permit


def dropped(desk: Desk) -> list[str]:
    """Whose bundles were asked to be removed."""
    return [action.attempt for action in desk.actions if isinstance(action, DropHeld)]


def test_a_permit_is_neither_granted_nor_refused_and_the_attempt_ends_without_a_slot() -> None:
    """The branch may not hold the head: nothing was permitted. The task is over for now, and nobody works on it."""
    desk = Desk()
    desk.plan(desk.issue(5), settings=HOLDS)
    desk.publish(5, report(5))
    assert (permit_of(desk).status, desk.task(5).heads) == ("held", ())
    desk = held()
    task = desk.task(5)
    assert (task.status, name_of(task), task.waits_to_be_published, task.heads) == ("done", "held", True, ())
    assert task.verdict is not None
    assert "the tests pass: 3 passed" in task.verdict.reason
    assert not any(attempt.holds_slot for attempt in desk.state.attempts.values())
    assert [o.status for o in desk.state.orchestrations.values()] == ["done"]


def test_only_what_was_asked_for_can_be_handed_over() -> None:
    """Another commit, another process, or an attempt that was never told to: refused."""
    desk = Desk()
    desk.plan(desk.issue(5), settings=HOLDS)
    assert "nobody asked" in hand_over(desk, 5, head_sha="another")
    assert "over" in hand_over(desk, 5, nonce="another")
    free = Desk()
    free.plan(free.issue(5))
    assert "nobody asked" in hand_over(free, 5)


def test_a_runner_that_only_says_so_is_not_believed() -> None:
    """Without anything handed over nothing waits: publishing failed."""
    desk = Desk()
    desk.plan(desk.issue(5), settings=HOLDS)
    desk.finish(5, VerdictName.HELD)
    assert (name_of(desk.task(5)), desk.task(5).on_hold) == ("publish_failed", None)


def test_a_runner_that_dies_after_handing_over_has_lost_nothing() -> None:
    """Killed before its last word: the work waits all the same, and is not done twice."""
    desk = Desk()
    desk.plan(desk.issue(5), settings=HOLDS)
    attempt = desk.task(5).attempt
    hand_over(desk, 5)
    desk.tell(AttemptGone(repository_id=1, attempt=attempt, reason="its process died"))
    assert (name_of(desk.task(5)), desk.task(5).attempts) == ("held", 1)


@pytest.mark.parametrize("way", ["command", "button"])
def test_a_writer_lets_it_out_and_a_reader_does_not(way: str) -> None:
    """An attempt starts that gets a permit for that commit, and for no other."""
    desk = held()
    say(desk, "publish", "read") if way == "command" else press(desk, "publish", "read")
    assert desk.task(5).waits_to_be_published
    say(desk, "publish") if way == "command" else press(desk, "publish")
    task = desk.task(5)
    assert (task.status, task.released_by, task.attempts) == ("running", "ann", 2)
    assert desk.state.attempts[task.attempt].releases
    desk.publish(5, report(5))
    assert permit_of(desk).status == "granted"
    asks = {"attempt": task.attempt, "nonce": "n", "sequence": 2, "head_sha": "another"}
    desk.tell(PermitRequested(repository_id=1, report=report(5), **asks))
    desk.tell(desk.remote(5, task.attempt, 2))
    assert permit_of(desk).status == "held"


def test_once_published_the_bundle_goes() -> None:
    """The task is a success like any other, with one pull request."""
    desk = held()
    say(desk, "publish")
    desk.finish(5, pull=11)
    task = desk.task(5)
    assert (name_of(task), task.pull_request, task.on_hold, task.released_by) == ("succeeded", 11, None, "")
    assert dropped(desk) == ["1-5-1-1"]
    assert say(desk, "publish").text == "Nothing of #5 waits to be published."


def test_it_costs_no_budget_to_publish() -> None:
    """No model is asked: nothing is set aside."""
    desk = held(policy=replace(POLICY, attempt_cost_usd=10.0, orchestration_cost_usd=10.0))
    say(desk, "publish")
    assert desk.state.attempts[desk.task(5).attempt].reserved_usd == 0


def test_an_edit_while_it_waits_needs_a_new_approval() -> None:
    """What was approved is no longer what the issue says: the bundle is not published."""
    desk = held()
    edited = desk.issue(5, body="Something else.")
    event = Read(repository_id=1, issue=5, state="open", snapshot=edited, label_event=1, labeller="ann", permission="write")
    desk.tell(event)
    assert (name_of(desk.task(5)), dropped(desk)) == ("edited_after_approval", ["1-5-1-1"])
    assert say(desk, "publish").text == "Nothing of #5 waits to be published."


def test_a_label_put_on_again_keeps_it_for_the_same_text_and_starts_over_for_another() -> None:
    """The approval is one of the text."""
    desk = held()
    desk.read(desk.issue(5))
    assert desk.task(5).waits_to_be_published
    desk.read(desk.issue(5, body="Something else."))
    assert (desk.task(5).status, desk.task(5).on_hold, dropped(desk)) == ("intake", None, ["1-5-1-1"])


def test_an_edit_nobody_told_us_of_is_found_by_the_permit() -> None:
    """The issue is read again before anything is written."""
    desk = held()
    say(desk, "publish")
    attempt = desk.task(5).attempt
    desk.claim(5)
    asks = {"attempt": attempt, "nonce": "n", "sequence": 1, "head_sha": "head-5"}
    desk.tell(PermitRequested(repository_id=1, report=report(5), **asks))
    desk.tell(desk.remote(5, attempt, 1).model_copy(update={"issue_hash": "another"}))
    assert permit_of(desk).status == "refused"
    desk.tell(AttemptFinished(repository_id=1, attempt=attempt, nonce="n", report=report(5)))
    assert (name_of(desk.task(5)), dropped(desk)) == ("edited_after_approval", ["1-5-1-1"])


@pytest.mark.parametrize("how", ["command", "button", "closed"])
def test_it_can_be_thrown_away(how: str) -> None:
    """Cancelled by a person, or with its issue."""
    desk = held()
    if how == "closed":
        desk.tell(Read(repository_id=1, issue=5, state="closed"))
    elif how == "button":
        press(desk, "cancel")
    else:
        assert say(desk, "cancel").reaction == "+1"
    assert (name_of(desk.task(5)), dropped(desk)) == ("cancelled", ["1-5-1-1"])


def test_a_repository_that_everybody_can_read_gets_nothing_of_it() -> None:
    """Made public while it waits, where the operator has not allowed that: deleted."""
    desk = held()
    desk.tell(RepositoryChanged.model_validate({"repository_id": 1, "repository": _WIDGETS, "what": "publicized"}))
    assert (name_of(desk.task(5)), dropped(desk)) == ("cancelled", ["1-5-1-1"])


def test_publishing_waits_for_no_model_and_proves_nothing_about_it() -> None:
    """The provider refuses others: this one starts at once, and they go on waiting."""
    desk = held()
    desk.plan(desk.issue(6), settings=HOLDS)
    desk.finish(6, VerdictName.PROVIDER_LIMIT, retry_seconds=3600)
    say(desk, "publish")
    assert desk.running == [5]
    assert not desk.state.attempts[desk.task(5).attempt].probe
    desk.finish(5, pull=11)
    assert (name_of(desk.task(5)), desk.task(6).waits_for_provider, desk.running) == ("succeeded", True, [])


def test_it_is_not_kept_for_ever() -> None:
    """The task says so, names the setting, and can be tried again."""
    desk = held(policy=replace(POLICY, hold=timedelta(hours=2)))
    desk.wait(7100)
    assert desk.task(5).waits_to_be_published
    desk.wait(200)
    task = desk.task(5)
    assert task.verdict is not None
    assert "within 2 hours (SHOAL_HOLD_HOURS)" in task.verdict.reason
    assert (name_of(task), dropped(desk)) == ("cancelled", ["1-5-1-1"])
    assert say(desk, "retry").reaction == "+1"


def test_time_does_not_run_out_while_it_is_being_published() -> None:
    """Who said publish in time gets it."""
    desk = held(policy=replace(POLICY, hold=timedelta(hours=2), lease=timedelta(days=2)))
    desk.wait(7100)
    say(desk, "publish")
    desk.claim(5)
    desk.wait(3600)
    assert (desk.task(5).status, dropped(desk)) == ("running", [])


def test_a_push_that_fails_leaves_it_waiting_and_a_missing_bundle_ends_it() -> None:
    """After a permit nothing is wrong with the work; before one it cannot be had."""
    desk = held()
    say(desk, "publish")
    attempt = desk.task(5).attempt
    desk.publish(5, report(5))
    failed = report(5, Verdict(name=VerdictName.PUBLISH_FAILED, reason="the push did not reach GitHub"))
    desk.tell(AttemptFinished(repository_id=1, attempt=attempt, nonce="n", report=failed))
    desk.tell(desk.remote(5, attempt, None))
    task = desk.task(5)
    assert (task.waits_to_be_published, task.released_by, dropped(desk)) == (True, "", [])
    assert "publishing it ended as: publish failed (the push did not reach GitHub)" in task.note
    say(desk, "publish")
    desk.finish(5, VerdictName.PUBLISH_FAILED)
    assert (name_of(desk.task(5)), dropped(desk)) == ("publish_failed", ["1-5-1-1"])
    assert say(desk, "retry").reaction == "+1"


def test_who_depends_on_it_waits_and_is_not_blocked() -> None:
    """It starts from the branch once there is one."""
    desk = Desk()
    desk.plan(desk.issue(5), desk.issue(6, body="Depends on #5"), settings=HOLDS)
    attempt = desk.task(5).attempt
    hand_over(desk, 5)
    says = report(5, Verdict(name=VerdictName.HELD, reason="it waits"))
    desk.tell(AttemptFinished(repository_id=1, attempt=attempt, nonce="n", report=says))
    assert (desk.task(6).status, desk.running) == ("waiting", [])
    say(desk, "publish")
    desk.finish(5, pull=11)
    assert (desk.running, desk.task(6).stacked_on) == ([6], (5,))


def test_what_is_added_to_a_pull_request_waits_too() -> None:
    """`/shoal fix` under hold: the pull request stands as it is; thrown away, it has its verdict back."""
    desk = held()
    say(desk, "publish")
    desk.finish(5, pull=11)
    say(desk, "fix")
    hand_over(desk, 5)
    desk.tell(AttemptGone(repository_id=1, attempt=desk.task(5).attempt, reason="its process died"))
    task = desk.task(5)
    assert (name_of(task), task.pull_request_state, task.follow_up is not None) == ("held", "open", True)
    assert "say `/shoal publish` or `/shoal cancel` first" in say(desk, "fix").text
    say(desk, "cancel")
    task = desk.task(5)
    assert (name_of(task), task.follow_up, "ended as: cancelled" in task.note) == ("succeeded", None, True)


def test_a_merge_ends_what_was_to_be_added() -> None:
    """There is no pull request to add to any more."""
    desk = held()
    say(desk, "publish")
    desk.finish(5, pull=11)
    say(desk, "fix")
    hand_over(desk, 5)
    desk.tell(AttemptGone(repository_id=1, attempt=desk.task(5).attempt, reason="its process died"))
    merged = {"number": 11, "action": "closed", "head_ref": desk.task(5).branch, "head_sha": "head-5", "state": "closed"}
    desk.tell(PullRequestChanged.model_validate({"repository_id": 1, "repository": _WIDGETS, "merged": True, **merged}))
    assert (name_of(desk.task(5)), desk.task(5).on_hold) == ("succeeded", None)


def test_a_single_job_refuses_to_hold() -> None:
    """Nobody would be there to publish it later, and to publish it now is what was forbidden: nothing starts."""
    desk = Desk(policy=replace(POLICY, attended=False))
    desk.plan(desk.issue(5), settings=HOLDS)
    task = desk.task(5)
    assert task.verdict is not None
    assert (name_of(task), desk.running) == ("not_planned", [])
    assert "`publish: hold` in `.github/shoal.yml` needs the app" in task.verdict.reason


_WIDGETS = {"id": 1, "full_name": "acme/widgets", "installation_id": 9}
