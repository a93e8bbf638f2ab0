"""Measured numbers of an orchestration, and nothing that was not measured."""

from dataclasses import dataclass
from datetime import datetime

from app.report.view import OrchestrationView, Span


@dataclass(frozen=True, slots=True)
class Measures:
    """None where a number is not defined (yet).

    wall        plan ready to last verdict; approval and intake stand apart
    parallelism attempt_seconds / wall: how many attempts ran at once on average, not how much faster it was
    speedup     a measured sequential wall / wall, never an estimate
    overhead    the part of the wall in which no attempt ran at all
    """

    wall_seconds: float | None
    attempt_seconds: float
    parallelism: float | None
    speedup: float | None
    overhead_seconds: float | None


def measure(view: OrchestrationView, sequential_wall_seconds: float | None = None) -> Measures:
    """Numbers of the whole; wall and what follows from it only once every task has its verdict."""
    attempts = sum(task.attempt_seconds for task in view.tasks)
    wall = wall_seconds(view)
    if not wall or view.planned_at is None:
        return Measures(wall, attempts, None, None, None)
    spans = [span for task in view.tasks for span in task.spans]
    return Measures(
        wall_seconds=wall,
        attempt_seconds=attempts,
        parallelism=attempts / wall if attempts else None,
        speedup=speedup(sequential_wall_seconds, wall),
        overhead_seconds=max(0.0, wall - busy_seconds(spans, view.planned_at)),
    )


def wall_seconds(view: OrchestrationView) -> float | None:
    """From the plan to the last verdict; None while something is open, or when nothing was planned or run."""
    if view.planned_at is None or any(task.status != "done" for task in view.tasks):
        return None
    ends = [end for task in view.tasks if (end := task.ended_at) is not None]
    return max(0.0, (max(ends) - view.planned_at).total_seconds()) if ends else None


def speedup(sequential_wall_seconds: float | None, wall: float | None) -> float | None:
    """How many times faster than one at a time; needs both to be measured."""
    return sequential_wall_seconds / wall if sequential_wall_seconds and wall else None


def busy_seconds(spans: list[Span], since: datetime) -> float:
    """Time after `since` covered by at least one ended attempt: overlaps count once."""
    busy, reached = 0.0, since
    for start, end in sorted((span.start, span.end) for span in spans if span.end is not None):
        busy += max(0.0, (end - max(start, reached)).total_seconds())
        reached = max(reached, end)
    return busy
