"""Texts on GitHub are written when they have news; what nobody waits for is written together."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.freshness import Move, Shown, move

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
JUST_NOW = NOW - timedelta(seconds=1)


def test_a_new_text_and_news_are_written_at_once() -> None:
    """A verdict never waits for a table's turn."""
    assert move(Shown("a", ""), None, NOW, NOW, MINUTE) == (Move.WRITE, None)
    assert move(Shown("b", "succeeded"), Shown("a", ""), JUST_NOW, NOW, MINUTE) == (Move.WRITE, None)


def test_a_table_waits_for_its_minute() -> None:
    """And says until when."""
    assert move(Shown("b", ""), Shown("a", ""), JUST_NOW, NOW, MINUTE) == (Move.HOLD, JUST_NOW + MINUTE)
    assert move(Shown("b", ""), Shown("a", ""), NOW - MINUTE, NOW, MINUTE) == (Move.WRITE, None)


def test_what_github_shows_already_is_left() -> None:
    """However long ago it was written."""
    assert move(Shown("a", "x"), Shown("a", "x"), NOW - 9 * MINUTE, NOW, MINUTE) == (Move.LEAVE, None)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5), st.sampled_from(["", "red", "green"])), min_size=1, max_size=60),
    st.integers(1, 100),
)
def test_writes_are_few_and_the_last_text_always_gets_there(changes: list[tuple[int, int, str]], every: int) -> None:
    """Whatever changes when: at most one write a turn beside those with news, and after one quiet turn nothing is old."""
    refresh, now = timedelta(seconds=every), NOW
    plain_writes: list[tuple[datetime, datetime]] = []
    written, written_at, due = None, NOW, None
    wanted = Shown("", "")

    def look(at: datetime) -> None:
        nonlocal written, written_at, due
        what, due = move(wanted, written, written_at, at, refresh)
        if what is Move.WRITE:
            if written is not None and written.news == wanted.news:
                plain_writes.append((written_at, at))
            written, written_at = wanted, at

    for pause, text, news in changes:
        later = now + timedelta(seconds=pause)
        if due is not None and due <= later:
            look(due)
        now, wanted = later, Shown(f"{text}{news}", news)
        look(now)
    if due is not None:
        look(due)

    assert written == wanted
    assert all(at - before >= refresh for before, at in plain_writes)
