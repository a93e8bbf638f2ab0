"""Actions wait their turn, one per key, and no earlier than they should."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app.actions import ReadIssue, SyncReport
from app.store import outbox
from app.store.database import open_engine

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A fresh database."""
    engine = open_engine(f"sqlite:///{tmp_path}/shoal.db")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def keys(connection: Connection, now: datetime, *busy: str) -> list[str]:
    """What is taken at a time."""
    return [key for _, key, _, _ in outbox.take(connection, now, busy, 10)]


def test_the_same_action_twice_waits_once(connection: Connection) -> None:
    """Until it is taken: then the world may have changed again, and it is wanted once more."""
    report = SyncReport(repository_id=1, orchestration="1-1")
    outbox.put(connection, [report, report], NOW)
    first = keys(connection, NOW)
    outbox.put(connection, [report], NOW)

    assert first == ["report:1-1"]
    assert keys(connection, NOW, "report:1-1") == [], "one at a time"
    assert keys(connection, NOW) == ["report:1-1"]


def test_a_failed_action_waits_longer_with_every_try(connection: Connection) -> None:
    """Half a minute of GitHub being away must not cost a core."""
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    [(row_id, _, _, tries)] = outbox.take(connection, NOW, (), 10)
    outbox.try_later(connection, row_id, tries, NOW, None, "GitHub is away")

    assert keys(connection, NOW + timedelta(seconds=0.1)) == []
    [(_, _, _, tries)] = outbox.take(connection, NOW + timedelta(seconds=0.3), (), 10)
    assert tries == 1

    outbox.try_later(connection, row_id, 100, NOW, None, "GitHub is away")
    assert keys(connection, NOW + timedelta(seconds=59)) == []
    assert keys(connection, NOW + timedelta(seconds=61)) == ["read_issue:1:5"]


def test_the_other_side_may_say_how_long_to_wait(connection: Connection) -> None:
    """`Retry-After` wins."""
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    [(row_id, _, _, tries)] = outbox.take(connection, NOW, (), 10)
    outbox.try_later(connection, row_id, tries, NOW, timedelta(minutes=20), "rate limit")

    assert keys(connection, NOW + timedelta(minutes=19)) == []
    assert keys(connection, NOW + timedelta(minutes=21)) == ["read_issue:1:5"]
