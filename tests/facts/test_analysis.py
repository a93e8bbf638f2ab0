"""What is analysed once is not analysed again, until its text or its base changes."""

from pathlib import Path

import pytest

from app.facts.analysis import analyse
from app.facts.tree import list_folder
from app.planning.plan import make_plan
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


def test_a_moved_base_is_worked_out_anew(tmp_path: Path) -> None:
    """A new commit on the same files, then what was known of the first is still known."""
    make_repository(tmp_path / "r", "a.py")
    before = list_folder(tmp_path / "r")
    analyse(before, BATCH, tmp_path / "kept")
    (tmp_path / "r/a.py").write_text("session = 1")
    commit_all(tmp_path / "r")
    assert analyse(list_folder(tmp_path / "r"), BATCH, tmp_path / "kept").misses == 2
    assert analyse(before, BATCH, tmp_path / "kept").hits == 2


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
