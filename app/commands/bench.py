"""`shoal bench`: measured figures of this machine and this code, next to what others reach."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.commands import (
    bench_action,
    bench_architectures,
    bench_calls,
    bench_coordination,
    bench_growth,
    bench_library,
    bench_limits,
    bench_planning,
    bench_rehearsal,
    bench_schedule,
    bench_start,
    bench_worktrees,
)
from app.commands.bench_growth_picture import growth_svg
from app.commands.console import print_json, print_line, write_text
from app.commands.machine import describe_machine
from app.demo.world import RehearsalBackend
from app.facts.replay import WINDOWS
from app.planning.plan import make_plan
from app.planning.tree import Tree

_TREE_PATHS = 10_000


@dataclass(frozen=True)
class Wishes:
    """Beside what is measured: PSPLIB's sets, files of a generated repository, repositories whose history is replayed, growth."""

    library: Path | None = None
    files: int = 20_000
    repositories: tuple[Path, ...] = ()
    windows: int = WINDOWS
    growth: bench_growth.Sizes | None = None
    svg: Path | None = None
    backend: RehearsalBackend = "local"


def run(what: str, wishes: Wishes, *, as_json: bool) -> int:
    """Measures `schedule`, `planning`, `worktrees`, `limits`, `start`, `rehearsal`, `calls` or `all`."""
    instances = bench_library.read_library(wishes.library) if wishes.library else None  # before minutes are spent
    if wishes.svg is not None:
        write_text(wishes.svg, "")
    machine = describe_machine()
    measured: dict[str, object] = {}
    shown: list[Callable[[], None]] = []
    if what in {"schedule", "all"}:
        figures = [bench_schedule.scenario_figures(scenario) for scenario in bench_schedule.scenarios()]
        graphs = [bench_schedule.graph_figures(wrong_by) for wrong_by in (0.0, 0.5)]
        costs = bench_architectures.measured_costs(_plan_seconds())
        ways = bench_architectures.architecture_figures(costs)
        measured |= {"schedule": figures, "random_batches": graphs, "architectures": ways}
        shown += [lambda: bench_schedule.show(figures, graphs), lambda: bench_architectures.show(ways)]
        if instances is not None:
            best = bench_library.library_figures(instances)
            measured["library"] = best
            shown.append(lambda: bench_library.show(best))
    if what in {"planning", "all"}:
        quality = bench_planning.planning_quality(wishes.repositories, wishes.windows)
        growth = _growth_figures(wishes, machine)
        measured |= {"prediction": quality, "planning": growth}
        shown += [lambda: bench_planning.show(quality)] if quality else []
        shown += [lambda: bench_growth.show(growth)] if growth else []
    if what in {"worktrees", "all"}:
        worktrees = bench_worktrees.worktree_figures(wishes.files)
        measured["worktrees"] = worktrees
        shown.append(lambda: bench_worktrees.show(worktrees))
    if what in {"limits", "all"}:
        limits = bench_limits.limit_figures()
        measured["limits"] = limits
        shown.append(lambda: bench_limits.show(limits))
    if what in {"start", "all"}:
        start = bench_start.start_figures(int(machine["cores"]))
        action = bench_action.action_figures()
        measured |= {"start": start, "action_start": action}
        shown += [lambda: bench_start.show(start), lambda: bench_action.show(action)]
    if what in {"rehearsal", "all"}:
        rehearsal = bench_rehearsal.rehearsal_figures()
        coordination = bench_coordination.coordination_figures()
        measured |= {"rehearsal": rehearsal, "coordination": coordination}
        shown += [lambda: bench_rehearsal.show(rehearsal), lambda: bench_coordination.show(coordination)]
    if what in {"calls", "all"}:
        calls = bench_calls.call_figures(wishes.backend)
        measured["calls"] = calls
        shown.append(lambda: bench_calls.show(calls))
    if as_json:
        print_json(json.dumps({"schema": 1, "machine": machine, **measured}, indent=2))
    else:
        print_line(_in_words(machine))
        for show in shown:
            show()
    return 0


def _growth_figures(wishes: Wishes, machine: Mapping[str, object]) -> list[bench_growth.GrowthFigures]:
    """None where a history is replayed and growth was not asked for."""
    if wishes.repositories and wishes.growth is None and wishes.svg is None:
        return []
    rows = bench_growth.growth_figures(*(wishes.growth or bench_growth.USUAL))
    if wishes.svg is not None:
        write_text(wishes.svg, growth_svg(rows, _in_words(machine)))
    return rows


def _in_words(machine: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def _plan_seconds() -> float:
    """Of twelve issues that name their files, on ten thousand paths."""
    issues = bench_growth.generated_issues(12, _TREE_PATHS)
    tree = Tree(tuple(sorted(map(bench_growth.path_of, range(_TREE_PATHS)))))
    begun = time.perf_counter()
    make_plan(issues, tree, slots=8)
    return time.perf_counter() - begun
