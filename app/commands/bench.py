"""`shoal bench`: measured figures of this machine and this code, next to what others reach."""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from math import fsum
from typing import TypedDict, TypeVar

from app.commands.bench_rehearsal import rehearsal_figures
from app.commands.bench_rehearsal import show as show_rehearsal
from app.commands.console import print_json, print_line, print_table
from app.commands.machine import describe_machine
from app.planning.bounds import lower_bounds
from app.planning.plan import make_plan
from app.planning.portfolio import best_priorities
from app.planning.room import Job
from app.planning.schedule import priorities
from app.planning.timeline import play
from app.planning.tree import Tree
from shared.github import issue_hash
from shared.models import IssueSnapshot

T = TypeVar("T")

_TREE_PATHS = 10_000
_PLAN_SIZES = (12, 50, 1_000)


class Scenario(TypedDict):
    """What is used of a scenario in bench_data/schedules.json."""

    name: str
    slots: int
    minutes: list[float]
    reference_total: float
    reference_sequential: float
    reference_speedup: float


class ScheduleFigures(TypedDict):
    """Minutes by strategy at virtual time, and as ratios to the lower bound."""

    name: str
    slots: int
    tasks: int
    lower_bound: float
    minutes: dict[str, float]
    ratio_to_bound: dict[str, float]
    speedup_online: float
    reference_total: float
    reference_speedup: float
    scheduling_ms: dict[str, float]


class PlanningFigures(TypedDict):
    """Wall time of one plan, the index of the tree included."""

    issues: int
    paths: int
    seconds: float
    edges: int
    peak_memory_mib: float


def run(what: str, *, as_json: bool) -> int:
    """Measures `schedule`, `planning`, `rehearsal` or `all`."""
    machine = describe_machine()
    schedule = [schedule_figures(scenario) for scenario in scenarios()] if what in {"schedule", "all"} else []
    planning = [planning_figures(size) for size in _PLAN_SIZES] if what in {"planning", "all"} else []
    rehearsal = rehearsal_figures() if what in {"rehearsal", "all"} else []
    if as_json:
        measured = {name: rows for name, rows in (("schedule", schedule), ("planning", planning), ("rehearsal", rehearsal)) if rows}
        print_json(json.dumps({"schema": 1, "machine": machine, **measured}, indent=2))
    else:
        print_line(", ".join(f"{name} {value}" for name, value in machine.items()))
        if schedule:
            _show_schedule(schedule)
        if planning:
            _show_planning(planning)
        if rehearsal:
            show_rehearsal(rehearsal)
    return 0


def _show_schedule(rows: Sequence[ScheduleFigures]) -> None:
    strategies = ["online", "planned", "longest_first", "fifo", "waves"]
    print_table(
        "Schedule: minutes at virtual time (ratio to the lower bound)",
        ["Scenario", "Slots", "Bound", *strategies, "Reference"],
        [
            (
                row["name"],
                row["slots"],
                f"{row['lower_bound']:g}",
                *(_with_ratio(row, name) for name in strategies),
                row["reference_total"],
            )
            for row in rows
        ],
    )


def _with_ratio(row: ScheduleFigures, strategy: str) -> str:
    return f"{row['minutes'][strategy]:g} ({row['ratio_to_bound'][strategy]:.2f})"


def _show_planning(rows: Sequence[PlanningFigures]) -> None:
    print_table(
        "Planning: cold, tree index included",
        ["Issues", "Paths", "Seconds", "Edges", "Peak MiB"],
        [(row["issues"], row["paths"], row["seconds"], row["edges"], row["peak_memory_mib"]) for row in rows],
    )


def scenarios() -> list[Scenario]:
    """The reference system's scenarios and its recorded run."""
    text = files("app.commands").joinpath("bench_data/schedules.json").read_text("utf-8")
    loaded: list[Scenario] = json.loads(text)["scenarios"]
    return loaded


def schedule_figures(scenario: Scenario) -> ScheduleFigures:
    """One scenario under every strategy; estimates equal durations."""
    jobs = [
        Job(f"{index:03}", minutes, {"slots": 1.0}, frozenset(), frozenset()) for index, minutes in enumerate(scenario["minutes"])
    ]
    capacity = {"slots": float(scenario["slots"])}
    durations = {job.id: job.estimate for job in jobs}
    bound = max(lower_bounds(jobs, durations, capacity).values())

    def length(order: Mapping[str, float]) -> float:
        return play(jobs, durations, capacity, order).makespan

    online, online_ms = _timed(lambda: length(priorities(jobs)))
    planned, planned_ms = _timed(lambda: length(best_priorities(jobs, capacity)))
    minutes = {
        "online": online,
        "planned": planned,
        "longest_first": length(durations),
        "fifo": length({job.id: -float(index) for index, job in enumerate(jobs)}),
        "waves": waves(scenario["minutes"], scenario["slots"]),
    }
    return ScheduleFigures(
        name=scenario["name"],
        slots=scenario["slots"],
        tasks=len(jobs),
        lower_bound=round(bound, 3),
        minutes={name: round(value, 3) for name, value in minutes.items()},
        ratio_to_bound={name: round(value / bound, 3) for name, value in minutes.items()},
        speedup_online=round(fsum(scenario["minutes"]) / online, 3),
        reference_total=scenario["reference_total"],
        reference_speedup=scenario["reference_speedup"],
        scheduling_ms={"online": round(online_ms, 3), "planned": round(planned_ms, 3)},
    )


def waves(minutes: list[float], slots: int) -> float:
    """Batches with a barrier after each, in the given order."""
    return fsum(max(minutes[first : first + slots]) for first in range(0, len(minutes), slots))


def planning_figures(size: int) -> PlanningFigures:
    """Cold: a new tree, so that its index is built as part of the plan."""
    issues, tree = generated_issues(size), generated_tree(_TREE_PATHS)
    plan, milliseconds = _timed(lambda: make_plan(issues, tree, slots=8))
    return PlanningFigures(
        issues=size,
        paths=len(tree.paths),
        seconds=round(milliseconds / 1000, 4),
        edges=len(plan.edges),
        peak_memory_mib=round(_peak_memory_mib(), 1),
    )


def generated_tree(size: int) -> Tree:
    """Packages of twenty modules, each third one with a test."""
    paths = []
    for index in range(size):
        package, module = divmod(index, 20)
        place = f"tests/part{package}/test_module{module - 1}.py" if module % 3 == 2 else f"src/part{package}/module{module}.py"
        paths.append(place)
    return Tree(tuple(sorted(paths)))


def generated_issues(size: int) -> list[IssueSnapshot]:
    """Issues that name one or two files, some of them the same ones; every seventh waits for the one before it."""
    issues = []
    for number in range(1, size + 1):
        title = f"Part {number} answers wrongly when its input is empty"
        waits = f"\n\nDepends on #{number - 1}." if number % 7 == 0 else ""
        body = f"`src/part{number % 400}/module{number % 2}.py` and src/part{number * 7 % 500}/module4.py do not check it.{waits}"
        issues.append(IssueSnapshot(number=number, title=title, body=body, labels=("bug",), hash=issue_hash(title, body)))
    return issues


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - begun) * 1000


def _peak_memory_mib() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
