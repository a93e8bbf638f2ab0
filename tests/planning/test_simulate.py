"""`simulate` on requests as people write them, good and bad."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.planning.simulate import SimulateRequest, SimulateResult, simulate


def played(*tasks: Any, mode: str = "online", **capacity: float) -> SimulateResult:
    """The result for these tasks."""
    return simulate(SimulateRequest.model_validate({"capacity": capacity or {"slots": 4}, "mode": mode, "tasks": tasks}))


@pytest.mark.parametrize("mode", ["online", "planned"])
def test_tasks_dependencies_and_conflicts_take_their_time(mode: str) -> None:
    """a and b exclude each other, c waits for a: 5 + 3 is the longest, and the figures say so."""
    result = played(
        {"id": "a", "duration": 5, "conflicts_with": ["b"]},
        {"id": "b", "duration": 3},
        {"id": "c", "duration": 1, "after": ["a"]},
        mode=mode,
    )
    assert (result.makespan, result.lower_bound, result.sequential, result.speedup) == (8, 8, 9, 1.125)
    assert result.starts == {"a": 0, "b": 5, "c": 5}
    assert result.problems == ()


def test_the_scheduler_sees_estimates_and_time_passes_by_durations() -> None:
    """b looks long and is short: it goes first, and ends after its real duration."""
    result = played({"id": "a", "duration": 5, "estimate": 1}, {"id": "b", "duration": 2, "estimate": 9}, slots=1)
    assert result.starts == {"b": 0, "a": 2}


def test_any_resource_counts() -> None:
    """Two tasks of 3 GB on 4 GB go one after the other though there are slots."""
    needs = {"slots": 1, "gib": 3}
    result = played({"id": "a", "duration": 1, "needs": needs}, {"id": "b", "duration": 1, "needs": needs}, slots=4, gib=4)
    assert result.makespan == result.lower_bound == 2


def test_each_bad_task_is_named_with_its_fix_and_the_rest_runs() -> None:
    """Negative, not a number, too big, unknown, doubled, circular, no object: and whatever waits for one of them."""
    result = played(
        {"id": "ok", "duration": 2},
        {"id": "negative", "duration": -1},
        {"id": "nan", "duration": float("nan")},
        {"id": "endless", "duration": float("inf")},
        {"id": "text", "duration": "5"},
        {"id": "big", "duration": 1, "needs": {"slots": 5}},
        {"id": "gpu", "duration": 1, "needs": {"gpu": 1}},
        {"id": "lost", "duration": 1, "after": ["nobody"]},
        {"id": "twice", "duration": 1},
        {"id": "twice", "duration": 2},
        {"id": "x", "duration": 1, "after": ["y"]},
        {"id": "y", "duration": 1, "after": ["x"]},
        {"id": "self", "duration": 1, "after": ["self"]},
        {"id": "waits", "duration": 1, "after": ["big"]},
        {"id": "waits too", "duration": 1, "after": ["waits"]},
        {"duration": 1},
        7,
    )
    assert result.starts == {"ok": 0}
    assert result.sequential == 2
    named = {problem.task for problem in result.problems}
    assert named == {
        None,
        "negative",
        "nan",
        "endless",
        "text",
        "big",
        "gpu",
        "lost",
        "twice",
        "x",
        "y",
        "self",
        "waits",
        "waits too",
    }
    said = {problem.task: problem.what for problem in result.problems}
    assert "5 slots" in said["big"]
    assert "nobody" in said["lost"]
    assert "x, y wait for each other" in said["x"]
    assert "big" in said["waits"]
    assert all(problem.fix for problem in result.problems)


def test_nothing_takes_no_time_and_has_no_speedup() -> None:
    """No tasks, or tasks of length 0: null instead of a division."""
    assert played().speedup is None
    assert played({"id": "a", "duration": 0}, {"id": "b", "duration": 0, "after": ["a"]}).speedup is None


def test_an_unknown_conflict_is_a_remark() -> None:
    """A misspelt name in conflicts_with is told; the task runs."""
    result = played({"id": "a", "duration": 1, "conflicts_with": ["bb"]})
    assert result.finishes == {"a": 1}
    assert "bb" in result.problems[0].what


def test_the_order_of_tasks_does_not_matter() -> None:
    """The same result from the last to the first."""
    tasks = [
        {"id": str(number), "duration": number % 5, "after": [str(number // 3)] if number > 3 else []} for number in range(1, 30)
    ]
    assert played(*tasks, mode="planned") == played(*reversed(tasks), mode="planned")


@settings(max_examples=100, deadline=None)
@given(
    size=st.sampled_from([1e-9, 0.3, 1.0, 7.0, 33e6, 1e9, 1073741824.0, 1e15, 1e18]),
    parts=st.lists(st.sampled_from([1e-10, 0.1, 0.2, 0.25, 1 / 3, 0.5, 1.0]), min_size=1, max_size=20),
    mode=st.sampled_from(["online", "planned"]),
)
def test_whatever_the_unit_nothing_is_lost_and_nothing_is_over(size: float, parts: list[float], mode: str) -> None:
    """A tenth of a gigabyte in bytes, or of a billionth: every task runs, and never more at once than there is."""
    lengths = [1 + place % 4 for place in range(len(parts))]
    tasks = [{"id": f"t{place}", "duration": lengths[place], "needs": {"it": size * part}} for place, part in enumerate(parts)]
    result = played(*tasks, mode=mode, it=size)
    assert result.problems == ()
    assert len(result.starts) == len(parts)
    for moment in result.starts.values():
        at_once = sum(
            part for place, part in enumerate(parts) if result.starts[f"t{place}"] <= moment < result.finishes[f"t{place}"]
        )
        assert at_once <= 1 + 1e-8


def test_ten_tenths_fill_a_whole_in_every_unit() -> None:
    """In cores as in bytes."""
    for size in (1.0, 1073741824.0, 1e15):
        tenths = [{"id": str(number), "duration": 1, "needs": {"it": size / 10}} for number in range(10)]
        assert played(*tenths, it=size).makespan == 1


def test_nothing_has_a_little_of_what_there_is_not() -> None:
    """A need is a need, however small."""
    result = played(
        {"id": "a", "duration": 1, "needs": {"gpu": 1e-12}}, {"id": "b", "duration": 1, "needs": {"none": 1e-12}}, none=0
    )
    assert result.starts == {}
    assert {problem.task for problem in result.problems} == {"a", "b"}


def test_very_short_tasks_take_their_time() -> None:
    """Three of a ten-billionth one by one: no start is rounded into the one before, and the figures fit each other."""
    result = played(*({"id": name, "duration": 1e-10} for name in "abc"), slots=1)
    assert (result.makespan, result.lower_bound, result.sequential, result.speedup) == (3e-10, 3e-10, 3e-10, 1)
    assert result.starts == {"a": 0, "b": 1e-10, "c": 2e-10}
    assert played({"id": "a", "duration": 1e-9}, {"id": "b", "duration": 2.5e-9}, slots=1).speedup == 1


def test_the_fix_is_that_of_the_field_which_is_wrong() -> None:
    """Not a form of something that was right already."""
    result = played(
        {"id": "a", "duration": 1, "after": "b"},
        {"id": "b", "duration": 1, "needs": []},
        {"id": "c", "duration": 1, "estimate": -1},
        {"id": "d", "duration": 1, "needs": {"slots": 1e300}},
        {"id": 2.5, "duration": -1},
        {"id": "e", "duration": 1, "after": [2.5]},
    )
    fixes = {problem.task: (problem.what, problem.fix) for problem in result.problems}
    assert fixes["a"] == ("entry 0: after: Input should be a list", 'write a list of ids, such as ["a", "b"]')
    assert fixes["b"] == ("entry 1: needs: Input should be an object", 'write amounts of 0 or more, such as {"slots": 1}')
    assert "estimate" in fixes["c"][1]
    assert "1000000000000000000" in fixes["d"][0]
    assert fixes["2.5"][1] == "write a task with an `id` and a `duration` of 0 or more"
    assert fixes["e"][0] == "waits for 2.5, which cannot run"
    assert result.starts == {}


def test_keys_that_people_take_for_ours_are_told() -> None:
    """`depends_on` is no `after`: said, for without a word the task would run at once; what else there is is their own."""
    result = played({"id": "a", "duration": 1, "depends_on": ["b"], "title": "Mine", "conflicts_with": ["a"]})
    assert result.starts == {"a": 0}
    assert [(problem.task, problem.what, problem.fix) for problem in result.problems] == [
        ("a", "`depends_on` is not known: ignored", "write `after`"),
        ("a", "conflicts with itself: ignored", "correct `conflicts_with`"),
    ]
