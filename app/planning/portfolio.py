"""Planned mode: tries several orders on the estimates and keeps the best, within a fixed amount of work.

There is no clock here, so the amount is counted in jobs placed; the same input always gives the same order.
1. Priority rules: the online one, latest finish (path behind the job), most work behind it, longest first, greatest need first.
2. Forward-backward passes: the best schedule is played from its end, which moves jobs with slack out of the way of the others.
3. Exchanges of two jobs in the order, the first that improves is kept.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from app.planning.bounds import lower_bounds
from app.planning.schedule import Job, in_order, longest_paths, priorities
from app.planning.timeline import Timeline, play

_PLACEMENTS = 4_000
_FEWEST_PASSES = 6


def best_priorities(jobs: Collection[Job], capacity: Mapping[str, float]) -> dict[str, float]:
    """Priorities whose schedule, if the estimates are right, is the shortest found; never longer than by `priorities`."""
    if not jobs:
        return {}
    search = _Search(jobs, capacity, max(_FEWEST_PASSES, _PLACEMENTS // len(jobs)))
    for step in (_try_rules, _try_passes, _try_exchanges):
        if not search.is_over():
            step(search)
    return search.best


@dataclass
class _Search:
    jobs: Collection[Job]
    capacity: Mapping[str, float]
    passes: int
    best: dict[str, float] = field(default_factory=dict)
    makespan: float = float("inf")
    timeline: Timeline = field(default_factory=lambda: Timeline({}, {}))

    def __post_init__(self) -> None:
        self.estimates = {job.id: job.estimate for job in self.jobs}
        self.bound = max(lower_bounds(self.jobs, self.estimates, self.capacity).values())

    def is_over(self) -> bool:
        return self.passes <= 0 or self.makespan <= self.bound * (1 + 1e-9)

    def offer(self, priority: dict[str, float]) -> bool:
        """Plays the order and keeps it when it is the best so far."""
        self.passes -= 1
        timeline = play(self.jobs, self.estimates, self.capacity, priority)
        if timeline.makespan >= self.makespan * (1 - 1e-9):
            return False
        self.best, self.makespan, self.timeline = priority, timeline.makespan, timeline
        return True


def _try_rules(search: _Search) -> None:
    for rule in _RULES:
        if search.is_over():
            return
        search.offer(rule(search.jobs, search.capacity))


def _try_passes(search: _Search) -> None:
    reversed_jobs = _reversed(search.jobs)
    while not search.is_over():
        search.passes -= 1
        backward = play(reversed_jobs, search.estimates, search.capacity, search.timeline.finishes)
        if not search.offer(dict(backward.finishes)):
            return


def _try_exchanges(search: _Search) -> None:
    improved = True
    while improved and not search.is_over():
        improved = any(not search.is_over() and search.offer(order) for order in _exchanges(search))


def _exchanges(search: _Search) -> Iterator[dict[str, float]]:
    order = [job.id for job in in_order(search.jobs, search.best)]
    for first, second in combinations(range(len(order)), 2):
        if search.is_over():
            return
        if search.estimates[order[first]] == search.estimates[order[second]] and first + 1 < second:
            continue  # equal jobs far apart rarely change anything; neighbours may differ in what they need
        changed = list(order)
        changed[first], changed[second] = changed[second], changed[first]
        yield {name: float(-place) for place, name in enumerate(changed)}


def _reversed(jobs: Collection[Job]) -> list[Job]:
    """The same jobs with every dependency turned round."""
    dependents: dict[str, set[str]] = {job.id: set() for job in jobs}
    for job in jobs:
        for name in job.after & dependents.keys():
            dependents[name].add(job.id)
    return [replace(job, after=frozenset(dependents[job.id])) for job in jobs]


def _online(jobs: Collection[Job], _capacity: Mapping[str, float]) -> dict[str, float]:
    return priorities(jobs)


def _latest_finish(jobs: Collection[Job], _capacity: Mapping[str, float]) -> dict[str, float]:
    paths = longest_paths(jobs, {job.id: job.estimate for job in jobs})
    return {job.id: paths[job.id] - job.estimate for job in jobs}


def _work_behind(jobs: Collection[Job], _capacity: Mapping[str, float]) -> dict[str, float]:
    direct = dict.fromkeys((job.id for job in jobs), 0.0)
    for job in jobs:
        for name in job.after & direct.keys():
            direct[name] += job.estimate
    return {job.id: job.estimate + direct[job.id] for job in jobs}


def _longest_first(jobs: Collection[Job], _capacity: Mapping[str, float]) -> dict[str, float]:
    return {job.id: job.estimate for job in jobs}


def _greatest_need(jobs: Collection[Job], capacity: Mapping[str, float]) -> dict[str, float]:
    def share(job: Job) -> float:
        return max((need / capacity[name] for name, need in job.needs.items() if capacity.get(name, 0.0) > 0), default=0.0)

    paths = priorities(jobs)
    return {job.id: paths[job.id] * share(job) for job in jobs}


# `_online` comes first: what it reaches is only replaced by something better.
_RULES: tuple[Callable[[Collection[Job], Mapping[str, float]], dict[str, float]], ...] = (
    _online,
    _latest_finish,
    _work_behind,
    _longest_first,
    _greatest_need,
)
