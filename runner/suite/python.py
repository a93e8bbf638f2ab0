"""Reads the output of pytest and unittest."""

import re
from collections.abc import Sequence

from runner.suite.blocks import blocks
from runner.suite.counts import Counts

_PYTEST_END = re.compile(r"=* ?(no tests ran|\d+ \w+(?:, \d+ \w+)*) in [\d.]+s\b")
_PYTEST_NAMED = re.compile(r"(?:FAILED|ERROR) (\S+?(?:\[.*?\])?)(?: - (.*))?$")
_PYTEST_SECTION = re.compile(r"_+ (?:ERROR (?:at (?:setup|teardown) of|collecting) )?(.*[^ _].*?) _+$")
_UNITTEST_NAMED = re.compile(r"(?:FAIL|ERROR|UNEXPECTED SUCCESS): (\w+) \(([\w.]+)\)")


def read_pytest(lines: Sequence[str]) -> Counts | None:
    """The last summary counts: a test may print one as well."""
    end = next((found for line in reversed(lines) if (found := _PYTEST_END.match(line))), None)
    if not end:
        return None
    number = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", end[1])}
    named = [found for line in lines if line.startswith(("FAILED ", "ERROR ")) and (found := _PYTEST_NAMED.match(line))]
    said = blocks(lines, _pytest_heading, lambda line: line.startswith("===") and line.endswith("==="))
    words = {found[1]: said.get(_section(found[1])) or found[2] or "" for found in named}
    failed = sum(number.get(word, 0) for word in ("failed", "error", "errors"))
    return Counts("pytest output", number.get("passed", 0), failed, number.get("skipped", 0), tuple(words), words)


def _pytest_heading(line: str) -> str:
    found = _PYTEST_SECTION.match(line) if line.startswith("_") else None
    return found[1] if found else ""


def _section(node: str) -> str:
    """`tests/test_x.py::Class::test_y[a]` is headed `Class.test_y[a]`; a file that could not be read, by its path."""
    file, separator, name = node.partition("::")
    if not separator:
        return file
    place, bracket, parameters = name.partition("[")
    return place.replace("::", ".") + bracket + parameters


def read_unittest(lines: Sequence[str]) -> Counts | None:
    """Sub-tests count as their test."""
    at = next((index for index in range(len(lines) - 1, -1, -1) if re.match(r"Ran \d+ tests? in ", lines[index])), -1)
    if at < 0:
        return None
    result = next((line for line in lines[at + 1 : at + 6] if line.startswith(("OK", "FAILED", "NO TESTS RAN"))), "")
    rest = {word: int(count) for word, count in re.findall(r"(failures|errors|skipped|unexpected successes)=(\d+)", result)}
    words = blocks(
        lines, _unittest_heading, lambda line: line.startswith("=====") or re.match(r"Ran \d+ tests? in ", line) is not None
    )
    skipped = rest.pop("skipped", 0)
    failed = sum(rest.values())
    ran = int(lines[at].split()[1])
    return Counts("unittest output", max(0, ran - failed - skipped), failed, skipped, tuple(words), words)


def _unittest_heading(line: str) -> str:
    found = _UNITTEST_NAMED.match(line)
    if not found:
        return ""
    name, place = found[1], found[2]
    return place if place.endswith(f".{name}") else f"{place}.{name}"  # from Python 3.11 the place ends with the name itself
