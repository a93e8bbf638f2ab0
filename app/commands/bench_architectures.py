"""Four ways to build such a system, simulated from what this program costs on this machine."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from typing import TypedDict

from app.commands.bench_schedule import Batch, Scenario, scenarios, waves
from app.commands.console import print_table
from app.planning.room import Job
from app.planning.schedule import priorities
from app.planning.timeline import play
from shared.process import environment, run


@dataclass(frozen=True)
class Costs:
    """Measured on this machine: seconds and MiB."""

    plan_seconds: float
    start_seconds: float
    app_mib: float
    runner_mib: float


class ArchitectureFigures(TypedDict):
    """One way to build such a system: simulated here, and what the reference analysis projected."""

    architecture: str
    speedup: dict[str, float]
    memory_mib: float
    setup_seconds: float
    projected: dict[str, str]


def measured_costs(plan_seconds: float) -> Costs:
    """Starts the runner's modules and the app's in processes of their own."""
    begun = time.perf_counter()
    runner_mib = _resident_mib("runner.__main__")
    start = time.perf_counter() - begun
    return Costs(plan_seconds, start, _resident_mib("app.wiring"), runner_mib)


def _resident_mib(module: str) -> float:
    """Peak memory of a process that has imported this module."""
    return run([sys.executable, "-I", "-c", f"import {module}"], cwd=Path("/"), env=environment()).peak_memory_mib


def architecture_figures(costs: Costs) -> list[ArchitectureFigures]:
    """The four architectures of the reference analysis on its own scenarios; memory and set-up for four tasks, agents excluded.

    Status quo: batches with barriers, each worker a copy of the whole program. Merged: one process, one task after the other.
    Partial: work-conserving, but the workers are started one by one by the process that they share. Separated: this program.
    """
    four, start, plan = 4, costs.start_seconds, costs.plan_seconds
    both, apart = costs.app_mib + costs.runner_mib, costs.app_mib + four * costs.runner_mib
    ways: list[tuple[str, float, float, Callable[[Scenario], float]]] = [
        ("status quo", costs.app_mib + four * both, plan + start, lambda s: waves(_with_start(s, start))),
        ("merged", both, plan, lambda s: fsum(s["minutes"])),
        ("partial", apart, plan + four * start, lambda s: _one_by_one(s, start)),
        ("separated", apart, plan + start, lambda s: _online(_with_start(s, start))),
    ]
    return [
        ArchitectureFigures(
            architecture=name,
            speedup={
                scenario["name"]: round(fsum(scenario["minutes"]) / (length(scenario) + costs.plan_seconds / 60), 2)
                for scenario in scenarios()
            },
            memory_mib=round(memory, 1),
            setup_seconds=round(setup, 3),
            projected=_PROJECTED[name],
        )
        for name, memory, setup, length in ways
    ]


# Source: the performance analysis of the reference system, "Performance Projections for Architectural Alternatives".
_PROJECTED = {
    "status quo": {"speedup": "3-5x", "memory": "3 GB", "setup": "3-5 min"},
    "merged": {"speedup": "1x", "memory": "1 GB", "setup": "1-2 min"},
    "partial": {"speedup": "2.5-4x", "memory": "2.5 GB", "setup": "3-4 min"},
    "separated": {"speedup": "3-5x", "memory": "2.8 GB", "setup": "2-3 min"},
}


def _with_start(scenario: Scenario, start_seconds: float) -> Batch:
    """Each task takes its minutes and the start of its worker."""
    jobs = [
        Job(f"{index:03}", minutes + start_seconds / 60, {"slots": 1.0}, frozenset(), frozenset())
        for index, minutes in enumerate(scenario["minutes"])
    ]
    return jobs, {job.id: job.estimate for job in jobs}, {"slots": float(scenario["slots"])}


def _online(batch: Batch) -> float:
    jobs, durations, capacity = batch
    return play(jobs, durations, capacity, priorities(jobs)).makespan


def _one_by_one(scenario: Scenario, start_seconds: float) -> float:
    """Each start holds the one process that all share, then the task runs beside the others."""
    jobs: list[Job] = []
    for index, minutes in enumerate(scenario["minutes"]):
        name = f"{index:03}"
        jobs.append(Job(f"start {name}", start_seconds / 60, {"process": 1.0}, frozenset(), frozenset()))
        jobs.append(Job(name, minutes, {"slots": 1.0}, frozenset({f"start {name}"}), frozenset()))
    return _online((jobs, {job.id: job.estimate for job in jobs}, {"slots": float(scenario["slots"]), "process": 1.0}))


def show(architectures: Sequence[ArchitectureFigures]) -> None:
    """As a table for people."""
    print_table(
        "Four architectures, simulated from this program's measured constants (what the reference analysis projected)",
        ["Architecture", *(s["name"] for s in scenarios()), "Memory for 4", "Set-up"],
        [
            (
                a["architecture"],
                *(f"{a['speedup'][s['name']]:.2f}x ({a['projected']['speedup']})" for s in scenarios()),
                f"{a['memory_mib']:.0f} MiB ({a['projected']['memory']})",
                f"{a['setup_seconds']:.2f} s ({a['projected']['setup']})",
            )
            for a in architectures
        ],
    )
