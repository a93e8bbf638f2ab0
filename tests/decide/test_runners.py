"""Runners of GitHub Actions: as many tasks as there are idle ones, and a word when there is none."""

from dataclasses import replace

from app.actions import ReadRunners, StartAttempt
from app.events import RunnersRead
from shared.repository_settings import RepositorySettings
from tests.support.decisions import POLICY, Desk

COUNTING = replace(POLICY, slots=8, counts_runners=True)


def counted(online: int | None, idle: int = 0) -> Desk:
    """Four issues are planned, and GitHub tells of its runners."""
    desk = Desk(COUNTING)
    desk.plan(*(desk.issue(number) for number in (1, 2, 3, 4)))
    assert (desk.running, len(desk.asked("read_runners"))) == ([], 1)
    desk.tell(RunnersRead(repository_id=1, online=online, idle=idle))
    return desk


def words(desk: Desk, issue: int) -> str:
    """What a task waits for."""
    lack = desk.task(issue).lack
    return lack.words if lack else ""


def test_idle_runners_bound_what_starts() -> None:
    """Three online, one of them at work for somebody else; an end makes room at once."""
    desk = counted(3, 2)
    assert desk.running == [1, 2]
    assert desk.task(3).limit == "runners"
    desk.finish(1, pull=11)
    assert desk.running == [2, 3]
    desk.claim(2)
    desk.wait(30)
    desk.tell(RunnersRead(repository_id=1, online=3, idle=1))
    assert desk.running == [2, 3], "the idle one has not taken the job of the third yet"
    desk.claim(3)
    desk.wait(30)
    desk.tell(RunnersRead(repository_id=1, online=4, idle=1))
    assert desk.running == [2, 3, 4]
    assert len(desk.asked("read_runners")) == 3


def test_no_runner_online_is_told() -> None:
    """Nothing is dispatched into a queue that nobody empties; somebody looks again for as long as tasks wait."""
    desk = counted(0)
    assert desk.running == []
    desk.wait(30)
    assert words(desk, 1) == "a runner with the wanted labels: none is online"
    assert len(desk.asked("read_runners")) == 2
    desk.tell(RunnersRead(repository_id=1, online=1, idle=1))
    assert desk.running == [1]


def test_where_nobody_may_count_them_slots_are_the_limit() -> None:
    """A missing permission; an answer that does not come is waited for a little while only."""
    assert counted(None).running == [1, 2, 3, 4]
    silent = Desk(COUNTING)
    silent.plan(*(silent.issue(number) for number in (1, 2)))
    assert silent.running == []
    assert words(silent, 1) == ""
    silent.wait(21)
    assert silent.running == [1, 2]


def test_runners_that_come_on_demand_are_not_counted() -> None:
    """Nor are processes of our own."""
    desk = Desk(POLICY)
    desk.plan(desk.issue(1))
    assert (desk.running, desk.asked("read_runners")) == ([1], [])


def test_a_repository_names_the_runners_of_its_own_workflow() -> None:
    """They are counted, and its jobs are dispatched only where one of them is online; without a word it is the operator's."""
    desk = Desk(COUNTING)
    desk.plan(desk.issue(1), settings=RepositorySettings(runner_labels=("self-hosted", "gpu")))
    [asked] = desk.asked("read_runners")
    assert isinstance(asked, ReadRunners)
    assert asked.labels == ("self-hosted", "gpu")
    desk.tell(RunnersRead(repository_id=1, online=1, idle=1))
    [started] = desk.asked("start_attempt")
    assert isinstance(started, StartAttempt)
    assert started.labels == ("self-hosted", "gpu")

    other = counted(4, 4)
    assert [action.labels for action in other.actions if isinstance(action, ReadRunners | StartAttempt)] == [()] * 5
