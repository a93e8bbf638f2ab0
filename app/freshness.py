"""When a text on GitHub is written anew: news at once, tables and times together now and then, the last word at once.

GitHub allows an installation 80 writes a minute and 500 an hour. A batch of twenty whose tables were written
with every phase of every sibling would use that up in minutes, and then the verdicts would wait.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Move(StrEnum):
    """What to do with a text now."""

    WRITE = "write"
    HOLD = "hold"
    LEAVE = "leave"


@dataclass(frozen=True)
class Shown:
    """A text as GitHub has it, or should have it; `news` is the part of it that nobody may have to wait for."""

    hash: str
    news: str


def move(
    wanted: Shown, written: Shown | None, written_at: datetime, now: datetime, refresh: timedelta
) -> tuple[Move, datetime | None]:
    """With HOLD also the time from which it may be written."""
    if written is None:
        return Move.WRITE, None
    if written.hash == wanted.hash:
        return Move.LEAVE, None
    due = written_at + refresh
    if written.news != wanted.news or due <= now:
        return Move.WRITE, None
    return Move.HOLD, due
