"""`shoal demo` as somebody types it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.process import environment

_SHOAL = (sys.executable, "-I", "-m", "app", "demo")


def _demo(*options: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*_SHOAL, *options], cwd=cwd, env=environment(), capture_output=True, text=True)


@pytest.mark.slow
def test_eight_issues_become_what_was_expected_and_a_second_run_finds_them(tmp_path: Path) -> None:
    """The first run ends with every expected verdict; the second starts nothing, shows the same and says how to start afresh."""
    first = _demo("--keep", "--json", "--think-time", "0.2", cwd=tmp_path)
    second = _demo("--keep", "--json", cwd=tmp_path)

    assert first.returncode == 0, first.stderr
    assert "All 8 expected verdicts came out" in first.stderr
    told = json.loads(first.stdout)
    assert set(told) == {"orchestration", "tasks", "check_runs"}
    keys = {"id", "conclusion", "wall_seconds", "attempt_seconds", "parallelism", "speedup", "overhead_seconds"}
    assert set(told["orchestration"]) == keys
    assert told["orchestration"]["speedup"] is None
    assert {frozenset(task) for task in told["tasks"]} == {
        frozenset({"issue", "verdict", "branch", "pull_request", "head_sha", "phases"})
    }
    assert all(check["conclusion"] for check in told["check_runs"])

    assert second.returncode == 0, second.stderr
    assert "Nothing is started twice" in second.stderr
    assert "--fresh" in second.stderr
    assert json.loads(second.stdout)["tasks"] == told["tasks"]


@pytest.mark.slow
def test_an_interrupted_rehearsal_goes_on(tmp_path: Path) -> None:
    """Told to end in the middle it cleans up; the next run takes the work up again and comes to the same end."""
    stopped = subprocess.Popen(
        [*_SHOAL, "--keep", "--think-time", "1"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert stopped.stdout is not None
    with stopped.stdout as lines:
        next(line for line in lines if "implementation" in line)
        stopped.send_signal(signal.SIGTERM)
        lines.read()
    again = _demo("--keep", "--think-time", "0.2", cwd=tmp_path)

    assert stopped.wait() == 130
    assert again.returncode == 0, again.stdout
    assert "not finished: it goes on" in again.stdout


@pytest.mark.slow
def test_jobs_of_our_own_action_come_to_the_same_end(tmp_path: Path) -> None:
    """One dispatch for each attempt, to `act` in place of GitHub's runners; a second run finds runners and workflow."""
    first = _demo("--backend", "actions", "--keep", "--json", "--think-time", "0.2", cwd=tmp_path)
    second = _demo("--backend", "actions", "--keep", "--json", cwd=tmp_path)

    assert first.returncode == 0, first.stderr
    assert "All 8 expected verdicts came out" in first.stderr
    assert len(list((tmp_path / ".shoal-demo" / "github" / "actions").glob("run-*.log"))) == 8
    assert (tmp_path / ".shoal-demo" / "tools" / "shoal" / "work").is_dir()
    assert second.returncode == 0, second.stderr
    assert "Nothing is started twice" in second.stderr
    assert json.loads(second.stdout)["tasks"] == json.loads(first.stdout)["tasks"]


def test_a_short_limit_is_an_error_that_names_the_logs(tmp_path: Path) -> None:
    """It neither hangs nor pretends."""
    ended = _demo("--dir", "kept", "--limit", "1", cwd=tmp_path)

    assert ended.returncode == 1
    assert "the rehearsal was not over after 1 s" in ended.stderr
    assert "kept" in ended.stderr


@pytest.mark.slow
def test_a_comparison_measures_the_speed_up(tmp_path: Path) -> None:
    """One at a time first; the speed-up is wall over wall, and several slots are faster than one."""
    ended = _demo("--compare", "--json", "--think-time", "3", cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["orchestration"]["speedup"] > 1
