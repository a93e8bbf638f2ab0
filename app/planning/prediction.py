"""The course that a plan predicts: its tasks and edges played through the scheduler on virtual time."""

from collections.abc import Mapping, Sequence
from math import fsum, inf

from app.planning.bounds import binding_limit, lower_bounds
from app.planning.capacity import CPU, MEMORY, NO_LIMIT, SLOTS, Machine, gigabytes
from app.planning.portfolio import best_priorities
from app.planning.room import Job
from app.planning.timeline import play
from shared.models import Edge, PlannedStart, PlannedTask, Schedule

NOTHING = "nothing to do"


def predict(
    tasks: Sequence[PlannedTask],
    edges: Sequence[Edge],
    apart: Mapping[int, frozenset[int]],
    slots: int,
    machine: Machine = NO_LIMIT,
) -> Schedule:
    """When each task is expected to run on `slots` of this machine, by P50 minutes; `apart`: who must not run beside whom."""
    capacity = {SLOTS: float(slots), **_limited(machine)}
    jobs = jobs_of(tasks, edges, apart, capacity)
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


def beyond(task: PlannedTask, machine: Machine) -> str:
    """What of it a task needs more than there is, in words; empty when it fits."""
    memory, cpu, limits = task.estimate.memory_mib_p90, task.estimate.cpu_p90, _limited(machine)
    if memory > limits.get(MEMORY, memory):
        return f"may need {gigabytes(memory)} of memory where there are {gigabytes(limits[MEMORY])} beyond the reserve"
    return f"may need {cpu:.2f} cores where there are {limits[CPU]:g}" if cpu > limits.get(CPU, cpu) else ""


def _limited(machine: Machine) -> dict[str, float]:
    """Of what there is a limit."""
    return {name: size for name, size in ((MEMORY, machine.memory_mib), (CPU, machine.cores)) if size < inf}


def jobs_of(
    tasks: Sequence[PlannedTask],
    edges: Sequence[Edge],
    apart: Mapping[int, frozenset[int]],
    capacity: Mapping[str, float],
) -> list[Job]:
    """The tasks as the scheduler sees them: one slot each, dependencies, and who must not run beside whom.

    One that needs more than there is needs all there is: it runs alone.
    """
    after: dict[int, set[str]] = {task.issue: set() for task in tasks}
    for edge in edges:
        if edge.before is not None and edge.after is not None:
            after[edge.after].add(str(edge.before))
    return [
        Job(
            str(task.issue),
            task.estimate.minutes_p50,
            _needs(task, capacity),
            frozenset(after[task.issue]),
            frozenset(map(str, apart.get(task.issue, ()))),
        )
        for task in tasks
    ]


def _needs(task: PlannedTask, capacity: Mapping[str, float]) -> dict[str, float]:
    wanted = {SLOTS: 1.0, MEMORY: task.estimate.memory_mib_p90, CPU: task.estimate.cpu_p90}
    return {name: min(wanted[name], size) for name, size in capacity.items()}
