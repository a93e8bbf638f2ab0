"""Outputs as the real runners wrote them: each was recorded here, only paths were made neutral."""

from pathlib import Path

import pytest

from runner.suite.counts import Counts
from runner.suite.outputs import read_output

RECORDED = Path(__file__).parent / "recorded"
PYTEST = ("test_words", "test_each[a b]", "test_each[c d e]", "TestClass::test_inside", "test_needs_it")
GO = ("example.org/words.TestEach", "example.org/words.TestEach/b_b", "example.org/words.TestWords")


def recorded(name: str) -> Counts:
    """What is read from one of them."""
    counts = read_output((RECORDED / name).read_text())
    assert counts is not None
    return counts


@pytest.mark.parametrize(
    ("name", "source", "numbers", "failing"),
    [
        ("pytest.txt", "pytest", (1, 5, 1), tuple(f"test_words.py::{name}" for name in PYTEST)),
        ("pytest_colours.txt", "pytest", (1, 5, 1), tuple(f"test_words.py::{name}" for name in PYTEST)),
        ("unittest.txt", "unittest", (1, 3, 1), tuple(f"test_words.Count.test_{name}" for name in ("broken", "bad", "parts"))),
        ("node_tap.txt", "node:test", (2, 2, 1), ("bad one", "suite > inner bad")),
        ("node_spec.txt", "node:test", (2, 2, 1), ("bad one", "inner bad")),
        ("jest.txt", "jest", (3, 2, 1), ("words.test.js › bad one", "words.test.js › suite › inner bad")),
        ("vitest.txt", "vitest", (3, 2, 1), ("words.test.js > bad one", "words.test.js > suite > inner bad")),
        ("go.txt", "go test", (None, None, None), GO),
        ("go_verbose.txt", "go test", (3, 3, 1), GO),
        ("go_events.txt", "go test -json", (3, 3, 1), GO),
        ("cargo.txt", "cargo", (1, 2, 1), ("words: tests::other", "words: tests::words")),
        ("maven.txt", "Maven", (2, 2, 1), ("org.example.WordsTest.broken", "org.example.WordsTest.bad")),
    ],
)
def test_every_runner_is_read_as_it_writes(
    name: str, source: str, numbers: tuple[int | None, ...], failing: tuple[str, ...]
) -> None:
    """Numbers, the failing tests by name, and nobody else feels spoken to."""
    counts = recorded(name)
    assert counts.source == f"{source} output"
    assert (counts.passed, counts.failed, counts.skipped) == numbers
    assert set(counts.failing) == set(failing)


@pytest.mark.parametrize(
    ("name", "test", "words"),
    [
        ("pytest.txt", "test_words.py::test_words", ["assert 9 == 2", "counting 'two words'"]),
        ("pytest.txt", "test_words.py::test_each[a b]", ["text = 'a b'"]),
        ("pytest.txt", "test_words.py::test_needs_it", ["no database"]),
        ("unittest.txt", "test_words.Count.test_bad", ["2 != 3 : words are not letters"]),
        ("node_tap.txt", "suite > inner bad", ["error: 'boom'", "words.test.js:5:57"]),
        ("node_spec.txt", "inner bad", ["Error: boom"]),
        ("jest.txt", "words.test.js › bad one", ["Expected: 2", "words.test.js:2:60"]),
        ("vitest.txt", "words.test.js > suite > inner bad", ["Error: boom", "words.test.js:4:57"]),
        ("go.txt", "example.org/words.TestWords", ["words_test.go:9: got 9, want 2"]),
        ("go_verbose.txt", "example.org/words.TestEach/b_b", ["words_test.go:16: boom"]),
        ("go_events.txt", "example.org/words.TestEach/b_b", ["words_test.go:16: boom"]),
        ("cargo.txt", "words: tests::words", ["counting", "left: 9"]),
        ("maven.txt", "org.example.WordsTest.bad", ["expected: <2> but was: <9>", "WordsTest.java:6"]),
    ],
)
def test_a_failing_tests_own_words_are_cut_out(name: str, test: str, words: list[str]) -> None:
    """Its own, not its neighbour's."""
    said = recorded(name).words[test]
    assert all(word in said for word in words), said
    others = {other for other in recorded(name).failing if other != test and not test.startswith(other)}
    assert not [other for other in others if f"{other} " in said]


def test_older_maven_names_its_tests_the_other_way_round() -> None:
    """Surefire 2; the form is that of the output shown in DataDog/jmxfetch#508."""
    failure = "bad(org.example.WordsTest)  Time elapsed: 0.01 sec  <<< FAILURE!\njava.lang.AssertionError: boom"
    total = "Tests run: 2, Failures: 1, Errors: 0, Skipped: 0"
    told = read_output(f"{total}, Time elapsed: 0.05 sec <<< FAILURE!\n{failure}\n\nResults :\n\n{total}\n")
    name = "org.example.WordsTest.bad"
    assert told == Counts("Maven output", 1, 1, 0, (name,), {name: failure})


def test_gradle_is_read() -> None:
    """The form is that of the output shown in athkalia/Just-Another-Android-App#55; no Gradle was at hand to record."""
    failure = "org.example.WordsTest > bad FAILED\n    java.lang.AssertionError at WordsTest.java:43"
    told = read_output(f"> Task :test\n\n{failure}\n\n4 tests completed, 1 failed, 1 skipped\n\n> Task :test FAILED\n")
    name = "org.example.WordsTest > bad"
    assert told == Counts("Gradle output", 2, 1, 1, (name,), {name: failure})


def test_a_package_that_does_not_build_is_a_failure_of_its_own() -> None:
    """Go names no test then."""
    counts = read_output(
        "# example.org/x\n./x.go:3:1: syntax error\nFAIL\texample.org/x [build failed]\nok  \texample.org/y\t0.1s\n"
    )
    assert counts is not None
    assert counts.failing == ("example.org/x [build failed]",)
    assert "syntax error" in counts.words["example.org/x [build failed]"]


def test_the_last_summary_counts() -> None:
    """A test may print one of its own."""
    counts = read_output("5 passed in 0.1s\nFAILED test_x.py::test_a - no\n1 failed, 2 passed in 0.30s\n")
    assert counts is not None
    assert (counts.passed, counts.failed) == (2, 1)


def test_two_runners_in_one_command_are_both_heard() -> None:
    """A `make test` may run Python and Rust."""
    both = read_output((RECORDED / "unittest.txt").read_text() + (RECORDED / "cargo.txt").read_text())
    assert both is not None
    assert both.source == "unittest output and cargo output"
    assert (both.passed, both.failed, both.skipped) == (2, 5, 2)
    assert {"words: tests::words", "test_words.Count.test_bad"} <= set(both.failing)


@pytest.mark.parametrize(
    "text", ["all good, trust me", "", "\x00\ud800", "ok\nFAIL\nTests run: many", "[" * 100_000, "=" * 100_000]
)
def test_what_no_runner_wrote_says_nothing(text: str) -> None:
    """Nothing is guessed."""
    assert read_output(text) is None


@pytest.mark.parametrize(
    "unit", ["FAILED a[", "_ ", '{"Action"', "test a ... ", "--- FAIL: a (", "\x1b[", "● ", "1 a, ", " > ", "\r"]
)
def test_hostile_repetition_is_read_to_the_end(unit: str) -> None:
    """On one line and on many (a quadratic reader would meet the suite's time-out)."""
    read_output(unit * 100_000)
    read_output(f"{unit}\n" * 100_000)
