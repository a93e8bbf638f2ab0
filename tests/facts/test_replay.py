"""What of a history becomes a batch, and what stays out."""

from pathlib import Path

from app.facts.replay import windows
from tests.planning.repositories import FILLER, commit


def test_a_window_knows_nothing_of_what_came_after_its_base(tmp_path: Path) -> None:
    """Eight changes in a row on the parent of the oldest; numbers and trailers are gone from the messages."""
    commit(tmp_path / "r", "Begin", FILLER)
    commit(tmp_path / "r", "Before the window", {"src/part0.py": "before"})
    for number in range(8):
        commit(tmp_path / "r", f"Change part {number} (#{number})\n\nCo-authored-by: Ada", {f"src/part{number}.py": "after"})
    [window] = windows(tmp_path / "r", 1)
    assert [issue.title for issue in window.issues] == [f"Change part {number}" for number in reversed(range(8))]
    assert window.changed == tuple(frozenset({f"src/part{number}.py"}) for number in reversed(range(8)))
    assert window.base.head not in {"", *(issue.hash for issue in window.issues)}
    assert all("Co-authored" not in issue.body for issue in window.issues)


def test_sweeps_changelogs_and_new_files_are_no_truth(tmp_path: Path) -> None:
    """A change of more than twenty files, one of the changelog alone, and what was not there before."""
    commit(tmp_path / "r", "Begin", FILLER)
    for number in range(8):
        commit(
            tmp_path / "r", f"Change part {number}", {f"src/part{number}.py": "x", "CHANGELOG.md": str(number), f"new{number}": ""}
        )
        commit(tmp_path / "r", f"Release {number} at last", {"CHANGELOG.md": f"{number} released"})
    commit(tmp_path / "r", "Sweep over everything", {f"sweep/{number}.py": "x" for number in range(21)})
    [window] = windows(tmp_path / "r", 1)
    assert {path for changed in window.changed for path in changed} == {f"src/part{number}.py" for number in range(8)}
