"""`shoal bench`: measured figures of this machine and this code, next to what others reach."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, TypeVar

from app.commands import bench_architectures, bench_library, bench_rehearsal, bench_schedule, bench_start, bench_worktrees
from app.commands.console import print_json, print_line, print_table
from app.commands.machine import describe_machine
from app.planning.plan import make_plan
from app.planning.tree import Tree
from shared.github import issue_hash
from shared.models import IssueSnapshot

T = TypeVar("T")

_TREE_PATHS = 10_000
_PLAN_SIZES = (12, 50, 1_000)


class PlanningFigures(TypedDict):
    """Wall time of one plan, the index of the tree included."""

    issues: int
    paths: int
    seconds: float
    edges: int
    peak_memory_mib: float


def run(what: str, *, as_json: bool, library: Path | None = None, files: int = 20_000) -> int:
    """Measures `schedule`, `planning`, `worktrees`, `start`, `rehearsal` or `all`; `library`: a folder with PSPLIB's sets."""
    instances = bench_library.read_library(library) if library else None  # before minutes are spent
    machine = describe_machine()
    measured: dict[str, object] = {}
    shown: list[Callable[[], None]] = []
    if what in {"schedule", "all"}:
        figures = [bench_schedule.scenario_figures(scenario) for scenario in bench_schedule.scenarios()]
        graphs = [bench_schedule.graph_figures(wrong_by) for wrong_by in (0.0, 0.5)]
        costs = bench_architectures.measured_costs(planning_figures(_PLAN_SIZES[0])["seconds"])
        ways = bench_architectures.architecture_figures(costs)
        measured |= {"schedule": figures, "random_batches": graphs, "architectures": ways}
        shown += [lambda: bench_schedule.show(figures, graphs), lambda: bench_architectures.show(ways)]
        if instances is not None:
            best = bench_library.library_figures(instances)
            measured["library"] = best
            shown.append(lambda: bench_library.show(best))
    if what in {"planning", "all"}:
        planning = [planning_figures(size) for size in _PLAN_SIZES]
        measured["planning"] = planning
        shown.append(lambda: _show_planning(planning))
    if what in {"worktrees", "all"}:
        worktrees = bench_worktrees.worktree_figures(files)
        measured["worktrees"] = worktrees
        shown.append(lambda: bench_worktrees.show(worktrees))
    if what in {"start", "all"}:
        start = bench_start.start_figures(int(machine["cores"]))
        measured["start"] = start
        shown.append(lambda: bench_start.show(start))
    if what in {"rehearsal", "all"}:
        rehearsal = bench_rehearsal.rehearsal_figures()
        measured["rehearsal"] = rehearsal
        shown.append(lambda: bench_rehearsal.show(rehearsal))
    if as_json:
        print_json(json.dumps({"schema": 1, "machine": machine, **measured}, indent=2))
    else:
        print_line(", ".join(f"{name} {value}" for name, value in machine.items()))
        for show in shown:
            show()
    return 0


def _show_planning(rows: list[PlanningFigures]) -> None:
    print_table(
        "Planning: cold, tree index included",
        ["Issues", "Paths", "Seconds", "Edges", "Peak MiB"],
        [(row["issues"], row["paths"], row["seconds"], row["edges"], row["peak_memory_mib"]) for row in rows],
    )


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
