"""`simulate` on requests as people write them, good and bad."""

from typing import Any

import pytest

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
