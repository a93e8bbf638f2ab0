"""What runs when, from which commit, and what waits or is blocked."""

from dataclasses import replace

from app.events import AttemptGone, BaseMoved, PullRequestChanged
from app.planning.capacity import Machine
from app.planning.estimate import Past
from shared.models import Kind, VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.decisions import POLICY, Desk
from tests.support.protocol import REPOSITORY


def test_one_window_one_orchestration() -> None:
    """Labels within the intake are planned together; a later one opens the next."""
    desk = Desk()
    desk.read(desk.issue(1))
    desk.wait(15)
    desk.read(desk.issue(2))
    desk.wait(15)

    assert not desk.asked("make_plan"), "the window was prolonged by the second label"

    desk.wait(6)
    desk.read(desk.issue(3))

    assert {task.orchestration for task in desk.state.tasks.values()} == {"1-1", "1-2"}
    assert len(desk.asked("make_plan")) == 1


def test_a_window_ends_even_when_labels_keep_coming() -> None:
    """Two minutes at most."""
    desk = Desk()
    for number in range(1, 10):
        desk.read(desk.issue(number))
        desk.wait(15)

    assert len(desk.asked("make_plan")) == 1


def test_slots_bound_what_runs_and_are_refilled_at_once() -> None:
    """No waves: the first end starts the next."""
    desk = Desk(replace(POLICY, slots=2))
    desk.plan(*(desk.issue(number) for number in (1, 2, 3)))
    assert desk.running == [1, 2]

    desk.finish(1, pull=11)

    assert desk.running == [2, 3]


def test_memory_bounds_what_runs_but_never_stops_everything() -> None:
    """A young attempt counts with what it is expected to use; an idle machine takes one however small it is."""
    desk = Desk(machine=Machine(free_memory_mib=2500))
    desk.plan(*(desk.issue(number) for number in (1, 2, 3)))
    tiny = Desk(machine=Machine(free_memory_mib=10))
    tiny.plan(desk.issue(1), desk.issue(2))

    assert desk.running == [1, 2]
    assert tiny.running == [1]


def test_what_was_measured_decides_how_many_fit() -> None:
    """Enough attempts have shown that a task needs little: then more of them run at once."""
    desk = Desk(machine=Machine(free_memory_mib=2500))
    batch = [desk.issue(number) for number in (1, 2, 3)]
    desk.history = tuple(Past(kind, 5, 100) for kind in Kind for _ in range(20))
    desk.plan(*batch)

    assert desk.running == [1, 2, 3]


def test_likely_conflicts_do_not_run_at_once_and_the_later_one_is_stacked() -> None:
    """The second starts from the first one's verified branch."""
    desk = Desk()
    desk.plan(desk.issue(1, "`src/auth.py` is wrong"), desk.issue(2, "`src/auth.py` is slow"), desk.issue(3, "docs/install.md"))
    assert desk.running == [1, 3]

    desk.finish(1, pull=11)

    assert desk.running == [2, 3]
    assert (desk.task(2).base_sha, desk.task(2).stacked_on) == ("head-1", (1,))
    assert desk.task(3).base_sha == "base"


def test_conflicts_run_at_once_where_the_repository_wants_it() -> None:
    """`on_conflict: parallel`."""
    desk = Desk()
    settings = RepositorySettings(on_conflict="parallel")
    desk.plan(desk.issue(1, "`src/auth.py` is wrong"), desk.issue(2, "`src/auth.py` is slow"), settings=settings)

    assert desk.running == [1, 2]
    assert desk.task(2).base_sha == "base"


def test_a_conflicting_task_that_failed_does_not_hold_the_other() -> None:
    """It starts from the commit that was planned on."""
    desk = Desk()
    desk.plan(desk.issue(1, "`src/auth.py` is wrong"), desk.issue(2, "`src/auth.py` is slow"))
    desk.finish(1, VerdictName.AGENT_FAILED)

    assert (desk.running, desk.task(2).base_sha) == ([2], "base")


def test_a_dependent_is_blocked_by_a_failure_and_never_run() -> None:
    """So is what depends on it in turn."""
    desk = Desk()
    desk.plan(desk.issue(1), desk.issue(2, "Depends on #1"), desk.issue(3, "Depends on #2"))
    desk.finish(1, VerdictName.TESTS_FAILED)

    verdicts = [verdict.name for number in (2, 3) if (verdict := desk.task(number).verdict)]
    assert verdicts == ["blocked", "blocked"]
    assert not desk.running
    assert {o.status for o in desk.state.orchestrations.values()} == {"done"}


def test_two_predecessors_are_both_in_the_base() -> None:
    """One is the base, the other is merged into it; a chain needs only its top."""
    desk = Desk()
    desk.plan(desk.issue(1), desk.issue(2), desk.issue(3, "Depends on #1 and #2"), desk.issue(4, "Depends on #1, depends on #3"))
    desk.finish(1, pull=11)
    desk.finish(2, pull=12)
    desk.finish(3, pull=13)

    assert (desk.task(3).base_sha, desk.task(3).merge_shas, desk.task(3).stacked_on) == ("head-1", ("head-2",), (1, 2))
    assert (desk.task(4).base_sha, desk.task(4).merge_shas) == ("head-3", ())


def test_after_a_merge_the_new_default_branch_is_the_base() -> None:
    """What was merged is there, whatever way it was merged."""
    desk = Desk(replace(POLICY, slots=1))
    desk.plan(desk.issue(1), desk.issue(2, "Depends on #1"), desk.issue(3, "Please hurry: src/billing.py"))
    desk.finish(1, pull=11)
    running = desk.running[0]
    waiting = ({2, 3} - {running}).pop()
    merged = {
        "number": 11,
        "action": "closed",
        "state": "closed",
        "merged": True,
        "head_sha": "head-1",
        "head_ref": desk.task(1).branch,
    }
    desk.tell(PullRequestChanged(repository_id=1, repository=REPOSITORY, **merged))
    desk.tell(BaseMoved(repository_id=1, repository=REPOSITORY, ref="refs/heads/main", sha="base-2"))
    desk.finish(running, pull=12)

    if waiting == 2:
        assert desk.task(2).base_sha == "base-2"
    else:
        assert desk.task(3).base_sha == "base"


def test_a_lost_attempt_is_tried_again_three_times_at_most() -> None:
    """Then the task says so."""
    desk = Desk()
    desk.plan(desk.issue(5))
    for _ in range(3):
        attempt = desk.task(5).attempt
        desk.claim(5)
        desk.tell(AttemptGone(repository_id=1, attempt=attempt, reason="its runner process died"))

    verdict = desk.task(5).verdict
    assert verdict is not None
    assert verdict.name is VerdictName.LOST
    assert "3 attempts" in verdict.reason
    assert desk.task(5).attempts == 3


def test_a_cycle_is_named_and_the_rest_runs() -> None:
    """Not planned, with the reason; the others start."""
    desk = Desk()
    desk.plan(desk.issue(1, "Depends on #2"), desk.issue(2, "Depends on #1"), desk.issue(3))

    first = desk.task(1).verdict
    assert first is not None
    assert first.name is VerdictName.NOT_PLANNED
    assert "#2" in first.reason
    assert desk.running == [3]


def test_a_dozen_on_one_file_never_run_together_whatever_the_plan_lists() -> None:
    """A plan lists ten conflicts of a task at most; all of them count."""
    desk = Desk()
    batch = [desk.issue(number, "`src/auth.py` is wrong") for number in range(1, 14)]
    desk.plan(*batch)
    plan = next(iter(desk.state.orchestrations.values())).plan
    assert plan is not None
    listed = [edge.between for edge in plan.edges if edge.between]

    assert max(sum(number in pair for pair in listed) for number in range(1, 14)) == 10
    for number in range(1, 14):
        assert len(desk.running) == 1
        desk.finish(desk.running[0], pull=100 + number)
    assert all(desk.task(number).verified for number in range(1, 14))


def test_conflicts_hold_across_orchestrations() -> None:
    """A later label on the same file waits for the earlier task and is stacked on it."""
    desk = Desk()
    desk.plan(desk.issue(1, "`src/auth.py` is wrong"))
    desk.plan(desk.issue(2, "`src/auth.py` is slow"))
    assert desk.running == [1]

    desk.finish(1, pull=11)

    assert (desk.running, desk.task(2).stacked_on) == ([2], (1,))
