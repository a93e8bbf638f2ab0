"""Evidence in, verdict out."""

import errno
import os

import pytest

from runner.evidence import Evidence
from runner.verdict import final, new_failures, of_command, of_error
from shared.models import TestRun
from shared.process import Ended, EndReason


def runs(exit_code: int, *failing: str, source: str = "JUnit XML") -> TestRun:
    return TestRun(command="t", exit_code=exit_code, seconds=1, source=source, failing=failing)


def ended(reason: EndReason, code: int, tail: str = "") -> Ended:
    return Ended(reason, code, 3, tail, 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        (runs(0), runs(0), ()),
        (runs(1, "a"), runs(0), ()),
        (runs(0), runs(1, "a", "b"), ("a", "b")),
        (runs(0), runs(2, source="exit code only"), ("the test command ended with exit code 2",)),
        (runs(1, "a"), runs(1, "a"), ()),
        (runs(1, "a"), runs(1, "a", "b"), ("b",)),
    ],
)
def test_only_what_is_new_is_blamed_on_the_change(before: TestRun, after: TestRun, worse: tuple[str, ...]) -> None:
    """Each failure by its name, where there are names."""
    assert new_failures(before, after) == worse
    assert final(Evidence(tests=before), Evidence(tests=after)).name == ("tests_failed" if worse else "succeeded")


def test_two_red_runs_without_names_are_not_called_a_success() -> None:
    """Whether something new fails could not be shown, so it is not claimed."""
    nameless = runs(1, source="exit code only")
    same = Evidence(tests=nameless)
    assert final(same, same).name == "tests_failed"


@pytest.mark.parametrize(
    ("how", "name", "words"),
    [
        (ended("exited", 1), "agent_failed", "exit code 1"),
        (ended("signalled", -11), "agent_failed", "SIGSEGV"),
        (ended("exited", 137), "agent_failed", "SIGKILL"),
        (ended("exited", 129), "agent_failed", "exit code 129"),
        (ended("timeout", -15), "limit_reached", "time limit"),
        (ended("output_limit", -15), "limit_reached", "printed more"),
        (ended("memory_limit", -15), "limit_reached", "out of the memory"),
        (ended("exited", 1, "write error: No space left on device"), "limit_reached", "disk is full"),
    ],
)
def test_every_end_of_a_command_has_a_name(how: Ended, name: str, words: str) -> None:
    """With the limit or the signal in words."""
    verdict = of_command(how, "the agent's research")
    assert verdict is not None
    assert verdict.name == name
    assert words in verdict.reason
    assert of_command(ended("exited", 0), "it") is None


def test_a_bug_is_an_internal_error_and_its_words_are_redacted() -> None:
    """A stack trace is shown to people, a token in it is not."""
    verdict = of_error(ValueError("ghp_" + "a" * 30), "setup")
    assert (verdict.name, verdict.reason) == ("internal_error", "the runner broke in setup: ValueError")
    assert "ghp_" not in verdict.detail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_limit_with_a_name(number: int) -> None:
    """Also when it was the runner itself that could not write."""
    verdict = of_error(OSError(number, os.strerror(number)), "implementation")
    assert (verdict.name, verdict.limit) == ("limit_reached", "disk_free_mib")
    assert verdict.reason == "the disk is full in implementation: make room on the runner"
