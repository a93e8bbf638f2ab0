"""`shoal simulate` to its contract."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.shoal import shoal


def test_the_result_is_one_document_of_the_contract(tmp_path: Path) -> None:
    """Makespan, bound, sequential, speed-up, starts, finishes, problems."""
    file = tmp_path / "tasks.json"
    file.write_text(
        json.dumps({"capacity": {"slots": 2}, "mode": "planned", "tasks": [{"id": name, "duration": 3} for name in "abcd"]})
    )
    run = shoal("simulate", file, "--json")
    assert (run.status, run.stderr) == (0, "")
    assert run.document == {
        "makespan": 6.0,
        "lower_bound": 6.0,
        "sequential": 12.0,
        "speedup": 2.0,
        "starts": {"a": 0.0, "b": 0.0, "c": 3.0, "d": 3.0},
        "finishes": {"a": 3.0, "b": 3.0, "c": 6.0, "d": 6.0},
        "problems": [],
    }
    assert "Makespan 6" in shoal("simulate", file).stdout


@pytest.mark.parametrize(("tasks", "status"), [([], 0), ([{"id": "a", "duration": -1}], 1), ([{"id": "a", "duration": 0}, 5], 0)])
def test_the_status_says_whether_anything_ran(tasks: list[Any], status: int) -> None:
    """Nothing asked for is no failure; everything refused is one."""
    run = shoal("simulate", "-", "--json", stdin=json.dumps({"capacity": {"slots": 1}, "tasks": tasks}))
    assert run.status == status
    assert run.document["speedup"] is None


def test_half_of_a_character_is_named_and_the_rest_runs() -> None:
    """JSON may hold it; the answer, which is UTF-8, cannot."""
    half = {"id": "\ud800", "duration": 1}
    tasks = [half, {"id": "a", "duration": 1}, {"id": "b", "duration": 1, "after": ["\ud800"]}, {"id": "c", "duration": 1}]
    tasks[3]["needs"] = {"\ud801": 1}
    run = shoal("simulate", "-", "--json", stdin=json.dumps({"capacity": {"slots": 1}, "tasks": tasks}))
    assert (run.status, run.stderr, run.document["starts"]) == (0, "", {"a": 0})
    assert [problem["task"] for problem in run.document["problems"]] == ["?", "b", "c"]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"capacity": {"slots": -1}, "tasks": []},
        {"capacity": {"slots": 1}, "tasks": 3},
        {"capacity": {"slots": 1}, "mode": "fast", "tasks": []},
        {"capacity": {"memory": 1e308}, "tasks": [{"id": name, "duration": 1, "needs": {"memory": 1e308}} for name in "ab"]},
    ],
)
def test_a_request_of_another_form_ends_with_2(document: Any) -> None:
    """One line that shows the form, no traceback."""
    run = shoal("simulate", "-", "--json", stdin=json.dumps(document))
    assert (run.status, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert '"capacity"' in run.stderr
