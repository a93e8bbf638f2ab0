"""`shoal bench` and the help, through the console command."""

import pytest

from tests.commands.shoal import shoal

PROMISED = {"four_features": 52, "eight_bug_fixes": 36, "twelve_test_tasks": 24, "recorded_run": 27.9}


def test_the_reference_scenarios_come_out_as_promised() -> None:
    """No scenario takes longer than promised, nor longer than waves or FIFO; the machine is recorded."""
    document = shoal("bench", "schedule", "--json").document
    assert {row["name"] for row in document["schedule"]} == PROMISED.keys()
    for row in document["schedule"]:
        minutes = row["minutes"]
        assert row["lower_bound"] <= minutes["planned"] <= minutes["online"] <= PROMISED[row["name"]]
        assert minutes["online"] <= min(minutes["waves"], minutes["fifo"])
    assert document["machine"].keys() >= {"cores", "memory_mib", "os", "python", "git"}


def test_planning_is_measured_for_small_and_large_batches() -> None:
    """12, 50 and 1,000 issues on 10,000 paths, as numbers that were measured."""
    rows = shoal("bench", "planning", "--json").document["planning"]
    assert [(row["issues"], row["paths"]) for row in rows] == [(12, 10_000), (50, 10_000), (1_000, 10_000)]
    assert all(row["seconds"] > 0 for row in rows)


@pytest.mark.parametrize("verb", ["plan", "simulate", "bench"])
def test_every_verb_explains_itself_with_an_example(verb: str) -> None:
    """Help names the verb as it is typed, and --json."""
    text = shoal(verb, "--help").stdout
    assert f"  shoal {verb} " in text
    assert "--json" in text


def test_a_wrong_verb_is_bad_usage() -> None:
    """Status 2 and a hint, no traceback."""
    run = shoal("plann")
    assert run.status == 2
    assert "Traceback" not in run.stderr
