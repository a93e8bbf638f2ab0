"""Who waits for want of what: named, fair between repositories, and nobody for ever."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app.decide.context import Pool
from app.planning.capacity import Machine, Throttle
from app.planning.estimate import Past
from app.store.database import open_engine
from shared.models import Kind
from tests.support.decisions import POLICY as USUAL
from tests.support.decisions import Desk
from tests.support.pooled import PooledDesk, desks

# Attempts here are patient: nothing is lost while time passes.
POLICY = replace(USUAL, lease=timedelta(days=1), start_timeout=timedelta(days=1))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A database of its own."""
    engine = open_engine(f"sqlite:///{tmp_path}/shoal.db")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def told(desk: Desk, issue: int) -> tuple[str, str]:
    """What a waiting task lacks, by name and in words."""
    task = desk.task(issue)
    return task.limit, task.lack.words if task.lack else ""


def planned(desk: Desk, *numbers: int) -> Desk:
    """With issues on as many places."""
    desk.plan(*(desk.issue(number) for number in numbers))
    return desk


def test_each_limit_is_named_with_its_figures() -> None:
    """Slots, memory, cores, pressure, GitHub's limits: the first that is short."""
    slots = planned(Desk(replace(POLICY, slots=1)), 1, 2)
    memory = planned(Desk(replace(POLICY, task_memory_mib=2150), machine=Machine(free_memory_mib=3600)), 1, 2)
    cores = planned(Desk(POLICY, machine=Machine(cores=0.5)), 1, 2, 3)
    pressed = Pool(throttle=Throttle(allowed=1, because="load 4.5 per core"))
    pressure = planned(Desk(POLICY, pool=pressed), 1, 2)
    grown = planned(Desk(POLICY, pool=Pool(throttle=Throttle(allowed=1))), 1, 2)
    api = planned(Desk(POLICY, writes_left=9), 1, 2)

    assert told(slots, 2) == ("slots", "a free slot (1 of 1 in use)")
    assert told(memory, 2) == ("memory", "memory (needs 2.1 GB, 1.4 GB free)")
    assert told(cores, 3) == ("cpu", "CPU time (needs 0.25 of a core, 0.00 of 0.5 left)")
    assert told(pressure, 2) == ("pressure", "less pressure on the machine (load 4.5 per core: 1 at once instead of 4)")
    assert told(grown, 2)[1] == "less pressure on the machine (it is tried how many it bears: 1 at once instead of 4)"
    assert told(api, 2) == ("api", "GitHub's limits (a task writes 5 times, 4 left for now)")
    assert [desk.running for desk in (slots, memory, cores, pressure, api)] == [[1], [1], [1, 2], [1], [1]]


def test_what_is_told_does_not_change_with_every_figure_and_ends_with_the_wait() -> None:
    """Each text is a write to GitHub: another limit is told after a minute at the earliest."""
    desk = planned(Desk(replace(POLICY, slots=2)), 1, 2, 3)
    assert told(desk, 3) == ("slots", "a free slot (2 of 2 in use)")
    desk.policy = replace(desk.policy, slots=3)
    desk.machine = Machine(free_memory_mib=0)
    desk.wait(30)
    assert told(desk, 3) == ("memory", "a free slot (2 of 2 in use)")
    desk.wait(31)
    assert told(desk, 3) == ("memory", "memory (needs 1.0 GB, 0.0 GB free)")
    desk.machine = Machine()
    desk.wait(1)
    assert desk.running == [1, 2, 3]
    assert (desk.task(3).limit, desk.task(3).lack, desk.task(3).ready_since) == ("", None, None)


def test_a_task_that_waits_for_another_lacks_no_room() -> None:
    """Neither for a predecessor nor for the end of a conflict."""
    desk = Desk(replace(POLICY, slots=1))
    clash = "`src/auth.py` is wrong"
    desk.plan(desk.issue(1, clash), desk.issue(2, clash), desk.issue(3, "Depends on #1"))
    assert (told(desk, 3), desk.task(3).ready_since) == (("", ""), None)
    desk.policy = POLICY
    desk.wait(1)
    assert told(desk, 2)[0] == ""


def test_an_idle_machine_takes_one_however_small_it_is() -> None:
    """One, and the most urgent: more memory than there is would be no reason to wait for ever."""
    desk = Desk(POLICY, machine=Machine(free_memory_mib=10, cores=0.1))
    desk.history = tuple(Past(kind, 5, 100) for kind in Kind for _ in range(20))
    planned(desk, 1, 2)
    assert desk.running == [1]


def take(desk: PooledDesk, *numbers: int) -> None:
    """Its issues are labelled and planned."""
    desk.plan(*(desk.issue(number) for number in numbers))


def test_two_repositories_share_the_slots(connection: Connection) -> None:
    """The first has all four until the second comes; each end gives the second its turn, until both have two; then in turns."""
    first, second = desks(connection, POLICY, "acme/one", "acme/two")
    take(first, *range(1, 9))
    take(second, *range(11, 19))
    assert (len(first.running), len(second.running)) == (4, 0)
    assert told(second, 11)[0] == "slots"

    for number in (1, 2):
        first.finish(number, pull=100 + number)
        second.wait(0)
    assert (len(first.running), len(second.running)) == (2, 2)
    assert {first.task(number).limit for number in range(5, 9)} == {"share"}

    second.finish(second.running[0], pull=200)
    assert (len(first.running), len(second.running)) == (2, 2)
    first.finish(first.running[0], pull=201)
    assert (len(first.running), len(second.running)) == (2, 2)


def test_fairness_leaves_no_slot_idle(connection: Connection) -> None:
    """A repository with one task takes one slot, and what waits for something else than a slot claims none."""
    first, second = desks(connection, POLICY, "acme/one", "acme/two")
    take(second, 11)
    second.wait(0)
    take(first, *range(1, 9))
    assert (len(first.running), len(second.running)) == (3, 1)
    second.finish(11, pull=11)
    first.wait(0)
    assert len(first.running) == 4


def test_memory_of_a_young_attempt_counts_for_all_repositories(connection: Connection) -> None:
    """It has not used it yet: two that start in one minute must fit together."""
    first, second = desks(connection, POLICY, "acme/one", "acme/two")
    first.machine = second.machine = Machine(free_memory_mib=2500)
    take(first, 1, 2)
    take(second, 11)
    assert (first.running, second.running) == ([1, 2], [])
    assert told(second, 11) == ("memory", "memory (needs 1.0 GB, 0.5 GB free)")


def test_a_large_task_is_not_starved_by_small_ones_of_another_repository(connection: Connection) -> None:
    """It has waited for an hour: what it needs is kept, the other one's tasks say so, and it starts as soon as that is free."""
    small, large = desks(connection, POLICY, "acme/small", "acme/large")
    large.policy = replace(POLICY, task_memory_mib=3000)
    small.machine = large.machine = Machine(free_memory_mib=3500)
    take(small, 1, 2, 3)
    take(large, 11)
    assert (len(small.running), told(large, 11)[0]) == (3, "memory")
    for desk in (small, large):
        desk.machine = Machine(free_memory_mib=500)
        desk.wait(1800)
    take(small, *range(4, 10))

    for desk in (small, large):
        desk.machine = Machine(free_memory_mib=1000)
        desk.wait(1801)
    assert len(small.running) == 3, "there is memory for a fourth, but it is kept"
    assert small.task(9).limit == "reserved"
    small.machine = Machine(free_memory_mib=3100)
    small.finish(1, pull=101)
    assert len(small.running) == 2
    large.machine = Machine(free_memory_mib=3100)
    large.wait(0)
    assert large.running == [11]


def test_what_has_waited_too_long_comes_before_what_is_more_urgent() -> None:
    """One slot, and a new task with a long chain behind it would always go first."""
    desk = Desk(replace(POLICY, slots=1))
    desk.plan(desk.issue(1), desk.issue(2, "Update the readme", "docs: a typo"))
    desk.wait(3000)
    desk.plan(desk.issue(3), desk.issue(4, "Depends on #3"))
    desk.wait(700)
    desk.finish(1, pull=11)
    assert desk.running == [2]


def test_a_batch_that_waits_together_keeps_its_order() -> None:
    """All of it is overdue: what has the longest chain behind it still goes first, not the lowest number."""
    desk = Desk(replace(POLICY, slots=1))
    desk.plan(*(desk.issue(number) for number in (1, 2, 3)), desk.issue(4, "Depends on #3"), desk.issue(5, "Depends on #4"))
    assert desk.running == [3]
    desk.plan(desk.issue(6), desk.issue(7), desk.issue(8, "Depends on #7"), desk.issue(9, "Depends on #8"))
    desk.wait(3601)
    desk.finish(3, pull=13)
    assert desk.running == [7]


def test_whose_room_is_kept_is_nobody_elses_business(connection: Connection) -> None:
    """Another repository's name may be a secret: the words tell that room is kept, not for whom."""
    first, second = desks(connection, POLICY, "acme/open", "acme/secret")
    first.machine = second.machine = Machine(free_memory_mib=1500)
    take(first, 1)
    take(second, 11)
    second.machine = Machine(free_memory_mib=500)
    second.wait(3601)
    first.wait(3600)
    first.machine = Machine(free_memory_mib=1900)
    take(first, 2)
    assert told(first, 2) == ("reserved", "another task, which has waited too long and for which the room is kept")
