"""What repositories share, and what attempts leave behind: read from the database, so that a restart forgets nothing."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from app.decide.context import Held, Pool, Reservation
from app.planning.capacity import Throttle
from app.planning.estimate import CPU_P90, Past
from app.planning.fairness import Demand
from app.store import measured, pool
from shared.models import PhaseName, PhaseResult, Usage, VerdictName
from tests.store.saving import save
from tests.support.decisions import POLICY, Desk
from tests.support.protocol import NOW

PAID = replace(POLICY, attempt_cost_usd=2.0)


def told(connection: Connection, repository_id: int, *, days: int = 0) -> Pool:
    """What this repository knows of the pool, `days` later."""
    return pool.pool(connection, repository_id, NOW + timedelta(days=days), POLICY.patience, "here")


def test_money_and_slots_are_those_of_all_repositories(connection: Connection) -> None:
    """Reserved while an attempt lives, what it cost afterwards; tomorrow is another day."""
    desk = Desk(PAID)
    desk.plan(desk.issue(1), desk.issue(2))
    desk.finish(1, pull=11, usage=Usage(cost_usd=0.25))
    save(connection, desk)

    assert (told(connection, 999).slots_held, told(connection, 999).cost_today_usd) == (1, 2.25)
    assert told(connection, 1, days=1).cost_today_usd == 0


def test_a_refusing_provider_is_known_to_the_other_repositories(connection: Connection) -> None:
    """Until when, and whether somebody is asking again; a repository's own pauses are not told to it twice."""
    desk = Desk()
    desk.plan(desk.issue(1))
    desk.finish(1, VerdictName.PROVIDER_LIMIT)
    save(connection, desk)
    refused = told(connection, 999)
    assert refused.paused_until == desk.task(1).not_before
    assert told(connection, 1) == Pool()

    desk.wait(timedelta(minutes=2).total_seconds())
    save(connection, desk)

    assert (told(connection, 999).slots_held, told(connection, 999).probing) == (1, True)


def test_what_an_attempt_took_feeds_the_next_estimates(connection: Connection) -> None:
    """Time, peak, share of a core, cost, and what was predicted; one that ended before the work was done does not count."""
    desk = Desk()
    desk.plan(desk.issue(1, "It crashes"), desk.issue(2))
    desk.claim(1)
    desk.wait(30)
    peaks = {PhaseName.SETUP: 10, PhaseName.IMPLEMENTATION: 700, PhaseName.TESTING: 20}
    phases = tuple(
        PhaseResult(name=name, status="passed", seconds=10, cpu_seconds=2, peak_memory_mib=peak) for name, peak in peaks.items()
    )
    desk.finish(1, pull=11, phases=phases, usage=Usage(cost_usd=0.4))
    desk.finish(2, VerdictName.SETUP_FAILED)
    save(connection, desk)

    told = Past(desk.task(1).kind, 0.5, 700, 0.2, succeeded=True, predicted_minutes=44, cost_usd=0.4)
    assert measured.latest(connection, 1) == (told,)
    assert measured.latest(connection, 2) == ()


def test_who_waits_for_want_of_what_is_known_to_everybody(connection: Connection) -> None:
    """Four run and two want a slot: the demand that others share with, what is held, and the figures for the operator."""
    desk = Desk()
    desk.plan(*(desk.issue(number) for number in range(1, 7)))
    save(connection, desk)

    other = told(connection, 999)
    assert other.demands == (Demand(1, held=4, waiting=2, since=desk.now.timestamp()),)
    assert other.held == (Held(desk.now, 1000, CPU_P90),) * 4
    assert (told(connection, 1).demands, told(connection, 1).held) == ((), ())
    assert pool.waiting_by_limit(connection) == {"slots": 2}


def test_who_waits_for_money_is_counted_too(connection: Connection) -> None:
    """It wants no slot of others meanwhile."""
    desk = Desk(replace(PAID, day_cost_usd=2.0))
    desk.plan(desk.issue(1), desk.issue(2))
    save(connection, desk)

    assert pool.waiting_by_limit(connection) == {"budget": 1}
    assert told(connection, 999).demands == (Demand(1, held=1),)


def test_room_is_reserved_for_who_has_waited_too_long(connection: Connection) -> None:
    """The oldest one of all, known to the others only."""
    desk = Desk(replace(POLICY, slots=1))
    desk.plan(desk.issue(1), desk.issue(2), desk.issue(3))
    save(connection, desk)
    later = desk.now + POLICY.patience

    assert pool.pool(connection, 999, desk.now, POLICY.patience).reserved is None
    assert pool.pool(connection, 999, later, POLICY.patience).reserved == Reservation(desk.now, 1000, CPU_P90)
    assert pool.pool(connection, 1, later, POLICY.patience).reserved is None


def test_how_many_a_pressed_machine_allows_survives_a_restart(connection: Connection) -> None:
    """Each machine by its name."""
    pool.set_throttle(connection, "here", Throttle(allowed=3, shrunk_at=NOW, because="load 4.5 per core"))

    assert told(connection, 1).throttle == Throttle(allowed=3, shrunk_at=NOW, because="load 4.5 per core")
    assert pool.throttle(connection, "there") is None
