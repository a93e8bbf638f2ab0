"""Blockers that come or go after the plan: what waits follows them, what runs is left alone, and the difference is told."""

from dataclasses import replace

from app.actions import ReadBlockers, ReadIssue
from app.events import AttemptGone, BlockersRead, BlockersTouched, IssueRead, IssueTouched, PlanReady, RepositoryRef
from app.planning.plan import BlockerState, make_plan
from app.planning.tree import Tree
from shared.models import IssueSnapshot, VerdictName
from shared.repository_settings import RepositorySettings
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


def close(desk: Desk, issue: int) -> None:
    """A person closes the issue."""
    desk.tell(IssueRead(repository_id=1, issue=issue, state="closed"))


def test_closing_a_planned_blocker_that_waits_lets_its_dependents_go_on() -> None:
    """Closed is done, as of a blocker outside the batch: they are planned anew, where the newest commit has what a person did."""
    desk = Desk(policy=replace(POLICY, slots=1))
    desk.plan(desk.issue(3), desk.issue(4, "Depends on #3"), desk.issue(5, "Depends on #4"))
    desk.plan(desk.issue(6), desk.issue(7, "Depends on #6"), desk.issue(8, "Depends on #7"))
    assert desk.running == [3]
    close(desk, 6)
    assert (desk.task(6).status, desk.task(7).status, desk.task(7).after) == ("done", "intake", ())
    verdict = desk.task(8).verdict
    assert verdict is not None
    assert verdict.name is VerdictName.BLOCKED, "what it waits for is still to be done"
    changes = [change.what for change in list(desk.state.orchestrations.values())[1].changes]
    assert "#7 is planned anew in another orchestration" in changes
    assert desk.running == [3]


def test_closing_a_blocker_that_is_worked_on_lets_its_dependents_go_on_once_it_has_stopped() -> None:
    """Not before: its attempt may still write."""
    desk = Desk()
    desk.plan(desk.issue(3), desk.issue(4, "Depends on #3"))
    desk.claim(3)
    close(desk, 3)
    assert (desk.task(3).status, desk.task(4).status) == ("running", "waiting")
    desk.finish(3, VerdictName.CANCELLED)
    assert desk.asked("read_issue") == [ReadIssue(repository_id=1, issue=3)]
    close(desk, 3)
    assert desk.task(4).status == "intake"


def test_taking_the_label_off_a_blocker_blocks_its_dependents() -> None:
    """Nothing was done: they wait for it, and go on by themselves when it was labelled again and is done."""
    desk = Desk(policy=replace(POLICY, slots=1))
    desk.plan(desk.issue(3), desk.issue(4, "Depends on #3"))
    desk.claim(3)
    desk.read(desk.issue(3), label_event=None)
    desk.finish(3, VerdictName.CANCELLED)
    verdict = desk.task(4).verdict
    assert verdict is not None
    assert verdict.name is VerdictName.BLOCKED
    desk.plan(desk.issue(3))
    desk.finish(3, pull=11)
    assert desk.task(4).status == "intake"


def revise(desk: Desk, orchestration: str, *issues: IssueSnapshot, **blockers: BlockerState) -> None:
    """The planner answers."""
    states = {int(name[1:]): state for name, state in blockers.items()}
    plan = make_plan(list(issues), Tree(("README.md",)), slots=1, blockers=states)
    about = {"orchestration": orchestration, "base_sha": "base", "default_branch": "main", "clone_url": "http://x"}
    desk.tell(PlanReady(repository_id=1, plan=plan, settings=RepositorySettings(), **about))


def in_planning(*issues: IssueSnapshot) -> tuple[Desk, str]:
    """The planner is at work."""
    desk = Desk()
    for issue in issues:
        desk.read(issue)
    desk.wait(21)
    (orchestration,) = desk.state.orchestrations.values()
    assert orchestration.status == "planning"
    return desk, orchestration.id


def test_a_blocker_that_is_marked_while_the_plan_is_made_is_not_overlooked() -> None:
    """The planner may have asked before, during a long clone: what it answers is not taken, and it is asked again, once."""
    three, four = Desk().issue(3), Desk().issue(4)
    desk, orchestration = in_planning(three, four)
    desk.tell(BlockersTouched(repository_id=1, repository=WIDGETS, issue=4))
    assert desk.asked("read_blockers") == [], "the planner reads them"
    revise(desk, orchestration, three, four)
    assert (desk.running, len(desk.asked("make_plan"))) == ([], 2)
    revise(desk, orchestration, three, four.model_copy(update={"blocked_by": (3,)}))
    assert (desk.running, desk.task(4).after, len(desk.asked("make_plan"))) == ([3], (3,), 2)


def test_a_blocker_that_is_closed_while_the_plan_is_made_blocks_nothing() -> None:
    """By the first answer it would, and nobody would tell that it was closed again."""
    five = Desk().issue(5, "Blocked by #99")
    desk, orchestration = in_planning(five)
    desk.tell(IssueTouched(repository_id=1, repository=WIDGETS, issue=99, action="closed"))
    revise(desk, orchestration, five, n99="open")
    assert desk.task(5).status == "intake"
    revise(desk, orchestration, five, n99="closed")
    assert desk.running == [5]


def test_marks_before_the_intake_is_over_are_left_to_the_planner() -> None:
    """It has not looked yet; nothing is planned twice."""
    desk = Desk()
    desk.read(desk.issue(3))
    desk.tell(BlockersTouched(repository_id=1, repository=WIDGETS, issue=3))
    desk.plan(desk.issue(3))
    assert (desk.running, len(desk.asked("make_plan")), desk.asked("read_blockers")) == ([3], 1, [])
