"""What repositories share, and what attempts leave behind: read from the database, so that a restart forgets nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from app.decide.budget import day_of
from app.decide.draft import Decision
from app.decide.state import Pool
from app.planning.estimate import Past
from app.store import measured, rows
from app.store.database import open_engine
from shared.models import PhaseName, PhaseResult, Usage, VerdictName
from tests.support.decisions import POLICY, Desk

TODAY = day_of(Desk().now)
PAID = replace(POLICY, attempt_cost_usd=2.0)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A fresh database."""
    engine = open_engine(database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def save(connection: Connection, desk: Desk) -> None:
    """Everything that the desk has decided so far."""
    state = desk.state
    written = (tuple(state.orchestrations.values()), tuple(state.tasks.values()), tuple(state.attempts.values()))
    rows.save(connection, state.repository, Decision(state, True, *written, actions=(), refusal=""))


def test_money_and_slots_are_those_of_all_repositories(connection: Connection) -> None:
    """Reserved while an attempt lives, what it cost afterwards; tomorrow is another day."""
    desk = Desk(PAID)
    desk.plan(desk.issue(1), desk.issue(2))
    desk.finish(1, pull=11, usage=Usage(cost_usd=0.25))
    save(connection, desk)

    assert rows.pool(connection, 999, TODAY) == Pool(slots_held=1, cost_today_usd=2.25)
    assert rows.pool(connection, 1, "2026-01-02").cost_today_usd == 0


def test_a_refusing_provider_is_known_to_the_other_repositories(connection: Connection) -> None:
    """Until when, and whether somebody is asking again; a repository's own pauses are not told to it twice."""
    desk = Desk()
    desk.plan(desk.issue(1))
    desk.finish(1, VerdictName.PROVIDER_LIMIT)
    save(connection, desk)
    told = rows.pool(connection, 999, TODAY)
    assert told.paused_until == desk.task(1).not_before
    assert rows.pool(connection, 1, TODAY) == Pool()

    desk.wait(timedelta(minutes=2).total_seconds())
    save(connection, desk)

    assert rows.pool(connection, 999, TODAY) == Pool(slots_held=1, probing=True)


def test_what_an_attempt_took_feeds_the_next_estimates(connection: Connection) -> None:
    """Time, the greatest peak of its phases; attempts that ended before the work was done do not count."""
    desk = Desk()
    desk.plan(desk.issue(1, "It crashes"), desk.issue(2))
    desk.claim(1)
    desk.wait(30)
    peaks = {PhaseName.SETUP: 10, PhaseName.IMPLEMENTATION: 700, PhaseName.TESTING: 20}
    phases = tuple(PhaseResult(name=name, status="passed", seconds=1, peak_memory_mib=peak) for name, peak in peaks.items())
    desk.finish(1, pull=11, phases=phases)
    desk.finish(2, VerdictName.SETUP_FAILED)
    save(connection, desk)

    assert measured.latest(connection, 1) == (Past(desk.task(1).kind, 0.5, 700),)
    assert measured.latest(connection, 2) == ()
