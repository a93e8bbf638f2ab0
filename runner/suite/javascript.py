"""Reads the output of jest, vitest and node's own test runner."""

import re
from collections.abc import Sequence

from runner.suite.blocks import blocks
from runner.suite.counts import Counts

_JEST_END = re.compile(r"Tests: +((?:\d+ \w+, )*\d+ total)\s*$")
_VITEST_END = re.compile(r" +Tests  ((?:\d+ [a-z ]+?(?: \| )?)+) \(\d+\)\s*$")
_VITEST_FAIL = re.compile(r" FAIL  (?:\|[^|]+\| )?(.+?)\s*$")
_NODE_END = re.compile(r"[#ℹ] (pass|fail|cancelled|skipped|tests) (\d+)\s*$")
_TAP = re.compile(r"( *)(not ok|ok) \d+ - (.*?)(?: # (?:SKIP|TODO).*)?$")
_TAP_PARENT = re.compile(r"( *)# Subtest: (.*)$")
_SPEC_FAIL = re.compile(r"( *)✖ (.+?)(?: \([\d.]+ms\))?\s*$")


def read_jest(lines: Sequence[str]) -> Counts | None:
    ends = [found[1] for line in lines if (found := _JEST_END.match(line))]
    if not ends:
        return None
    words = blocks(
        _with_files(lines), _jest_heading, lambda line: line.startswith(("PASS ", "FAIL ", "Test Suites:", "  ● Console"))
    )
    number = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", ends[-1])}
    skipped = number.get("skipped", 0) + number.get("todo", 0)
    return Counts("jest output", number.get("passed", 0), number.get("failed", 0), skipped, tuple(words), words)


def _with_files(lines: Sequence[str]) -> list[str]:
    """Headings with the file that they stand under, since jest's names alone may come twice."""
    told, file = [], ""
    for line in lines:
        if line.startswith("FAIL "):
            file = line[5:].split(" (")[0].strip().removeprefix("./")
        is_heading = line.startswith("  ● ") and not line.startswith("  ● Console")
        told.append(f"  ● {file} › {line[4:].strip()}" if is_heading and file else line)
    return told


def _jest_heading(line: str) -> str:
    return line[4:].strip() if line.startswith("  ● ") and not line.startswith("  ● Console") else ""


def read_vitest(lines: Sequence[str]) -> Counts | None:
    ends = [found[1] for line in lines if (found := _VITEST_END.match(line))]
    if not ends:
        return None
    words = blocks(lines, _vitest_heading, lambda line: line.startswith("⎯⎯⎯"))
    number = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", ends[-1])}
    skipped = number.get("skipped", 0) + number.get("todo", 0)
    return Counts("vitest output", number.get("passed", 0), number.get("failed", 0), skipped, tuple(words), words)


def _vitest_heading(line: str) -> str:
    found = _VITEST_FAIL.match(line)
    return found[1] if found else ""


def read_node(lines: Sequence[str]) -> Counts | None:
    """Both of its forms: TAP, and the one for people."""
    number = {found[1]: int(found[2]) for line in lines if (found := _NODE_END.match(line))}
    if not {"pass", "fail", "tests"} <= number.keys():
        return None
    words = _tap_failures(lines) or _spec_failures(lines)
    failed = number["fail"] + number.get("cancelled", 0)
    return Counts("node:test output", number["pass"], failed, number.get("skipped", 0), tuple(words), words)


def _tap_failures(lines: Sequence[str]) -> dict[str, str]:
    """A test with its parents before it; a suite that fails only because of a test of its own is not told again."""
    parents: dict[int, str] = {}
    words: dict[str, str] = {}
    for index, line in enumerate(lines):
        if parent := _TAP_PARENT.match(line):
            parents[len(parent[1])] = parent[2]
        elif (found := _TAP.match(line)) and found[2] == "not ok":
            depth = len(found[1])
            name = " > ".join([*(parents[at] for at in sorted(parents) if at < depth), found[3]])
            detail = _yaml(lines, index + 1, depth)
            if "failureType: 'subtestsFailed'" not in detail:
                words[name] = detail
        if found and (depth := len(found[1])) in parents:
            parents = {at: name for at, name in parents.items() if at < depth}
    return words


def _yaml(lines: Sequence[str], start: int, depth: int) -> str:
    """The block that TAP puts below a result."""
    if start >= len(lines) or lines[start].strip() != "---":
        return ""
    end = " " * (depth + 2) + "..."
    block = []
    for line in lines[start + 1 : start + 400]:
        if line.rstrip() == end:
            break
        block.append(line[depth + 2 :])
    return "\n".join(block)


def _spec_failures(lines: Sequence[str]) -> dict[str, str]:
    """From its list at the end; without one, wherever a cross stands."""
    start = max((index for index, line in enumerate(lines) if line.startswith("✖ failing tests:")), default=-1)
    return blocks(lines[start + 1 :], _spec_heading, lambda line: line.startswith(("test at ", "ℹ ", "▶ ")) or "✔ " in line[:20])


def _spec_heading(line: str) -> str:
    found = _SPEC_FAIL.match(line) if "✖" in line[:40] else None
    return found[2] if found else ""
