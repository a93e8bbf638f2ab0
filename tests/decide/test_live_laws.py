"""The laws of scheduling, for live decisions of two repositories that share one pool, whatever ends in whatever order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from app.decide.state import Attempt, TaskStatus
from app.planning.capacity import Machine
from app.planning.room import ROUNDING
from app.store.schema import metadata
from shared.models import VerdictName
from tests.support.decisions import POLICY
from tests.support.pooled import PooledDesk, desks

_DAY = timedelta(days=1)
# Nothing is lost here, and what a task is expected to use counts for as long as it runs.
PATIENT = replace(POLICY, lease=_DAY, start_timeout=_DAY, memory_settles=_DAY, task_memory_mib=1000, patience=timedelta(minutes=10))
_PLACES = ("src/auth.py", "src/billing.py", "docs/install.md", "README.md")


@dataclass(frozen=True)
class Work:
    """One repository's batch: for each issue the one before it that it waits for (0: none), and the place that it names."""

    after: tuple[int, ...]
    places: tuple[int, ...]

    def issues(self, desk: PooledDesk) -> None:
        """Labels and plans them."""
        bodies = [
            (f"Depends on #{before}. " if 0 < before < number else "") + f"`{_PLACES[place]}` is wrong"
            for number, (before, place) in enumerate(zip(self.after, self.places, strict=True), start=1)
        ]
        desk.plan(*(desk.issue(number, body) for number, body in enumerate(bodies, start=1)))


@dataclass(frozen=True)
class End:
    """After some seconds one of those that run, by its place among them, ends well or not."""

    seconds: float
    which: int
    well: bool


@contextmanager
def fresh() -> Iterator[Connection]:
    """A database in memory."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def _sized(size: int) -> st.SearchStrategy[Work]:
    befores = st.lists(st.integers(0, size), min_size=size, max_size=size).map(tuple)
    return st.builds(Work, befores, st.lists(st.integers(0, 3), min_size=size, max_size=size).map(tuple))


_WORKS = st.integers(1, 6).flatmap(_sized)
_ENDS = st.lists(st.builds(End, st.sampled_from([1.0, 400.0, 2000.0]), st.integers(0, 9), st.booleans()), max_size=20)
_MACHINES = st.builds(
    lambda memory, cores: Machine(memory, memory, cores), st.sampled_from([500.0, 2500.0, 9000.0]), st.sampled_from([0.5, 8.0])
)


def held(*both: PooledDesk) -> list[Attempt]:
    """Attempts that hold a slot."""
    return [attempt for desk in both for attempt in desk.state.attempts.values() if attempt.holds_slot]


def assert_lawful(machine: Machine, slots: int, *both: PooledDesk) -> None:
    """Never over capacity (but one alone may be larger than all there is), no conflict at once, each task one attempt."""
    running = held(*both)
    assert len(running) <= slots
    if len(running) > 1:
        assert sum(attempt.memory_mib for attempt in running) <= machine.free_memory_mib + ROUNDING
        assert sum(attempt.cpu for attempt in running) <= machine.cores + ROUNDING
    for desk in both:
        for number in desk.running:
            assert not set(desk.task(number).conflicts) & set(desk.running)
        for task in desk.state.tasks.values():
            assert task.attempts <= 1
            failed = [number for number in task.after if (verdict := desk.task(number).verdict) and verdict.name != "succeeded"]
            assert not (failed and task.attempts), f"#{task.issue} started though {failed} failed"


def assert_nothing_idles(*both: PooledDesk) -> None:
    """Whoever waits says what for: another task, a conflict, or a limit; and with nothing at work nobody who is ready waits."""
    for desk in both:
        for task in (one for one in desk.state.tasks.values() if one.status is TaskStatus.WAITING):
            pending = [number for number in task.after if not desk.task(number).verified]
            clashing = set(task.conflicts) & set(desk.running)
            assert pending or clashing or task.limit or _waits_for_overdue(desk, task.issue)
            assert held(*both) or pending


def _waits_for_overdue(desk: PooledDesk, issue: int) -> bool:
    return any(other != issue and desk.task(other).ready_since for other in desk.task(issue).conflicts)


def play(works: tuple[Work, Work], ends: list[End], machine: Machine, slots: int) -> list[str]:
    """Plays all of it to the end; the whole state as text."""
    with fresh() as connection:
        both = desks(connection, replace(PATIENT, slots=slots), "acme/one", "acme/two")
        for desk, work in zip(both, works, strict=True):
            desk.machine = machine
            work.issues(desk)
        rounds = [*ends, *([End(700, 0, well=True)] * 12)]
        for step, end in enumerate(rounds):
            # As the loop ticks: until nobody starts anything more.
            for desk in (*both, *both, *both):
                desk.wait(0)
            assert_lawful(machine, slots, *both)
            assert_nothing_idles(*both)
            busy = [(desk, number) for desk in both for number in desk.running]
            for desk in both:
                desk.wait(end.seconds)
            if busy:
                desk, number = busy[end.which % len(busy)]
                verdict = VerdictName.SUCCEEDED if end.well else VerdictName.AGENT_FAILED
                desk.finish(number, verdict, pull=1000 + step if end.well else None)
        assert all(not task.live for desk in both for task in desk.state.tasks.values()), "somebody was starved"
        return [task.model_dump_json() for desk in both for task in desk.state.tasks.values()]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(works=st.tuples(_WORKS, _WORKS), ends=_ENDS, machine=_MACHINES, slots=st.integers(1, 4))
def test_live_decisions_keep_the_laws(works: tuple[Work, Work], ends: list[End], machine: Machine, slots: int) -> None:
    """Capacity, conflicts, order, one attempt each, no idling, no starvation; and the same again when it is played again."""
    assert play(works, ends, machine, slots) == play(works, ends, machine, slots)
