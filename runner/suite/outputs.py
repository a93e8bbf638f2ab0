"""Reads what the known test runners print, for want of a report."""

import re

from runner.suite import compiled, javascript, jvm, python
from runner.suite.counts import Counts, together

# Every reader takes clean lines and answers None when its runner did not print them.
_READERS = {
    "pytest": python.read_pytest,
    "unittest": python.read_unittest,
    "jest": javascript.read_jest,
    "vitest": javascript.read_vitest,
    "node": javascript.read_node,
    "go": compiled.read_go,
    "go-json": compiled.read_go_events,
    "cargo": compiled.read_cargo,
    "jvm": jvm.read_maven,
    "gradle": jvm.read_gradle,
}
_JVM = ("jvm", "gradle")
_LIMIT = 8 * 1024 * 1024
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def read_output(text: str, *, besides: str = "") -> Counts | None:
    """What all known runners say in it; `besides`: one whose report was read already, and who is not asked again."""
    lines = clean(text).split("\n")
    left_out = _JVM if besides in _JVM else (besides,)
    found = (read(lines) for name, read in _READERS.items() if name not in left_out)
    return together(counts for counts in found if counts)


def clean(text: str) -> str:
    """Without colours and overwritten progress lines; of a flood its beginning and its end."""
    if len(text) > _LIMIT:
        text = f"{text[: _LIMIT // 2]}\n{text[-_LIMIT // 2 :]}"
    plain = _ESCAPES.sub("", text).replace("\r\n", "\n")
    return re.sub(r"[^\n]*\r", "", plain) if "\r" in plain else plain
