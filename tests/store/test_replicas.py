"""Several apps on one database: each knows who lives, and nothing that a living one holds is touched."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from app.actions import ReadIssue, RevokeTokens, StopAttempt
from app.store import outbox, replicas
from app.store.database import open_engine
from app.store.replicas import Replica

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=15)
ANN, BOB = Replica("ann", "north"), Replica("bob", "south")
SOON, LATER = NOW + timedelta(seconds=10), NOW + timedelta(seconds=20)


@pytest.fixture
def connection(postgres: object, database_url: str) -> Iterator[Connection]:
    """A fresh database of a server: only there can several apps be."""
    engine = open_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def taken(connection: Connection, who: Replica, now: datetime = NOW) -> list[str]:
    """Keys of what somebody may do now."""
    return [key for _, key, _, _ in outbox.take(connection, who, now, 10)]


pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]


def test_what_a_living_one_does_is_left_to_it(connection: Connection) -> None:
    """A second app that starts releases nothing; once the first is silent for a lease, its work is free and it is not heard."""
    assert replicas.join(connection, ANN, NOW, LEASE), "nobody else: leases did not age"
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    [(row_id, _, _, _)] = outbox.take(connection, ANN, NOW, 10)

    assert not replicas.join(connection, BOB, SOON, LEASE)
    assert taken(connection, BOB, SOON) == []

    assert replicas.renew(connection, BOB, LATER, LEASE), "the eldest that lives leads"
    assert taken(connection, BOB, LATER) == ["read_issue:1:5"]
    assert not outbox.done(connection, ANN, row_id), "it woke up too late"
    assert outbox.done(connection, BOB, row_id)
    assert not replicas.renew(connection, ANN, LATER, LEASE), "back, but no longer the eldest"


def test_an_orderly_end_makes_nobody_wait(connection: Connection) -> None:
    """What it held is free at once."""
    replicas.join(connection, ANN, NOW, LEASE)
    replicas.join(connection, BOB, SOON, LEASE)
    outbox.put(connection, [ReadIssue(repository_id=1, issue=5)], NOW)
    assert taken(connection, ANN) == ["read_issue:1:5"]
    assert not replicas.renew(connection, BOB, SOON, LEASE)

    replicas.leave(connection, ANN)

    assert taken(connection, BOB) == ["read_issue:1:5"]
    assert replicas.renew(connection, BOB, SOON, LEASE)


def test_what_only_one_can_do_waits_for_it_while_it_lives(connection: Connection) -> None:
    """A process ends on its own machine, a token is revoked by whoever holds it; after their end anybody may try."""
    replicas.join(connection, ANN, NOW, LEASE)
    replicas.join(connection, BOB, NOW, LEASE)
    ends = StopAttempt(repository_id=1, attempt="1-5-1-1", place="north")
    revokes = RevokeTokens(repository_id=1, attempt="1-5-1-1", place="ann")
    outbox.put(connection, [ends, revokes], NOW)
    assert taken(connection, BOB) == []

    replicas.leave(connection, ANN)

    assert sorted(taken(connection, BOB)) == ["revoke_tokens:1:1-5-1-1", "stop_attempt:1:1-5-1-1"]
