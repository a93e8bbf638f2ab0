"""The scheduler on a public library of hard instances, against the best makespans that anybody has found."""

import csv
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import fsum
from pathlib import Path
from typing import TypedDict

from app.commands.bench_schedule import Batch
from app.commands.console import print_table
from app.planning.portfolio import best_priorities
from app.planning.room import Job
from app.planning.schedule import priorities
from app.planning.timeline import play
from shared.errors import UserError

_FAMILIES = ("J30", "J60", "J120")


class LibraryFigures(TypedDict):
    """Mean distance to the best known makespan, per cent, over one set of instances; time is that of the processor."""

    family: str
    instances: int
    gap_percent: dict[str, float]
    mean_ms: dict[str, float]
    longest_ms: dict[str, float]


Library = Mapping[str, Sequence[tuple[Batch, float]]]  # by set, each instance with the best known makespan


def read_library(folder: Path) -> Library:
    """The PSPLIB sets in a folder: files `J30_1.txt` ... in Patterson's form and `bks.csv` with the best known makespans.

    Source of both: github.com/PyJobShop/Experiments, folder `data` (MIT). Raises UserError when something is not there.
    """
    best = _best_known(folder)
    places = {path.name: path for path in folder.rglob("J*_*.txt")}
    found = {}
    for family in _FAMILIES:
        known = {name: value for name, value in best.items() if name.startswith(f"{family}_") and name in places}
        if known:
            found[family] = [(read_instance(places[name]), value) for name, value in sorted(known.items())]
    if not found:
        raise UserError(f"`{folder}` holds no instance of {', '.join(_FAMILIES)}: name the folder `data` of PyJobShop/Experiments")
    return found


def library_figures(library: Library) -> list[LibraryFigures]:
    """Every set of it, both modes and FIFO."""
    return [_family_figures(family, instances) for family, instances in library.items()]


def _family_figures(family: str, instances: Sequence[tuple[Batch, float]]) -> LibraryFigures:
    rules: dict[str, Callable[[Sequence[Job], Mapping[str, float]], dict[str, float]]] = {
        "online": lambda jobs, _capacity: priorities(jobs),
        "planned": best_priorities,
        "fifo": lambda jobs, _capacity: {job.id: -float(index) for index, job in enumerate(jobs)},
    }
    gaps: dict[str, list[float]] = {name: [] for name in rules}
    times: dict[str, list[float]] = {name: [] for name in rules}
    for (jobs, durations, capacity), best in instances:
        for name, rule in rules.items():
            begun = time.process_time()
            makespan = play(jobs, durations, capacity, rule(jobs, capacity)).makespan
            times[name].append((time.process_time() - begun) * 1000)
            gaps[name].append((makespan / best - 1) * 100)
    return LibraryFigures(
        family=family,
        instances=len(instances),
        gap_percent={name: round(fsum(values) / len(values), 2) for name, values in gaps.items()},
        mean_ms={name: round(fsum(values) / len(values), 1) for name, values in times.items()},
        longest_ms={name: round(max(values), 1) for name, values in times.items()},
    )


def read_instance(path: Path) -> Batch:
    """One project in Patterson's form: counts, capacities, then per job its duration, needs and successors (from 1)."""
    try:
        numbers = iter([int(word) for word in path.read_text(encoding="ascii").split()])
        count, kinds = next(numbers), next(numbers)
        capacity = {f"r{kind}": float(next(numbers)) for kind in range(kinds)}
        rows = []
        for _ in range(count):
            duration, needs = next(numbers), [next(numbers) for _ in range(kinds)]
            rows.append((duration, needs, [next(numbers) for _ in range(next(numbers))]))
    except (ValueError, StopIteration, RuntimeError) as error:
        raise UserError(f"`{path}` is not a project in Patterson's form") from error
    after: list[set[str]] = [set() for _ in rows]
    for index, (_, _, successors) in enumerate(rows, start=1):
        for successor in successors:
            after[successor - 1].add(str(index))
    jobs = [
        Job(
            str(index),
            float(duration),
            {f"r{kind}": float(need) for kind, need in enumerate(needs)},
            frozenset(before),
            frozenset(),
        )
        for index, ((duration, needs, _), before) in enumerate(zip(rows, after, strict=True), start=1)
    ]
    return jobs, {job.id: job.estimate for job in jobs}, capacity


def _best_known(folder: Path) -> dict[str, float]:
    table = next(iter(sorted(folder.rglob("bks.csv"))), None)
    if table is None:
        raise UserError(
            f"`{folder}` holds no `bks.csv` with the best known makespans: name the folder `data` of PyJobShop/Experiments"
        )
    with table.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == 4 and row[1].startswith("PSPLIB-")]
    return {name: float(value) for _, _, name, value in rows}


def show(library: Sequence[LibraryFigures]) -> None:
    """As a table for people."""
    print_table(
        "PSPLIB: mean distance to the best known makespan, per cent (mean and longest CPU time, ms)",
        ["Set", "Instances", "online", "planned", "fifo"],
        [(f["family"], f["instances"], *_gaps(f)) for f in library],
    )


def _gaps(figures: LibraryFigures) -> Iterator[str]:
    gap, mean, longest = figures["gap_percent"], figures["mean_ms"], figures["longest_ms"]
    return (f"{gap[name]:.2f} ({mean[name]:.0f}, {longest[name]:.0f})" for name in ("online", "planned", "fifo"))
