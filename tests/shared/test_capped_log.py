"""A log keeps its beginning and its end, in order, whatever was printed."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.capped_log import CappedLog


def write(path: Path, limit: int, chunks: list[bytes]) -> bytes:
    log = CappedLog(path, limit)
    for chunk in chunks:
        log.write(chunk)
    log.close()
    return path.read_bytes()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=30))
def test_head_and_tail_are_whole_and_the_gap_is_counted(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    """For any sizes of the pieces: either all of it, or both ends and the exact number of bytes between them."""
    whole = b"".join(b"%07d." % index for index in range(sum(sizes) // 8 + 1))[: sum(sizes)]
    places = [sum(sizes[:index]) for index in range(len(sizes) + 1)]
    chunks = [whole[begin:end] for begin, end in pairwise(places)]
    text = write(tmp_path_factory.mktemp("log") / "log", 1000, chunks)
    if len(whole) <= 1000:
        assert text == whole
        return
    assert len(text) == 1000
    head, notice, tail = text.split(b"\n")
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert int(notice.decode().strip("[.] ").split()[0].replace(",", "")) == len(whole) - len(head) - len(tail)


def test_what_an_earlier_command_wrote_stays(tmp_path: Path) -> None:
    """A phase's commands share one file, one after the other; each has its own limit."""
    path = tmp_path / "log"
    write(path, 1000, [b"earlier\n"])
    text = write(path, 1000, [b"x" * 5000, b"end"])
    assert text.startswith(b"earlier\nxxx")
    assert text.endswith(b"xend")
    assert len(text) == 1008


def test_it_can_be_read_while_it_grows(tmp_path: Path) -> None:
    """Also by somebody who comes after its writer was killed: nothing is held back, and it never takes twice its limit."""
    log = CappedLog(tmp_path / "log", 1000)
    for number in range(300):
        log.write(b"line %04d\n" % number)
        text = (tmp_path / "log").read_bytes()
        assert text.endswith(b"line %04d\n" % number)
        assert len(text) <= 1510
    log.close()
