"""Reads the output of `go test`, plain, with -v and with -json, and of `cargo test`."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence

from runner.suite.blocks import blocks
from runner.suite.counts import Counts

_GO_PACKAGE = re.compile(r"(ok|FAIL|\?|---) {0,3}\s+(\S+)\s+(\(cached\)|[\d.]+s|\[[^\]]*\])")
_GO_RESULT = re.compile(r"( *)--- (PASS|FAIL|SKIP): (\S+) \(")
_GO_TEST = re.compile(r"=== (?:RUN|CONT|NAME) +(\S+)")
_LINES = 200
_CARGO_RESULT = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored")
_CARGO_BINARY = re.compile(r" +(?:Running .*\(.*?([\w-]+?)(?:-[0-9a-f]{16})?(?:\.exe)?\)|Doc-tests (\S+))\s*$")


def read_go(lines: Sequence[str]) -> Counts | None:
    """Names with their package, which is told after its tests; numbers only with -v, or when no package has a test."""
    if not any(_GO_PACKAGE.match(line) for line in lines):
        return None
    tests: dict[str, list[str]] = {}  # of the package that is being told
    results: dict[str, str] = {}
    said: dict[str, str] = {}
    states: list[str] = []
    is_empty = True
    current = ""
    rest: list[str] = []
    for line in lines:
        if package := _GO_PACKAGE.match(line):
            status, path, note = package.groups()
            failed = [name for name, result in results.items() if result == "FAIL"]
            said |= {f"{path}.{name}": "\n".join(tests.get(name, [])) for name in failed}
            if status == "FAIL" and not failed:  # it did not build, or its process died
                said[f"{path} {note}" if note.startswith("[") else path] = "\n".join(rest[-_LINES:])
            is_empty &= note.startswith("[no test") or status == "?"
            states += results.values()
            tests, results, rest, current = {}, {}, [], ""
        elif result := _GO_RESULT.match(line):
            current = result[3]
            results[current] = result[2]
        elif running := _GO_TEST.match(line):
            current = running[1]
        else:
            rest = [*rest[-_LINES:], line]
            if current and line.startswith(" ") and len(mine := tests.setdefault(current, [])) < _LINES:
                mine.append(line)
    return _go_counts("go test output", said, states, knows=is_empty or "PASS" in states)


def _go_counts(source: str, said: dict[str, str], states: list[str], *, knows: bool) -> Counts:
    if not knows:
        return Counts(source, failing=tuple(said), words=said)
    failed = max(states.count("FAIL"), len(said))
    return Counts(source, states.count("PASS"), failed, states.count("SKIP"), tuple(said), said)


def read_go_events(lines: Sequence[str]) -> Counts | None:
    """One JSON object a line; those of packages have no test's name."""
    output: dict[str, list[str]] = defaultdict(list)
    states: dict[str, str] = {}
    packages: dict[str, str] = {}
    for line in lines:
        if not (line.startswith("{") and '"Action"' in line and '"Package"' in line):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        action, package, test = (str(event.get(key, "")) for key in ("Action", "Package", "Test"))
        name = f"{package}.{test}" if test else package
        if action == "output" and len(output[name]) < _LINES:
            output[name].append(str(event.get("Output", "")))
        elif action in {"pass", "fail", "skip"}:
            (states if test else packages)[name] = action.upper()
    if not packages:
        return None
    failing = [name for name, state in states.items() if state == "FAIL"]
    failing += [
        name for name, state in packages.items() if state == "FAIL" and not any(one.startswith(f"{name}.") for one in failing)
    ]
    said = {name: "".join(output[name]) for name in failing}
    return _go_counts("go test -json output", said, list(states.values()), knows=True)


def read_cargo(lines: Sequence[str]) -> Counts | None:
    """One result for each binary; names with the binary's, since two crates may both have `tests::works`."""
    results = [found for line in lines if (found := _CARGO_RESULT.match(line))]
    if not results:
        return None
    binary = ""
    failing: dict[str, str] = {}
    said: dict[str, str] = {}
    part: list[str] = []
    for line in [*lines, "     Running the end (end)"]:
        if found := _CARGO_BINARY.match(line):
            said |= {f"{binary}{name}": words for name, words in _cargo_words(part).items()}
            binary, part = f"{found[1] or found[2] + ' (doc)'}: ", []
        else:
            part.append(line)
            if failed := re.match(r"test (.+?) (?:- should panic )?\.\.\. FAILED", line):
                failing[f"{binary}{failed[1]}"] = ""
    passed, failed_count, ignored = (sum(int(result[index]) for result in results) for index in (1, 2, 3))
    words = {name: said.get(name, "") for name in failing}
    return Counts("cargo output", passed, failed_count, ignored, tuple(failing), words)


def _cargo_words(lines: Sequence[str]) -> dict[str, str]:
    return blocks(lines, _cargo_heading, lambda line: line == "failures:" or line.startswith("test result:"))


def _cargo_heading(line: str) -> str:
    found = re.match(r"---- (.+) stdout ----$", line)
    return found[1] if found else ""
