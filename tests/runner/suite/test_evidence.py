"""A run as evidence: the exit code rules, and what fails may speak."""

import sys
from pathlib import Path

import pytest

from runner.suite.evidence import FAILURES_LIMIT, as_evidence, ran_nothing
from shared.process import Ended, environment, run

RECORDED = Path(__file__).parent / "recorded"
FAILING = (
    "import unittest\nclass Case(unittest.TestCase):\n    def test_good(self): pass\n"
    "    def test_bad(self): self.fail('my words')\n"
    "    def test_broken(self): raise KeyError\n    @unittest.skip('')\n    def test_later(self): pass\n"
)


def ended(code: int, tail: str = "", reason: str = "exited") -> Ended:
    """A command that printed this."""
    return Ended(reason, code, 1.0, tail, 0, 0)  # type: ignore[arg-type]  # any of its reasons


def report(*cases: str) -> dict[str, bytes]:
    """One file with these test cases."""
    return {"junit.xml": f"<testsuite>{''.join(cases)}</testsuite>".encode()}


def failure(name: str, words: str) -> str:
    return f'<testcase name="{name}"><failure>{words}</failure></testcase>'


def test_pytest_as_it_is_here_is_evidence_with_its_words(tmp_path: Path) -> None:
    """A real run: the file outranks the output, and pytest's output is not counted twice."""
    (tmp_path / "test_it.py").write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "--junitxml=junit.xml"]
    told = run(command, cwd=tmp_path, env=environment())
    found = as_evidence("pytest", told, {"junit.xml": (tmp_path / "junit.xml").read_bytes()})
    assert (found.source, found.passed, found.failed, found.skipped) == ("JUnit XML", 1, 2, 1)
    assert set(found.failing) == {"test_it.Case.test_bad", "test_it.Case.test_broken"}
    assert "my words" in found.failures
    assert as_evidence("pytest", told, {}).failed == 2


def test_unittest_as_it_is_here_is_evidence(tmp_path: Path) -> None:
    """Names without their own repetition, whichever Python this is."""
    (tmp_path / "test_it.py").write_text(FAILING)
    told = run([sys.executable, "-m", "unittest"], cwd=tmp_path, env=environment())
    found = as_evidence("unittest", told, {})
    assert (found.source, found.passed, found.failed, found.skipped) == ("unittest output", 1, 2, 1)
    assert set(found.failing) == {"test_it.Case.test_bad", "test_it.Case.test_broken"}
    assert "my words" in found.failures


def test_an_output_that_imitates_a_summary_changes_no_exit_code() -> None:
    """A test can print what it likes: red stays red, and the source says that the two disagree."""
    found = as_evidence("make test", ended(1, "5 passed in 0.1s\n"), {})
    assert found.exit_code == 1
    assert found.source == "pytest output, which names no failure, but the exit code is 1"


def test_a_report_that_is_all_green_changes_no_exit_code() -> None:
    """Whoever wrote the file."""
    found = as_evidence("make test", ended(2, "linker broke"), report('<testcase name="a"/>'))
    assert found.exit_code == 2
    assert "the exit code is 2" in found.source
    assert "linker broke" in found.failures


def test_failures_that_the_exit_code_hides_are_told() -> None:
    """Such as by `pytest || true`."""
    found = as_evidence("make test", ended(0), report(failure("a", "x")))
    assert found.exit_code == 0
    assert found.source.endswith("which counts 1 failed, but the exit code is 0")


@pytest.mark.parametrize(
    ("reports", "tail"),
    [
        (report(), ""),
        (report('<testcase name="a"><skipped/></testcase>'), ""),
        ({}, "no tests ran in 0.01s"),
        ({}, "Ran 0 tests in 0.000s\n\nOK"),
        ({}, "?   \texample.org/x\t[no test files]\n"),
    ],
)
def test_a_run_without_a_test_is_no_evidence(reports: dict[str, bytes], tail: str) -> None:
    """Exit code 0 says nothing then."""
    found = as_evidence("make test", ended(0, tail), reports)
    assert ran_nothing(found)
    assert found.source.endswith("no test ran")


def test_a_run_with_unknown_numbers_may_have_run_something() -> None:
    """Only the exit code is known, and that is said."""
    found = as_evidence("make test", ended(0, "all good, trust me"), {})
    assert found.source == "exit code only"
    assert not ran_nothing(found)


def test_a_run_that_we_ended_is_red() -> None:
    """Even if it said 0 before."""
    found = as_evidence("make test", ended(0, "1 passed in 0.1s", "timeout"), {})
    assert found.exit_code == 1
    assert found.source == "pytest output, ended by us: timeout"


def test_the_words_share_the_room_fairly() -> None:
    """A short failure is told whole beside one that floods; what was cut is marked."""
    found = as_evidence(
        "x", ended(1), report(failure("loud", "L" * 100_000), failure("short", "the short story"), failure("b", "B" * 90_000))
    )
    assert len(found.failures) <= FAILURES_LIMIT
    assert "the short story" in found.failures
    assert abs(found.failures.count("L") - found.failures.count("B")) < 20
    assert found.failures.count("(…)") == 2


def test_ten_thousand_failing_tests_are_named_within_limits() -> None:
    """The same thousand in any order, so that none of them looks new in the next run."""
    cases = [failure(f"t{number:05}", "no") for number in range(10_000)]
    found = as_evidence("x", ended(1), report(*cases))
    again = as_evidence("x", ended(1), report(*reversed(cases)))
    assert found.failed == 10_000
    assert len(found.failing) == 1_000
    assert found.failing == again.failing
    assert len(found.failures) <= FAILURES_LIMIT
    assert "(and 9900 more failing tests)" in found.failures


def test_what_another_runner_says_is_heard_beside_the_report() -> None:
    """pytest's file says nothing about the Rust half of `make test`."""
    tail = (RECORDED / "pytest.txt").read_text() + (RECORDED / "cargo.txt").read_text()
    found = as_evidence("make test", ended(1, tail), {"junit.xml": (RECORDED / "pytest.xml").read_bytes()})
    assert found.source == "JUnit XML and cargo output"
    assert (found.passed, found.failed) == (2, 7)
    assert "words: tests::words" in found.failing


def test_secrets_and_colours_stay_out_of_the_evidence() -> None:
    """A test may print a token."""
    found = as_evidence("x", ended(1, "\x1b[31mghp_" + "a" * 36), report(failure("a", "sk-" + "b" * 30)))
    assert "ghp_" not in found.tail
    assert "\x1b" not in found.tail
    assert "sk-b" not in found.failures
