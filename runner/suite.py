"""The repository's own tests: which command runs them, and what their output says."""

import json
import re
import tomllib
from collections.abc import Callable, Collection
from typing import NamedTuple
from xml.etree import ElementTree as ET

from shared.log import redact
from shared.models import TestRun
from shared.process import Ended

_PYTEST_FILES = ("pytest.ini", "conftest.py", "tests/conftest.py")
_FAILING_LIMIT = 200


class Command(NamedTuple):
    """`source` tells people where the command came from; empty `line`: none was found."""

    line: str
    source: str


class Counts(NamedTuple):
    """None where the output does not say."""

    source: str
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failing: tuple[str, ...] = ()


def detect(files: Collection[str], read: Callable[[str], str]) -> Command:
    """From the files of the pinned commit; `read` gives a file's text."""
    if any(name in files for name in _PYTEST_FILES) or _mentions_pytest(files, read):
        return Command("python3 -m pytest", "detected: pytest is configured")
    if any(re.fullmatch(r"(?:tests?/(?:.*/)?)?test_\w+\.py", name) for name in files):
        return Command(f"python3 -m unittest discover{_where(files)}", "detected: test_*.py files and no pytest settings")
    if "package.json" in files and _has_npm_test(read("package.json")):
        return Command("npm test", "detected: a test script in package.json")
    for name, line in (("go.mod", "go test ./..."), ("Cargo.toml", "cargo test")):
        if name in files:
            return Command(line, f"detected: {name}")
    if "Makefile" in files and re.search(r"^test\s*:", read("Makefile"), re.MULTILINE):
        return Command("make test", "detected: a test target in the Makefile")
    return Command("", "")


def as_evidence(command: str, ended: Ended, junit: bytes) -> TestRun:
    """One run as evidence; a run that was ended by us has no exit code of its own and counts as red."""
    counts = read_junit(junit) or read_output(ended.tail)
    code = ended.exit_code if ended.reason == "exited" else ended.exit_code or 1
    return TestRun(
        command=command,
        exit_code=code,
        seconds=round(ended.seconds, 3),
        source=counts.source if ended.reason in {"exited", "signalled"} else f"{counts.source}, ended by us: {ended.reason}",
        passed=counts.passed,
        failed=counts.failed,
        skipped=counts.skipped,
        failing=counts.failing[:_FAILING_LIMIT],
        tail=redact(ended.tail)[-8000:],
    )


def read_junit(data: bytes) -> Counts | None:
    """None when it is no JUnit file; a document type (and so any entity) makes it none."""
    if not data.strip() or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        return None
    try:
        root = ET.fromstring(data)  # noqa: S314 no document type, so no entities
    except ET.ParseError:
        return None
    cases = list(root.iter("testcase"))
    failing = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = tuple(dict.fromkeys(f"{case.get('classname', '')}.{case.get('name', '')}".strip(".") for case in failing))
    return Counts("JUnit XML", len(cases) - len(failing) - skipped, len(failing), skipped, names)


def read_output(text: str) -> Counts:
    """What the last lines of the known runners say; else only the exit code counts."""
    for reader in (_read_pytest, _read_unittest, _read_cargo, _read_node, _read_go):
        if counts := reader(text):
            return counts
    return Counts("exit code only")


def _read_pytest(text: str) -> Counts | None:
    summary = re.search(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s", text, re.MULTILINE)
    if not summary:
        return None
    number = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", summary[1])}
    failing = tuple(dict.fromkeys(re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)))
    failed = number.get("failed", 0) + number.get("error", 0) + number.get("errors", 0)
    return Counts("pytest output", number.get("passed", 0), failed, number.get("skipped", 0), failing)


def _read_unittest(text: str) -> Counts | None:
    ran = re.search(r"^Ran (\d+) tests? in", text, re.MULTILINE)
    if not ran:
        return None
    rest = {word: int(count) for word, count in re.findall(r"(failures|errors|skipped)=(\d+)", text[ran.end() :])}
    failing = tuple(f"{place}.{name}" for name, place in re.findall(r"^(?:FAIL|ERROR): (\w+) \(([\w.]+)\)", text, re.MULTILINE))
    # From Python 3.11 the place ends with the name itself.
    failing = tuple(dict.fromkeys(re.sub(r"\.(\w+)\.\1$", r".\1", name) for name in failing))
    failed = rest.get("failures", 0) + rest.get("errors", 0)
    skipped = rest.get("skipped", 0)
    return Counts("unittest output", int(ran[1]) - failed - skipped, failed, skipped, failing)


def _read_cargo(text: str) -> Counts | None:
    results = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", text, re.MULTILINE)
    if not results:
        return None
    passed, failed, ignored = (sum(int(result[index]) for result in results) for index in range(3))
    failing = tuple(dict.fromkeys(re.findall(r"^test (\S+) \.\.\. FAILED", text, re.MULTILINE)))
    return Counts("cargo output", passed, failed, ignored, failing)


def _read_node(text: str) -> Counts | None:
    number = {word: int(count) for word, count in re.findall(r"^[#ℹ] (pass|fail|skipped) (\d+)", text, re.MULTILINE)}
    if "pass" not in number or "fail" not in number:
        return None
    failing = tuple(dict.fromkeys(re.findall(r"^\s*(?:not ok \d+ -|✖) (.+?)(?: \([\d.]+ms\))?$", text, re.MULTILINE)))
    return Counts("node:test output", number["pass"], number["fail"], number.get("skipped", 0), failing)


def _read_go(text: str) -> Counts | None:
    packages = re.findall(r"^(ok|FAIL)\s+\S+\s+[\d.(]", text, re.MULTILINE)
    if not packages:
        return None
    failing = tuple(dict.fromkeys(re.findall(r"^\s*--- FAIL: (\S+)", text, re.MULTILINE)))
    return Counts("go test output", failing=failing)


def _mentions_pytest(files: Collection[str], read: Callable[[str], str]) -> bool:
    if "pyproject.toml" in files:
        try:
            if "pytest" in tomllib.loads(read("pyproject.toml")).get("tool", {}):
                return True
        except tomllib.TOMLDecodeError:
            pass
    return any(re.search(r"^\[(?:tool:)?pytest\]", read(name), re.MULTILINE) for name in ("setup.cfg", "tox.ini") if name in files)


def _where(files: Collection[str]) -> str:
    for folder in ("tests", "test"):
        if any(re.fullmatch(rf"{folder}/(?:.*/)?test_\w+\.py", name) for name in files):
            return f" -s {folder}" + (" -t ." if f"{folder}/__init__.py" in files else "")
    return ""


def _has_npm_test(text: str) -> bool:
    try:
        script = json.loads(text).get("scripts", {}).get("test", "")
    except (ValueError, AttributeError):
        return False
    return bool(script) and "no test specified" not in script
