"""No pair that counts is left out, however many tasks share a file, in the plan and live."""

from itertools import combinations, pairwise
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st

from app.planning.conflicts import THRESHOLD, conflict_probabilities, counting_conflicts
from app.planning.plan import make_plan
from shared.models import Touch
from tests.planning.batches import conflicts, issue, tree

CROWD = 130


def counting(touches: dict[int, list[Touch]]) -> set[tuple[int, int]]:
    """As pairs."""
    return {(min(one, other), max(one, other)) for one, others in counting_conflicts(touches).items() for other in others}


def touch(path: str, probability: float, said: float | None = None) -> Touch:
    """Of no particular evidence."""
    return Touch(path=path, probability=probability, said=said, why="")


def test_of_a_crowd_on_one_file_no_two_run_together() -> None:
    """130 issues that each name it, on four slots: one by one in the plan; live each excludes the 129 others."""
    plan = make_plan([issue(number, "`src/auth.py`") for number in range(1, CROWD + 1)], tree("src/auth.py"), slots=4)
    starts = sorted(plan.schedule.starts, key=lambda start: start.start_minutes)
    assert all(one.finish_minutes <= other.start_minutes for one, other in pairwise(starts))
    live = counting_conflicts({task.issue: task.touches for task in plan.tasks})
    assert live == {number: frozenset(range(1, CROWD + 1)) - {number} for number in range(1, CROWD + 1)}
    assert max(sum(number in pair for pair in conflicts(plan)) for number in range(1, CROWD + 1)) == 10


def test_of_a_crowd_that_is_alike_in_many_hints_no_two_run_together() -> None:
    """No file of these lists is likely; together they are the same place: all pairs count, beyond sixty too."""
    alike = {number: [touch(f"src/part{part}.py", 0.3) for part in range(5)] for number in range(CROWD)}
    assert counting(alike) == set(combinations(range(CROWD), 2))


FILES = st.lists(
    st.builds(
        touch,
        st.sampled_from([*(f"src/{name}.py" for name in "abcdefgh"), "CHANGELOG.md", "docs/index.md"]),
        st.sampled_from([0.02, 0.06, 0.1, 0.2, 0.3, 0.45, 0.5, 0.7, 0.72, 0.9, 1.0]),
        st.sampled_from([None, None, 0.0, 0.1, 0.25, 0.4]),
    ),
    max_size=8,
    unique_by=lambda one: one.path,
)


@given(st.lists(FILES, min_size=2, max_size=9))
@settings(max_examples=300, deadline=None)
def test_what_counts_is_what_has_the_probability(lists: list[list[Touch]]) -> None:
    """Found by the rarer of the shared files, it is the same as looking at every pair alone; nobody counts for what none says."""
    touches = dict(enumerate(lists))
    one_by_one = {
        pair
        for pair in combinations(touches, 2)
        for p in conflict_probabilities({n: touches[n] for n in pair}).values()
        if p >= THRESHOLD
    }
    assert counting(touches) == one_by_one
    silent = {
        number for number, files in touches.items() if not sum(one.probability if one.said is None else one.said for one in files)
    }
    assert not any(silent & set(pair) for pair in one_by_one)


@given(FILES, FILES)
@settings(max_examples=200, deadline=None)
def test_two_that_say_what_they_touch_have_at_least_the_chance_of_meeting_in_a_file(one: list[Touch], other: list[Touch]) -> None:
    """1 - the product over shared files of (1 - p·p), where neither is a file that merges by itself and the texts say enough."""
    lists = [[touch(f.path, f.probability) for f in some if f.path.startswith("src/")] for some in (one, other)]
    theirs = {f.path: f.probability for f in lists[1]}
    meeting = 1 - prod(
        1 - f.probability * theirs[f.path] for f in lists[0] if f.path in theirs and f.probability * theirs[f.path] >= 0.004
    )
    [found] = conflict_probabilities(dict(enumerate(lists))).values() or [0.0]
    enough = all(sum(f.probability for f in some) >= 0.5 for some in lists)
    assert found >= round(meeting if enough else min(0.4, meeting), 4) - 1e-9
