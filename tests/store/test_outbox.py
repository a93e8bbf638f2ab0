"""Actions wait their turn, one per key, and no earlier than they should."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from app.actions import ReadIssue, RefreshReport, SyncReport
from app.store import outbox, schema
from app.store.replicas import Replica

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ME, OTHER = Replica("me", "here"), Replica("other", "there")


def keys(connection: Connection, now: datetime, who: Replica = ME) -> list[str]:
    """What is taken at a time."""
    return [key for _, key, _, _ in outbox.take(connection, who, now, 10)]


def test_the_same_action_twice_waits_once(connection: Connection) -> None:
    """Until it is taken: then the world may have changed again, and it is wanted once more."""
    report = SyncReport(repository_id=1, orchestration="1-1")
    outbox.put(connection, [report, report], NOW)
    [(row_id, first, _, _)] = outbox.take(connection, ME, NOW, 10)
    outbox.put(connection, [report], NOW)

    assert first == "report:1-1"
    assert keys(connection, NOW) == keys(connection, NOW, OTHER) == [], "one at a time, whoever does it"
    assert outbox.done(connection, ME, row_id)
    assert keys(connection, NOW, OTHER) == ["report:1-1"]


def test_a_failed_action_waits_longer_with_every_try(connection: Connection) -> None:
    """Half a minute of GitHub being away must not cost a core."""
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    [(row_id, _, _, tries)] = outbox.take(connection, ME, NOW, 10)
    outbox.try_later(connection, ME, row_id, tries, NOW, None, "GitHub is away")

    assert keys(connection, NOW + timedelta(seconds=0.1)) == []
    [(_, _, _, tries)] = outbox.take(connection, ME, NOW + timedelta(seconds=0.3), 10)
    assert tries == 1

    outbox.try_later(connection, ME, row_id, 100, NOW, None, "GitHub is away")
    assert keys(connection, NOW + timedelta(seconds=59)) == []
    assert keys(connection, NOW + timedelta(seconds=61)) == ["read_issue:1:5"]


def test_the_other_side_may_say_how_long_to_wait(connection: Connection) -> None:
    """`Retry-After` wins."""
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    [(row_id, _, _, tries)] = outbox.take(connection, ME, NOW, 10)
    outbox.try_later(connection, ME, row_id, tries, NOW, timedelta(minutes=20), "rate limit")

    assert keys(connection, NOW + timedelta(minutes=19)) == []
    assert keys(connection, NOW + timedelta(minutes=21)) == ["read_issue:1:5"]


def test_an_error_may_quote_anything(connection: Connection) -> None:
    """Bytes of a program's output that are no text in a database end the action all the same."""
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    [(row_id, _, _, _)] = outbox.take(connection, ME, NOW, 10)

    assert outbox.done(connection, ME, row_id, "it said: \0 \udcff")

    assert connection.scalar(select(schema.outbox.c.error)) == "it said: \\0 \\udcff"


def test_one_refresh_waits_for_its_time_and_is_no_work(connection: Connection) -> None:
    """A report wanted meanwhile goes first; an app that only has to refresh a table has nothing left to do."""
    due = [NOW + timedelta(seconds=seconds) for seconds in (60, 70)]
    outbox.put(connection, [RefreshReport(repository_id=1, orchestration="1-1", not_before=time) for time in due], NOW)

    assert outbox.is_empty(connection)
    assert keys(connection, NOW) == []
    outbox.put(connection, [SyncReport(repository_id=1, orchestration="1-1")], NOW)
    assert not outbox.is_empty(connection)
    [(row_id, _, _, _)] = outbox.take(connection, ME, NOW, 10)
    assert keys(connection, due[0]) == [], "never two writers of the same texts"
    assert outbox.done(connection, ME, row_id)
    assert keys(connection, due[0]) == ["report:1-1"]
    assert keys(connection, due[1]) == [], "one refresh writes all that differs by then"
