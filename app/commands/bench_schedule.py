"""`shoal bench schedule`: how good the scheduler's orders are, next to simpler rules, and to bounds."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from math import fsum
from typing import TypedDict

from app.commands.console import print_table
from app.planning.bounds import lower_bounds
from app.planning.portfolio import best_priorities
from app.planning.room import Job
from app.planning.schedule import choose, priorities
from app.planning.timeline import play

STRATEGIES = ("online", "planned", "longest_first", "fifo", "waves")
_GRAPHS = 200
_GRAPH_CAPACITY = {"slots": 4.0, "memory_gib": 16.0}

Batch = tuple[Sequence[Job], Mapping[str, float], Mapping[str, float]]  # jobs, real durations, capacity


class Scenario(TypedDict):
    """What is used of a scenario in bench_data/schedules.json."""

    name: str
    slots: int
    minutes: list[float]
    reference_total: float
    reference_sequential: float
    reference_speedup: float


class ScenarioFigures(TypedDict):
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


class GraphFigures(TypedDict):
    """Mean ratio to the lower bound over random batches, by strategy."""

    graphs: int
    wrong_by: float
    ratio_to_bound: dict[str, float]


def scenarios() -> list[Scenario]:
    """The reference system's scenarios and its recorded run."""
    text = files("app.commands").joinpath("bench_data/schedules.json").read_text("utf-8")
    loaded: list[Scenario] = json.loads(text)["scenarios"]
    return loaded


def scenario_figures(scenario: Scenario) -> ScenarioFigures:
    """One scenario under every strategy; estimates equal durations."""
    jobs = [
        Job(f"{index:03}", minutes, {"slots": 1.0}, frozenset(), frozenset()) for index, minutes in enumerate(scenario["minutes"])
    ]
    durations = {job.id: job.estimate for job in jobs}
    bound, minutes = _lengths((jobs, durations, {"slots": float(scenario["slots"])}))
    return ScenarioFigures(
        name=scenario["name"],
        slots=scenario["slots"],
        tasks=len(jobs),
        lower_bound=round(bound, 3),
        minutes={name: round(value, 3) for name, value in minutes.items()},
        ratio_to_bound={name: round(value / bound, 3) for name, value in minutes.items()},
        speedup_online=round(fsum(scenario["minutes"]) / minutes["online"], 3),
        reference_total=scenario["reference_total"],
        reference_speedup=scenario["reference_speedup"],
    )


def graph_figures(wrong_by: float) -> GraphFigures:
    """Random batches with dependencies, conflicts and memory; each estimate is wrong by up to `wrong_by` of itself."""
    totals = dict.fromkeys(STRATEGIES, 0.0)
    for seed in range(_GRAPHS):
        bound, lengths = _lengths(_random_batch(random.Random(seed), wrong_by))
        for name in STRATEGIES:
            totals[name] += lengths[name] / bound
    return GraphFigures(
        graphs=_GRAPHS, wrong_by=wrong_by, ratio_to_bound={name: round(total / _GRAPHS, 3) for name, total in totals.items()}
    )


def _lengths(batch: Batch) -> tuple[float, dict[str, float]]:
    """The lower bound, and the makespan by each strategy, which sees estimates while time passes by durations."""
    jobs, durations, capacity = batch

    def length(order: Mapping[str, float]) -> float:
        return play(jobs, durations, capacity, order).makespan

    return max(lower_bounds(jobs, durations, capacity).values()), {
        "online": length(priorities(jobs)),
        "planned": length(best_priorities(jobs, capacity)),
        "longest_first": length({job.id: job.estimate for job in jobs}),
        "fifo": length({job.id: -float(index) for index, job in enumerate(jobs)}),
        "waves": waves(batch),
    }


def waves(batch: Batch) -> float:
    """Batches with a barrier after each: what fits in the given order starts together, and all wait for the slowest."""
    jobs, durations, capacity = batch
    order = {job.id: -float(index) for index, job in enumerate(jobs)}
    waiting = {job.id: job for job in jobs}
    finished: set[str] = set()
    total = 0.0
    while waiting:
        wave = choose(list(waiting.values()), [], finished, capacity, order)
        if not wave:
            raise AssertionError("every batch here can be run to its end")
        total += max(durations[name] for name in wave)
        finished.update(wave)
        for name in wave:
            del waiting[name]
    return total


def _random_batch(chance: random.Random, wrong_by: float) -> Batch:
    jobs: list[Job] = []
    for index in range(chance.randint(6, 40)):
        earlier = [job.id for job in jobs]
        after = frozenset(chance.sample(earlier, 1)) if earlier and chance.random() < 0.25 else frozenset()
        conflicts = frozenset(name for name in earlier if chance.random() < 0.05)
        needs = {"slots": 1.0, "memory_gib": chance.choice([1.0, 2.0, 4.0, 8.0])}
        jobs.append(Job(f"{index:03}", round(chance.lognormvariate(3, 0.7), 1), needs, after, conflicts))
    durations = {job.id: job.estimate * chance.uniform(1 - wrong_by, 1 + wrong_by) for job in jobs}
    return jobs, durations, _GRAPH_CAPACITY


def show(rows: Sequence[ScenarioFigures], graphs: Sequence[GraphFigures]) -> None:
    """Tables for people."""
    print_table(
        "Schedule: minutes at virtual time (ratio to the lower bound)",
        ["Scenario", "Slots", "Bound", *STRATEGIES, "Reference"],
        [(r["name"], r["slots"], f"{r['lower_bound']:g}", *_with_ratios(r), r["reference_total"]) for r in rows],
    )
    print_table(
        f"Random batches of 6 to 40 tasks with dependencies, conflicts and memory ({_GRAPHS}): mean ratio to the lower bound",
        ["Estimates wrong by", *STRATEGIES],
        [(f"± {g['wrong_by']:.0%}", *(f"{g['ratio_to_bound'][name]:.3f}" for name in STRATEGIES)) for g in graphs],
    )


def _with_ratios(row: ScenarioFigures) -> Iterator[str]:
    return (f"{row['minutes'][name]:g} ({row['ratio_to_bound'][name]:.2f})" for name in STRATEGIES)
