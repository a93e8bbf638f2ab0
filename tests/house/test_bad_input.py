"""The table of bad input names tests that exist and verdicts that there are, and has a row for everything that was asked for."""

import ast
import re
from pathlib import Path

import pytest

from shared.models import VerdictName

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "bad-input.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| what comes in")
]
ASKED = (
    *("agent missing", "not logged in", "wrong version", "exits 0 without doing anything", "prints `is_error`", "writes 300 MB"),
    *("forks children that escape", "hangs before the result", "hangs after the result", "ignores TERM", "deletes `.git`"),
    *("rewrites history", "commits to another branch", "installs hooks", "edits git config", "writes outside the worktree"),
    *("makes symlinks out", "adds a 200 MB file", "adds a key", "edits a workflow", "sleeps for ever", "runs out of memory"),
    *("fills the disk", "without tests", "with red baseline", "with flaky tests", "without a default branch named main", "empty"),
    *("with 100,000 files", "with submodules", "shell", "Markdown fences", "prompt injection", "`/proc/self/environ` requests"),
    *("1 MB", "nulls"),
)


def test_everything_that_was_asked_for_has_its_row() -> None:
    """Once."""
    first = [row[0] for row in ROWS]
    assert [what for what in ASKED if first.count(what) != 1] == []
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("named", sorted(set(re.findall(r"tests/[\w/]+\.py::test_\w+", TEXT))))
def test_every_test_that_is_named_is_there(named: str) -> None:
    """Under that name, in that file."""
    file, _, name = named.partition("::")
    found = {node.name for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if hasattr(node, "name")}
    assert name in found


def test_every_row_has_a_verdict_and_a_test() -> None:
    """A verdict of the code's own, or none where no attempt is judged."""
    names = {f"`{name}`" for name in VerdictName} | {"none"}
    assert [row[0] for row in ROWS if row[1].rstrip() not in names] == []
    assert [row[0] for row in ROWS if not re.fullmatch(r"`tests/[\w/]+\.py::test_\w+`", row[3].strip(" |"))] == []
