"""What a report or an output says of one run; every reader gives the same shape."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Counts(NamedTuple):
    """None where it does not say; `words` holds what the failing tests said themselves, by their names."""

    source: str
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failing: tuple[str, ...] = ()
    words: Mapping[str, str] = {}


def together(parts: Iterable[Counts]) -> Counts | None:
    """Several runners in one command: their failures are united; a number that one of them does not know is unknown."""
    found = tuple(parts)
    if len(found) < 2:
        return found[0] if found else None
    return Counts(
        " and ".join(dict.fromkeys(part.source for part in found)),
        _sum(part.passed for part in found),
        _sum(part.failed for part in found),
        _sum(part.skipped for part in found),
        tuple(dict.fromkeys(name for part in found for name in part.failing)),
        {name: words for part in found for name, words in part.words.items()},
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number for number in known if number is not None)
