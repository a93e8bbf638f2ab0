"""What is analysed once is not analysed again, until its text or its base changes."""

from pathlib import Path

import pytest

from app.facts.analysis import analyse
from app.facts.tree import list_folder
from app.planning.plan import make_plan
from shared.git import git, identity
from tests.facts.test_tree import commit_all, make_repository
from tests.planning.batches import issue

BATCH = [issue(1, "`a.py` fails"), issue(2, title="Slow session")]


def test_an_edited_issue_is_the_only_one_that_is_worked_out_again(tmp_path: Path) -> None:
    """Two new ones, then two known ones, then one known and one new."""
    make_repository(tmp_path / "r", "a.py", "session.py")
    listing = list_folder(tmp_path / "r")
    runs = [analyse(listing, batch, tmp_path / "kept") for batch in (BATCH, BATCH, [BATCH[0], issue(2, title="Slow start")])]
    assert [(run.hits, run.misses) for run in runs] == [(0, 2), (2, 0), (1, 1)]
    assert runs[0].touches == runs[1].touches
    assert runs[1].saved_milliseconds > 0


def test_a_base_that_moved_far_or_is_staged_is_worked_out_anew(tmp_path: Path) -> None:
    """A file that nobody has committed belongs to no base; what was known of the first is still known."""
    make_repository(tmp_path / "r", "a.py", "session.py")
    before = list_folder(tmp_path / "r")
    analyse(before, BATCH, tmp_path / "kept")
    (tmp_path / "r/new.py").write_text("session = 1")
    git("add", "new.py", cwd=tmp_path / "r")
    assert analyse(list_folder(tmp_path / "r"), BATCH, tmp_path / "kept").misses == 2
    assert analyse(before, BATCH, tmp_path / "kept").hits == 2
    git("commit", "-q", "--amend", "-m", "Another past", cwd=tmp_path / "r", env=identity("Ada", "ada@example.com"))
    assert analyse(list_folder(tmp_path / "r"), BATCH, tmp_path / "kept").misses == 2


@pytest.mark.parametrize(("changed", "misses"), [("a.py", 1), ("session.py", 1), ("far.py", 0), ("b.py", 0), ("named.py", 1)])
def test_a_moved_base_costs_only_the_issues_whose_files_it_changed(tmp_path: Path, changed: str, misses: int) -> None:
    """One names a.py, one speaks of sessions, one names a file that is still to come; the commits after are of other files."""
    make_repository(tmp_path / "r", "a.py", "b.py", "session.py", "far.py", *(f"other{number}.py" for number in range(40)))
    batch = [*BATCH, issue(3, "Then there is `named.py`", title="Write it")]
    first = analyse(list_folder(tmp_path / "r"), batch, tmp_path / "kept")
    (tmp_path / "r" / changed).write_text("# another thing\n")
    commit_all(tmp_path / "r")
    moved = analyse(list_folder(tmp_path / "r"), batch, tmp_path / "kept")
    assert (moved.hits, moved.misses) == (3 - misses, misses)
    if not misses:
        assert moved.touches == first.touches
    assert analyse(list_folder(tmp_path / "r"), batch, tmp_path / "kept").hits == 3


@pytest.mark.parametrize("text", ["", "{", "[]", '{"touches": {"x": [{"path": 1}]}}', '{"touches": 5}', "\udcff"])
def test_a_broken_memory_is_made_anew(tmp_path: Path, text: str) -> None:
    """Cut, of another kind, not UTF-8: as if it were not there."""
    make_repository(tmp_path / "r", "a.py")
    listing = list_folder(tmp_path / "r")
    wanted = analyse(listing, BATCH, tmp_path / "kept")
    [file] = (tmp_path / "kept").iterdir()
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    again = analyse(listing, BATCH, tmp_path / "kept")
    assert (again.misses, again.touches) == (2, wanted.touches)
    assert analyse(listing, BATCH, tmp_path / "kept").hits == 2


def test_a_place_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    make_repository(tmp_path / "r", "a.py")
    (tmp_path / "kept").write_text("x")
    assert analyse(list_folder(tmp_path / "r"), BATCH, tmp_path / "kept").misses == 2


def test_the_order_of_issues_changes_nothing(tmp_path: Path) -> None:
    """Neither what is predicted nor the plan; nothing of the machine is in it."""
    make_repository(tmp_path / "r", "a.py", "session.py")
    listing = list_folder(tmp_path / "r")
    batch = [*BATCH, issue(3, "x" * 10_000_000), issue(4)]
    plans = [
        make_plan(order, listing.tree, slots=2, touches=analyse(listing, order, None).touches).model_dump_json()
        for order in (batch, batch[::-1])
    ]
    assert plans[0] == plans[1]
    assert str(tmp_path) not in plans[0]


def test_no_issue_reads_nothing(tmp_path: Path) -> None:
    """An empty batch is neither hit nor miss."""
    make_repository(tmp_path / "r", "a.py")
    assert analyse(list_folder(tmp_path / "r"), [], tmp_path / "kept").touches == {}
    assert not (tmp_path / "kept").exists()
