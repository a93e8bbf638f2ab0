"""The course that a plan predicts: its tasks and edges played through the scheduler on virtual time."""

from collections.abc import Sequence
from math import fsum

from app.planning.bounds import binding_limit, lower_bounds
from app.planning.conflicts import counting_conflicts
from app.planning.portfolio import best_priorities
from app.planning.room import Job
from app.planning.timeline import play
from shared.models import Edge, PlannedStart, PlannedTask, Schedule

NOTHING = "nothing to do"


def predict(tasks: Sequence[PlannedTask], edges: Sequence[Edge], slots: int) -> Schedule:
    """When each task is expected to run on `slots`, by P50 minutes."""
    jobs = jobs_of(tasks, edges)
    capacity = {"slots": float(slots)}
    minutes = {job.id: job.estimate for job in jobs}
    timeline = play(jobs, minutes, capacity, best_priorities(jobs, capacity))
    bounds = lower_bounds(jobs, minutes, capacity)
    sequential = round(fsum(minutes.values()), 6)
    makespan = round(timeline.makespan, 6)
    starts = [
        PlannedStart(
            issue=task.issue,
            start_minutes=round(timeline.starts[str(task.issue)], 6),
            finish_minutes=round(timeline.finishes[str(task.issue)], 6),
        )
        for task in tasks
    ]
    return Schedule(
        slots=slots,
        starts=tuple(sorted(starts, key=lambda start: (start.start_minutes, start.issue))),
        makespan_minutes=makespan,
        sequential_minutes=sequential,
        lower_bound_minutes=min(round(max(bounds.values()), 6), makespan),  # apart by rounding only
        predicted_speedup=round(sequential / makespan, 4) if makespan > 0 else None,
        binding_limit=binding_limit(bounds) if tasks else NOTHING,
    )


def jobs_of(tasks: Sequence[PlannedTask], edges: Sequence[Edge]) -> list[Job]:
    """The tasks as the scheduler sees them: one slot each, dependencies, and the conflicts that count."""
    after: dict[int, set[str]] = {task.issue: set() for task in tasks}
    for edge in edges:
        if edge.before is not None and edge.after is not None:
            after[edge.after].add(str(edge.before))
    conflicts = counting_conflicts({task.issue: task.touches for task in tasks})
    return [
        Job(
            str(task.issue),
            task.estimate.minutes_p50,
            {"slots": 1.0},
            frozenset(after[task.issue]),
            frozenset(map(str, conflicts[task.issue])),
        )
        for task in tasks
    ]
