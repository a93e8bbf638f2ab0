"""Reads what planning asks of a repository's files and history, in one pass over the objects of a tree."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from stat import S_ISREG

from app.facts.damage import Damaged, PastDamaged, lacks_by_intent, reading
from app.facts.tree import Listing, shown
from app.planning.contents import MOST_BYTES, Wanted, read_contents
from app.planning.likely import Index
from app.planning.names import Names
from app.planning.past import MOST_COMMITS, Commit, Past
from shared.git import git, git_bytes

_LARGEST = 400_000  # a larger file is data, generated or bundled
_CHUNK = 4 * 2**20  # of contents; two of them are in memory at once
_FIRST_CHUNK = _CHUNK // 8  # while git unpacks it there is nothing else to do
_MOST = 256 * 2**20  # of contents read of one tree
_MESSAGE = 4_000
_HERE = {"GIT_NO_LAZY_FETCH": "1"}  # what a partial clone lacks is not fetched for this


def read_index(listing: Listing, wanted: Wanted) -> Index:
    """The contents as far as they are wanted, and the last commits; Damaged where git cannot read one, PastDamaged the other."""
    with ThreadPoolExecutor(2) as beside:  # git compares trees and unpacks files while this process reads words
        past = beside.submit(read_past, listing)
        files = _files(listing)
        first = beside.submit(lambda: list(islice(files, 1)))
        names = Names(listing.tree, wanted.terms)
        contents = read_contents(listing.tree, chain(first.result(), files), wanted)
        return Index(names, contents, past.result())


def read_past(listing: Listing) -> Past:
    """At most 2,000 commits without merges before and at the head; none of a plain folder, few of a shallow clone.

    None of a clone without trees either: that lacks its past by intent.
    """
    try:
        return Past(tuple(read_commits(listing.folder, listing.head, MOST_COMMITS)) if listing.head else ())
    except PastDamaged:
        if lacks_by_intent(listing.folder):
            return Past(())
        raise


def read_commits(folder: Path, head: str, most: int) -> list[Commit]:
    """Without merges, newest first, children before parents; of a folder below the top only what lies in it."""
    form = ("--format=%x00%x00%h%x00%B", f"--max-count={most}", "--end-of-options", head)
    what = ("-z", "--no-merges", "--topo-order", "--no-renames", "--name-only", "--relative")
    with reading(folder, PastDamaged):
        logged = git("log", *what, *form, cwd=folder, env=_HERE)
    return list(_commits(logged.split("\0")))


def _commits(fields: Sequence[str]) -> Iterator[Commit]:
    """Empty fields, an id, a message, then names until the next empty field; the first name begins with a line end."""
    at, end = 0, len(fields)
    while at < end:
        if not fields[at]:
            at += 1
            continue
        id_, message = fields[at], fields[at + 1] if at + 1 < end else ""
        at += 2
        first = at
        while at < end and fields[at]:
            at += 1
        names = tuple(shown(name.removeprefix("\n")) for name in fields[first:at])
        yield Commit(id_, os.fsencode(message[:_MESSAGE]).decode("utf-8", "replace"), names)


def _files(listing: Listing) -> Iterator[tuple[int, bytes]]:
    return _objects(listing) if listing.in_git else _plain(listing)


def _plain(listing: Listing) -> Iterator[tuple[int, bytes]]:
    """Regular files only, and never through a link: a repository may point anywhere."""
    for number, name in enumerate(listing.places):
        try:
            place = os.open(listing.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            continue
        with os.fdopen(place, "rb") as file:
            about = os.fstat(place)
            if S_ISREG(about.st_mode) and about.st_size <= _LARGEST:
                yield number, file.read(MOST_BYTES)


def _objects(listing: Listing) -> Iterator[tuple[int, bytes]]:
    with ThreadPoolExecutor(1) as ahead:  # git unpacks the next files while the last ones are read
        coming: Future[list[tuple[int, bytes]]] | None = None
        for chunk in _chunks(listing):
            following = ahead.submit(_read, listing, chunk)
            yield from coming.result() if coming else ()
            coming = following
        yield from coming.result() if coming else ()


def _chunks(listing: Listing) -> Iterator[list[int]]:
    sizes = _sizes(listing.folder, [place for place in listing.places if place])
    total, room, most = 0, 0, _FIRST_CHUNK
    chunk: list[int] = []
    for number, place in enumerate(listing.places):
        size = sizes.get(place, -1)
        if not 0 < size <= _LARGEST or total + size > _MOST:
            continue
        total += size
        room += size
        chunk.append(number)
        if room >= most:
            yield chunk
            chunk, room, most = [], 0, _CHUNK
    if chunk:
        yield chunk


def _sizes(folder: Path, objects: Sequence[str]) -> dict[str, int]:
    """Of the objects that are there: those of a partial clone may not be."""
    if not objects:
        return {}
    try:
        answers = _described(folder, objects)
    except Damaged:
        if not lacks_by_intent(folder):
            raise
        wanted = set(objects)
        every = ("--batch-all-objects", "--unordered")  # git ends at the first that it may not fetch, but lists all that it has
        here = git("cat-file", "--batch-check", "--buffer", *every, cwd=folder, env=_HERE).splitlines()
        answers = [answer for answer in here if answer.partition(" ")[0] in wanted]
    return {words[0]: int(words[2]) for answer in answers if len(words := answer.split(" ")) == 3 and words[1] == "blob"}


def _described(folder: Path, objects: Sequence[str]) -> list[str]:
    asked = "\n".join(objects).encode() + b"\n"
    with reading(folder):
        answers = (
            git_bytes("cat-file", "--batch-check", "--buffer", cwd=folder, stdin=asked, env=_HERE).decode("ascii").splitlines()
        )
    if lost := next((answer for answer in answers if answer.endswith(" missing")), ""):
        raise Damaged(folder, lost)
    return answers


def _read(listing: Listing, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    asked = "\n".join(listing.places[number] for number in numbers).encode() + b"\n"
    with reading(listing.folder):
        answer = git_bytes("cat-file", "--batch", "--buffer", cwd=listing.folder, stdin=asked, env=_HERE)
    files, at = [], 0
    for number in numbers:
        line_end = answer.index(b"\n", at)
        size = int(answer[at:line_end].rpartition(b" ")[2])
        at = line_end + 1
        files.append((number, answer[at : min(at + size, at + MOST_BYTES)]))
        at += size + 1
    return files
