"""Stories of whole batches."""

import random

import pytest

from app.planning.capacity import Machine
from app.planning.plan import make_plan, outside_blockers
from shared.models import Kind
from tests.planning.batches import conflicts, dependencies, edge_between, free_text_batch, issue, tree


def test_ordinary_issues_plan_as_a_maintainer_would() -> None:
    """Six issues without declared scope: 1 and 2 not together, 6 after 4, everything else in parallel."""
    issues, files = free_text_batch()
    plan = make_plan(issues, files, slots=6)
    assert dependencies(plan) == [(4, 6)]
    assert conflicts(plan) == [(1, 2)]
    assert not plan.problems
    starts = {start.issue: start for start in plan.schedule.starts}
    assert {number for number, start in starts.items() if start.start_minutes == 0} == {2, 3, 4, 5}
    assert starts[6].start_minutes == starts[4].finish_minutes
    assert starts[1].start_minutes == starts[2].finish_minutes
    assert [task.kind for task in plan.tasks] == [Kind.BUG, Kind.FEATURE, Kind.DOCS, Kind.FEATURE, Kind.BUG, Kind.FEATURE]


def test_the_unique_base_name_is_resolved() -> None:
    """Issue 4 says `tax.py`: there is one, in src/billing."""
    issues, files = free_text_batch()
    planned = {task.issue: task for task in make_plan(issues, files, slots=4).tasks}
    assert planned[4].touches[0].path == "src/billing/tax.py"
    assert planned[4].touches[0].probability >= 0.75
    assert planned[5].touches[0].path == "src/api/rate-limit/client.py"


def test_same_batch_in_any_order_gives_the_same_bytes() -> None:
    """Shuffled input, byte-identical JSON."""
    issues, files = free_text_batch()
    wanted = make_plan(issues, files, slots=4).model_dump_json(by_alias=True)
    for seed in range(5):
        random.Random(seed).shuffle(issues)
        assert make_plan(issues, files, slots=4).model_dump_json(by_alias=True) == wanted
    assert '"schema":1' in wanted


def test_a_circle_is_refused_by_name_and_the_rest_is_planned() -> None:
    """1 -> 2 -> 3 -> 1 wait for each other, 4 waits for 3, 5 is free: each of the first four is named, 5 is planned."""
    batch = [
        issue(1, "Depends on #3"),
        issue(2, "Depends on #1"),
        issue(3, "Depends on #2"),
        issue(4, "After #3"),
        issue(5, "Alone"),
    ]
    plan = make_plan(batch, tree("a.py"), slots=2)
    assert [task.issue for task in plan.tasks] == [5]
    assert {problem.issue: problem.blocked_by for problem in plan.problems} == {1: (3,), 2: (1,), 3: (2,), 4: (3,)}
    assert all("#1, #2, #3" in problem.what for problem in plan.problems if problem.issue in {1, 2, 3})


def test_unplannable_issues_are_named_and_hold_up_their_dependents() -> None:
    """Empty, ambiguous duplicate, blocked from outside: each has its own reason, and what waits for them says so."""
    batch = [
        issue(1, " <!-- nothing to see --> ", title=" "),
        issue(2, "one"),
        issue(2, "other"),
        issue(3, "Blocked by #40"),
        issue(4, "Depends on #1"),
        issue(5, "Depends on #4"),
        issue(6, "Depends on #41, #42 and #6"),
    ]
    plan = make_plan(batch, tree("a.py"), slots=2, blockers={40: "open", 41: "closed", 42: "pull_request"})
    assert [task.issue for task in plan.tasks] == [6]
    said = {problem.issue: problem.what for problem in plan.problems if "hidden" not in problem.what}
    assert said.keys() == {1, 2, 3, 4, 5}
    assert "neither a title nor a text" in said[1]
    assert "2 times" in said[2]
    assert "#40" in said[3]
    assert "#1" in said[4]
    assert "#4" in said[5]
    assert outside_blockers(batch) == (40, 41, 42)


def test_an_unknown_outside_blocker_is_told_and_does_not_stop_the_task() -> None:
    """Nobody looked whether #9 is open: the task is planned, with a remark."""
    plan = make_plan([issue(1, "Depends on #9")], tree("a.py"), slots=1)
    assert [task.issue for task in plan.tasks] == [1]
    assert "#9" in plan.problems[0].what


def test_native_blockers_count_and_beat_the_text() -> None:
    """GitHub's own blocked-by is the strongest evidence of an edge that the text states too."""
    plan = make_plan([issue(1), issue(2, "Depends on #1", blocked_by=(1, 2))], tree("a.py"), slots=2)
    assert [(edge.before, edge.after, edge.evidence, edge.probability) for edge in plan.edges] == [(1, 2, "native blocked-by", 1.0)]


def test_full_addresses_of_the_own_repository_are_dependencies() -> None:
    """A pasted link to our own issue counts."""
    body = "Depends on https://github.com/o/r/issues/1"
    plan = make_plan([issue(1), issue(2, body)], tree("a.py"), slots=2, repository="O/R")
    assert dependencies(plan) == [(1, 2)]


def test_a_blocker_in_another_repository_blocks() -> None:
    """Stated in the text, or marked on GitHub and open there; what waits for such an issue is held up too, the rest is planned."""
    issues = [issue(1), issue(2, "Depends on x/y#7"), issue(3), issue(4, "After #3")]
    plan = make_plan(issues, tree("a.py"), slots=2, repository="o/r", elsewhere={3: ("x/z#9",)})
    assert [task.issue for task in plan.tasks] == [1]
    assert {problem.issue: problem.blocked_elsewhere for problem in plan.problems} == {2: ("x/y#7",), 3: ("x/z#9",), 4: ()}
    assert [problem.blocked_by for problem in plan.problems if problem.issue == 4] == [(3,)]
    assert "x/y#7" in plan.problems[0].what


def test_hidden_text_is_told_and_not_followed() -> None:
    """A comment and a bidi mark are taken out; the dependency in the comment is none."""
    plan = make_plan([issue(1), issue(2, "Fix it\u202e now\n<!-- depends on #1 -->")], tree("a.py"), slots=2)
    assert dependencies(plan) == []
    assert plan.problems[0].what == "hidden text removed from #2: HTML comments, invisible characters"


@pytest.mark.parametrize(
    ("one", "other"), [("`src/a.py`", "src/a.py"), ("a.py", "`a.py`"), ("a.py is slow", "fix a.py"), ("src/new.py", "`src/new.py`")]
)
def test_two_that_name_the_same_file_conflict(one: str, other: str) -> None:
    """By path or unique base name, in backticks or prose, existing or new: at least 0.5."""
    assert conflicts(make_plan([issue(1, one), issue(2, other)], tree("src/a.py", "b.py"), slots=2)) == [(1, 2)]


@pytest.mark.parametrize("path", ["CHANGELOG.md", "uv.lock", "web/package-lock.json", "docs/index.md"])
def test_files_that_merge_by_themselves_do_not_serialise(path: str) -> None:
    """Both name the changelog: they are watched, not kept apart."""
    plan = make_plan([issue(1, f"`{path}`"), issue(2, f"`{path}`")], tree(path), slots=2)
    assert conflicts(plan) == []
    assert conflicts(plan, least=0.05) == [(1, 2)]


def test_an_unknown_scope_conflicts_with_nothing() -> None:
    """Prose that names no file runs beside everything."""
    plan = make_plan([issue(1, "`src/a.py` is wrong"), issue(2, "Everything feels slow lately")], tree("src/a.py"), slots=2)
    assert plan.edges == ()
    assert plan.schedule.makespan_minutes == max(task.estimate.minutes_p50 for task in plan.tasks)


def test_possible_conflicts_are_listed_for_the_ten_likeliest() -> None:
    """Thirty issues share a folder: nobody is kept apart, and nobody's list is longer than ten."""
    batch = [issue(number, "Somewhere in `src/x/`") for number in range(1, 31)]
    plan = make_plan(batch, tree("src/x/a.py", "src/x/b.py", "src/x/c.py"), slots=4)
    pairs = conflicts(plan, least=0.05)
    assert pairs
    assert max(sum(number in pair for pair in pairs) for number in range(1, 31)) == 10


def test_many_on_one_file_never_overlap_in_the_predicted_schedule() -> None:
    """Twenty issues on one file go one by one, whatever the number of slots, and conflicts are named as the limit."""
    plan = make_plan([issue(number, "`src/a.py`") for number in range(1, 21)], tree("src/a.py"), slots=8)
    assert plan.schedule.makespan_minutes == plan.schedule.sequential_minutes == plan.schedule.lower_bound_minutes
    assert plan.schedule.binding_limit == "conflicts"


def test_a_conflict_that_a_dependency_orders_anyway_is_not_listed() -> None:
    """3 waits for 2, 2 for 1, all on one file: three dependencies would say nothing new as conflicts."""
    batch = [issue(1, "`a.py`"), issue(2, "`a.py`, depends on #1"), issue(3, "`a.py`, depends on #2")]
    plan = make_plan(batch, tree("a.py"), slots=3)
    assert conflicts(plan, least=0.0) == []
    assert edge_between(plan, 1, 3) is None


def test_the_reason_of_a_refusal_stands_before_remarks() -> None:
    """Who looks up why #1 is not planned finds that first, not that it held a comment."""
    plan = make_plan(
        [issue(1, "Other repo first: depends on a/b#3 <!-- x -->, depends on #9")], tree("a.py"), slots=1, blockers={9: "open"}
    )
    assert [problem.blocked_by for problem in plan.problems] == [(9,), (), ()]


def test_no_issues_is_an_empty_plan() -> None:
    """Nothing to do: no speed-up is invented."""
    plan = make_plan([], tree("a.py"), slots=2)
    assert plan.schedule.predicted_speedup is None
    assert plan.schedule.makespan_minutes == 0


def test_the_machine_bounds_the_plan_and_is_named() -> None:
    """Two of three tasks of 2,048 MiB fit into 5 GiB; on half a core two; the limit that binds has its name."""
    batch = [issue(number, f"`src/{number}.py`") for number in (1, 2, 3)]
    files = tree("src/1.py", "src/2.py", "src/3.py")
    plan = make_plan(batch, files, slots=8, machine=Machine(memory_mib=5000))
    assert (plan.schedule.binding_limit, plan.schedule.makespan_minutes) == ("memory", 88)
    assert make_plan(batch, files, slots=8, machine=Machine(cores=0.5)).schedule.binding_limit == "cpu"
    assert make_plan(batch, files, slots=8).schedule.makespan_minutes == 44


def test_a_need_greater_than_the_machine_is_named_and_not_waited_for() -> None:
    """It is planned alone, with what to do about it; the others too."""
    plan = make_plan([issue(1), issue(2, "`src/a.py`")], tree("src/a.py"), slots=2, machine=Machine(memory_mib=1024))
    assert [problem.issue for problem in plan.problems] == [1, 2]
    assert plan.problems[0].what == "#1 may need 2.0 GB of memory where there are 1.0 GB beyond the reserve: it runs alone"
    assert "SHOAL_TASK_MEMORY_MIB" in plan.problems[0].fix
    first, second = plan.schedule.starts
    assert first.finish_minutes <= second.start_minutes
