"""Numbers that were measured."""

from dataclasses import replace

from app.report.measures import measure
from app.report.view import OrchestrationView, TaskView
from shared.models import Verdict, VerdictName
from tests.report.views import NOON, busy, ended, span

_DONE = Verdict(name=VerdictName.SUCCEEDED, reason="")


def _view(*spans: tuple[float, float]) -> OrchestrationView:
    tasks = tuple(TaskView(issue=n, title="", status="done", verdict=_DONE, spans=(span(*one),)) for n, one in enumerate(spans))
    return replace(busy(), status="done", planned_at=NOON, tasks=tasks)


def test_parallelism_is_attempt_time_over_wall_time() -> None:
    """Two attempts side by side for the whole wall: 2.0 at once."""
    numbers = measure(_view((0, 10), (0, 10)))

    assert (numbers.wall_seconds, numbers.attempt_seconds, numbers.parallelism) == (10, 20, 2)


def test_speed_up_needs_a_measured_sequential_run() -> None:
    """Null without one; with one, its wall over ours."""
    assert measure(_view((0, 10))).speedup is None
    assert measure(_view((0, 10)), sequential_wall_seconds=25).speedup == 2.5


def test_overhead_is_the_wall_time_without_any_attempt() -> None:
    """Before the first, and between two; an overlap counts once."""
    assert measure(_view((2, 10), (5, 8), (14, 20))).overhead_seconds == 2 + 4


def test_nothing_is_said_of_a_wall_that_has_no_end() -> None:
    """While a task is open, wall and what follows from it are not known."""
    numbers = measure(busy())

    assert (numbers.wall_seconds, numbers.parallelism, numbers.overhead_seconds) == (None, None, None)
    assert numbers.attempt_seconds == 60 + 29 + 60


def test_tasks_that_never_ran_have_no_wall() -> None:
    """Blocked and cancelled ones do not make a number out of nothing."""
    task = TaskView(issue=1, title="", status="done", verdict=Verdict(name=VerdictName.CANCELLED, reason=""))

    assert measure(replace(busy(), tasks=(task,))).wall_seconds is None


def test_an_attempt_that_was_repeated_counts_twice() -> None:
    """Time was spent on both."""
    assert measure(ended()).attempt_seconds == 60 + (29 + 60) + 80 + 80
