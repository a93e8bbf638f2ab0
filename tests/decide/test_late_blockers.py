"""Blockers that come or go after the plan: what waits follows them, what runs is left alone, and the difference is told."""

from dataclasses import replace

from app.actions import ReadBlockers
from app.events import AttemptGone, BlockersRead, BlockersTouched, IssueRead, RepositoryRef
from shared.models import VerdictName
from tests.support.decisions import POLICY, Desk

WIDGETS = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)


def planned(*numbers: int, slots: int = 1) -> Desk:
    """Issues of which as many run as there are slots."""
    desk = Desk(policy=replace(POLICY, slots=slots))
    desk.plan(*(desk.issue(number) for number in numbers))
    return desk


def block(desk: Desk, issue: int, *by: int, elsewhere: tuple[str, ...] = ()) -> None:
    """GitHub is asked after a webhook, and names what is open."""
    desk.tell(BlockersTouched(repository_id=1, repository=WIDGETS, issue=issue))
    assert desk.asked("read_blockers")[-1] == ReadBlockers(repository_id=1, issue=issue)
    desk.tell(BlockersRead(repository_id=1, issue=issue, open=by, elsewhere=elsewhere))


def told(desk: Desk) -> list[str]:
    """What changed since the plan."""
    (orchestration, *_) = desk.state.orchestrations.values()
    return [change.what for change in orchestration.changes]


def test_a_waiting_task_follows_a_late_blocker() -> None:
    """It starts after that one, and when the mark is taken off again it does not wait any more."""
    desk = planned(5, 6, 7)
    block(desk, 6, 7)
    assert desk.task(6).after == (7,)
    assert told(desk) == ["#6 now also waits for #7: it was marked as blocked by it"]
    desk.finish(5, pull=11)
    assert desk.running == [7]
    block(desk, 6)
    assert desk.task(6).after == ()
    assert told(desk)[-1] == "#6 no longer waits for #7: the mark was taken off"


def test_work_that_runs_is_left_alone() -> None:
    """Once, however often it is told."""
    desk = planned(5, 6)
    block(desk, 5, 6)
    block(desk, 5, 6)
    assert (desk.running, desk.task(5).after) == ([5], ())
    assert told(desk) == ["#5 was marked as blocked by #6 while it is worked on: it is left alone"]


def test_an_open_issue_that_nobody_works_on_blocks() -> None:
    """As at planning; it goes on by itself once that issue is closed."""
    desk = planned(5, 6)
    block(desk, 6, 99)
    verdict = desk.task(6).verdict
    assert verdict is not None
    assert (verdict.name, verdict.reason) == (VerdictName.BLOCKED, "it was marked as blocked by #99, which is open and not planned")
    assert told(desk) == [f"#6 never started: {verdict.reason}"]
    desk.tell(IssueRead(repository_id=1, issue=99, state="closed"))
    assert desk.task(6).status == "intake"


def test_a_blocker_in_another_repository_is_named_with_it() -> None:
    """Its state comes from the mark itself."""
    desk = planned(5, 6)
    block(desk, 6, elsewhere=("acme/gears#3",))
    verdict = desk.task(6).verdict
    assert verdict is not None
    assert "acme/gears#3" in verdict.reason


def test_a_circle_is_refused_where_it_was_closed() -> None:
    """The others go on."""
    desk = planned(5, 6, 7)
    block(desk, 6, 7)
    block(desk, 7, 6)
    verdict = desk.task(7).verdict
    assert verdict is not None
    assert verdict.name is VerdictName.NOT_PLANNED
    assert "#6, #7 wait for each other" in verdict.reason


def test_blockers_are_looked_at_again_before_a_lost_attempt_is_repeated() -> None:
    """They may have come while it was worked on."""
    desk = planned(5, 6)
    desk.claim(5)
    desk.tell(AttemptGone(repository_id=1, attempt=desk.task(5).attempt, reason="its runner process died"))
    assert ReadBlockers(repository_id=1, issue=5) in desk.actions
