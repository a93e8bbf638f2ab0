"""Reads the output of Maven's Surefire and of Gradle."""

import re
from collections.abc import Sequence

from runner.suite.blocks import blocks
from runner.suite.counts import Counts

_LEVEL = r"(?:\[(?:ERROR|WARNING|INFO)\] )?"
_MAVEN_TOTAL = re.compile(_LEVEL + r"Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)\s*$")
_MAVEN_FAILED = re.compile(_LEVEL + r"(?!Tests run:|\[)(\S.*?)\s+(?:-- )?Time elapsed: .*<<< (?:FAILURE|ERROR)!")
_MAVEN_OLD_NAME = re.compile(r"(\w+)\(([\w.$]+\.[\w$]+)\)$")
_GRADLE_TOTAL = re.compile(r"(\d+) tests? completed(?:, (\d+) failed)?(?:, (\d+) skipped)?\s*$")
_GRADLE_FAILED = re.compile(r"(\S.* > .+) FAILED\s*$")


def read_maven(lines: Sequence[str]) -> Counts | None:
    """One total for each module."""
    totals = [found for line in lines if (found := _MAVEN_TOTAL.match(line))]
    if not totals:
        return None
    ran, failures, errors, skipped = (sum(int(total[index]) for total in totals) for index in (1, 2, 3, 4))
    words = blocks(lines, _maven_heading, lambda line: not line.strip() or line.startswith(("[INFO]", "[ERROR] ")))
    return Counts("Maven output", max(0, ran - failures - errors - skipped), failures + errors, skipped, tuple(words), words)


def _maven_heading(line: str) -> str:
    found = _MAVEN_FAILED.match(line) if "<<< " in line else None
    if not found:
        return ""
    old = _MAVEN_OLD_NAME.match(found[1])  # `bad(org.example.WordsTest)`, before Surefire 3
    return f"{old[2]}.{old[1]}" if old else found[1]


def read_gradle(lines: Sequence[str]) -> Counts | None:
    """It tells numbers only when a test failed."""
    totals = [found for line in lines if (found := _GRADLE_TOTAL.match(line))]
    if not totals:
        return None
    ran, failed, skipped = (sum(int(total[index] or 0) for total in totals) for index in (1, 2, 3))
    words = blocks(lines, _gradle_heading, lambda line: bool(line) and not line.startswith(" "))
    return Counts("Gradle output", max(0, ran - failed - skipped), failed, skipped, tuple(words), words)


def _gradle_heading(line: str) -> str:
    found = _GRADLE_FAILED.match(line)
    return found[1] if found else ""
