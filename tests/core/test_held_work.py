"""The folder of work that waits to be published: what is half there is never taken for whole, and nobody else can read it."""

import stat
from hashlib import sha256
from pathlib import Path

import pytest

from app.held_work import PARTS, HeldFolder
from shared.messages import HELD_LIMIT

WORK = b"a bundle of some length"


def folder_in(tmp_path: Path) -> HeldFolder:
    return HeldFolder(tmp_path / "work" / "held")


def test_pieces_make_a_whole_and_a_lost_answer_does_no_harm(tmp_path: Path) -> None:
    """The same piece twice is once; a gap is answered by where to go on."""
    folder = folder_in(tmp_path)
    assert folder.take("1-5-1-1", "bundle", 0, WORK[:5]) == 5
    assert folder.take("1-5-1-1", "bundle", 0, WORK[:5]) == 5
    assert folder.take("1-5-1-1", "bundle", 9, WORK[9:]) == 5
    assert folder.take("1-5-1-1", "bundle", 5, WORK[5:]) == len(WORK)
    assert folder.read("1-5-1-1", 0) is None
    assert folder.keep("1-5-1-1", "bundle", sha256(WORK).hexdigest()) == len(WORK)
    assert folder.keep("1-5-1-1", "bundle", sha256(WORK).hexdigest()) == len(WORK)
    assert folder.take("1-5-1-1", "bundle", 0, b"late") == len(WORK)
    assert (folder.read("1-5-1-1", 0), folder.read("1-5-1-1", 9), folder.read("1-5-1-1", 99)) == (WORK, WORK[9:], b"")


def test_what_is_not_what_was_announced_is_not_kept(tmp_path: Path) -> None:
    """It is gone, and can be handed over again from the beginning."""
    folder = folder_in(tmp_path)
    folder.take("1-5-1-1", "diff", 0, WORK)
    assert folder.keep("1-5-1-1", "diff", sha256(b"another").hexdigest()) is None
    assert folder.keep("1-5-1-1", "diff", sha256(WORK).hexdigest()) is None
    assert folder.take("1-5-1-1", "diff", 0, WORK) == len(WORK)
    assert folder.keep("1-5-1-1", "diff", sha256(WORK).hexdigest()) == len(WORK)


def test_no_more_is_taken_than_may_be_kept(tmp_path: Path) -> None:
    """The sender is told how much there is, and never gets further."""
    folder = folder_in(tmp_path)
    folder.take("1-5-1-1", "bundle", 0, b"x")
    with (folder.path / "1-5-1-1.bundle.part").open("r+b") as file:
        file.truncate(HELD_LIMIT)
    assert folder.take("1-5-1-1", "bundle", HELD_LIMIT, b"y") == HELD_LIMIT
    assert (folder.path / "1-5-1-1.bundle.part").stat().st_size == HELD_LIMIT


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """0700 and 0600, whatever the umask; anything else is told with the command that mends it."""
    folder = folder_in(tmp_path)
    assert (folder.problem(), folder.listing(), folder.attempts()) == ("", [], set())
    folder.take("1-5-1-1", "bundle", 0, WORK)
    folder.keep("1-5-1-1", "bundle", sha256(WORK).hexdigest())
    [file] = folder.path.iterdir()
    assert (stat.S_IMODE(folder.path.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)
    assert folder.problem() == ""
    file.chmod(0o644)
    assert folder.problem() == f"chmod -R go-rwx {folder.path}"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Whoever could put one there cannot make us write elsewhere."""
    folder = folder_in(tmp_path)
    folder.path.mkdir(parents=True)
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (folder.path / "1-5-1-1.bundle.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        folder.take("1-5-1-1", "bundle", 0, WORK)
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"


def test_what_is_dropped_is_gone_and_others_stay(tmp_path: Path) -> None:
    """Twice is once."""
    folder = folder_in(tmp_path)
    for attempt in ("1-5-1-1", "1-6-1-1"):
        for part in PARTS:
            folder.take(attempt, part, 0, WORK)
            folder.keep(attempt, part, sha256(WORK).hexdigest())
    folder.drop("1-5-1-1")
    folder.drop("1-5-1-1")
    assert folder.attempts() == {"1-6-1-1"}
    assert [(one.attempt, one.bytes) for one in folder.listing()] == [("1-6-1-1", len(WORK))]
    assert folder.diff("1-5-1-1") is None
