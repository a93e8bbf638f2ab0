"""What lost messages left behind, as values: which deliveries are asked for again, and what belongs to nobody."""

from datetime import UTC, datetime, timedelta

from app.decide.reconcile import left_behind, to_redeliver
from app.decide.state import Task, TaskStatus
from app.found import BranchFound, CheckFound, DeliverySeen, PullFound, Survey

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def seen(number: int, guid: str, *, ago: float = 1, arrived: bool = False, redelivery: bool = False) -> DeliverySeen:
    """An attempt some hours ago."""
    return DeliverySeen(number, guid, NOW - timedelta(hours=ago), arrived, redelivery, "issues")


def test_each_lost_delivery_is_asked_for_once_and_in_order() -> None:
    """Not what arrived in the end, not what was delivered again already, not what GitHub has forgotten, not what we asked for."""
    log = [
        seen(9, "lost later"),
        seen(8, "second try arrived", arrived=True, redelivery=True),
        seen(7, "second try failed too", redelivery=True),
        seen(6, "second try failed too"),
        seen(5, "second try arrived"),
        seen(4, "fine", arrived=True),
        seen(3, "asked for a moment ago"),
        seen(2, "lost"),
        seen(1, "too old", ago=80),
    ]
    assert [one.guid for one in to_redeliver(log, {"asked for a moment ago"}, NOW)] == ["lost", "lost later"]


def _task(issue: int, status: TaskStatus, branch: str) -> Task:
    return Task(repository_id=1, issue=issue, status=status, branch=branch, orchestration="1-1")


def test_only_what_no_task_answers_for_is_left_behind() -> None:
    """A live task's branch waits for its pull request; an ended one's without any is told of; a check is open while its task is."""
    tasks = {
        1: _task(1, TaskStatus.RUNNING, "shoal/1-a"),
        2: _task(2, TaskStatus.DONE, "shoal/2-b"),
        3: _task(3, TaskStatus.DONE, "shoal/3-c"),
    }
    survey = Survey(
        branches=(
            BranchFound("shoal/1-a", has_pull=False),
            BranchFound("shoal/2-b", has_pull=False),
            BranchFound("shoal/3-c", has_pull=True),
            BranchFound("shoal/9-unknown", has_pull=False),
        ),
        pulls=(PullFound(11, "shoal/3-c"), PullFound(12, "shoal/8-unknown")),
        checks=tuple(CheckFound(n, "Shoal", "c" * 40, key) for n, key in enumerate(("1-1:1", "1-1:2", "0-9:1", "no key"))),
    )
    left = left_behind(survey, tasks)
    assert [one.name for one in left.branches] == ["shoal/2-b", "shoal/9-unknown"]
    assert [one.number for one in left.pulls] == [12]
    assert [one.external_id for one in left.checks] == ["1-1:2", "0-9:1", "no key"]
