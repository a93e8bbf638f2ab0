"""What is on disk between two phases."""

from pathlib import Path

import pytest

from runner.folder import TaskFolder, held
from runner.state import fresh, load, save
from shared.errors import FatalError
from shared.models import PhaseName, PhaseResult, Verdict, VerdictName
from tests.runner.briefs import brief

BRIEF = brief("t", "b")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """Byte for byte the same facts; nothing but the file itself is left."""
    state = fresh(BRIEF)
    state.done.append(PhaseResult(name=PhaseName.SETUP, status="passed", seconds=1))
    save(state, tmp_path / "state.json")
    assert load(tmp_path / "state.json") == state
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"unknown": 1}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_set_aside(tmp_path: Path, content: bytes) -> None:
    """It counts as nothing, and it is kept."""
    path = tmp_path / "state.json"
    path.write_bytes(content)
    assert load(path) is None
    assert [left.read_bytes() for left in tmp_path.glob("state.corrupt-*")] == [content]
    assert load(path) is None


def test_only_work_for_the_same_question_is_carried_on() -> None:
    """Another base, other predecessors or another text begin afresh; so does a verdict about the work itself."""
    state = fresh(BRIEF)
    assert state.fits(BRIEF)
    for change in ({"base_sha": "1" * 40}, {"merge_shas": ("2" * 40,)}, {"issue": BRIEF.issue.model_copy(update={"hash": "x"})}):
        assert not state.fits(BRIEF.model_copy(update=change))
    state.verdict = Verdict(name=VerdictName.CANCELLED, reason="r")
    assert state.fits(BRIEF)
    state.verdict = Verdict(name=VerdictName.TESTS_FAILED, reason="r")
    assert not state.fits(BRIEF)


def test_a_task_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """The second is refused with a line that says where."""
    folder = TaskFolder(tmp_path, 7, "shoal/5-x")
    with held(folder), pytest.raises(FatalError, match=r"another runner works on shoal/5-x"), held(folder):
        pass
    with held(folder):
        pass
