"""Planned mode: tries several orders on the estimates and keeps the best, within a fixed amount of work.

There is no clock here, so the amount is counted in jobs placed; the same input always gives the same order.
1. Priority rules: the online one, latest finish (path behind the job), most work behind it, longest first, greatest need first.
2. Forward-backward passes on each: a schedule is played from its end, which moves jobs with slack out of the way of the others.
3. Shaken orders: the best schedule's starts are moved a little by a fixed sequence of numbers, and improved by the same passes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import exp, log, sqrt

from app.planning.bounds import lower_bounds
from app.planning.room import Job, Table
from app.planning.schedule import longest_paths, priorities
from app.planning.timeline import run

_PLACEMENTS = 3_000
_FEWEST_PASSES = 12  # of batches in which as many are not too dear
_MOST_STEPS = 18_000  # of all passes of a larger batch, about 50 ms; one pass is played in any case
_CONFLICTS_PER_STEP = 25
# In larger batches more jobs wait at once, which makes placing each of them dearer.
_USUAL = 60
_DEARER = 0.65  # by the size of the batch to this power
# How far a start is moved, as a part of the whole schedule: far enough to change the order, near enough to stay good.
_SHAKES = (0.2, 0.4, 0.8)


def best_priorities(jobs: Collection[Job], capacity: Mapping[str, float]) -> dict[str, float]:
    """Priorities whose schedule, if the estimates are right, is the shortest found; never longer than by `priorities`."""
    if not jobs:
        return {}
    # An order of its own, so that the order of the argument's elements does not matter.
    listed = sorted(jobs, key=lambda job: (len(job.id), job.id))
    search = _Search(listed, capacity)
    for rule in _RULES:
        if search.is_over():
            break
        by_id = rule(listed, capacity)
        search.offer([by_id[job.id] for job in listed])
        search.improve()
    for shaken in _shaken(search):
        search.offer(shaken)
        search.improve()
    return {listed[place].id: float(-rank) for rank, place in enumerate(search.order)}


class _Search:
    """Plays orders and keeps the best; `passes` is how many may still be played."""

    def __init__(self, jobs: Sequence[Job], capacity: Mapping[str, float]) -> None:
        self.durations = [job.estimate for job in jobs]
        self.bound = max(lower_bounds(jobs, {job.id: job.estimate for job in jobs}, capacity).values())
        self.order: list[int] = []
        self.starts: list[float] = []
        self.makespan = float("inf")
        self._forward = Table(jobs, capacity)
        self.passes = passes_for(len(jobs), sum(map(len, self._forward.conflicts)))
        self._jobs, self._capacity = jobs, capacity
        # Equals stay in this order.
        self._longest_first = sorted(range(len(jobs)), key=lambda place: (-self.durations[place], place))
        self._last: list[float] = []

    @cached_property
    def _backward(self) -> Table:
        return Table(_reversed(self._jobs), self._capacity)

    def is_over(self) -> bool:
        return self.passes <= 0 or self.makespan <= self.bound * (1 + 1e-9)

    def offer(self, priority: Sequence[float]) -> float:
        """Plays this order and keeps it when it is the best so far; its makespan."""
        if self.is_over():
            return self.makespan
        order, finishes = self._play(self._forward, priority)
        makespan = max(finishes)
        self._last = finishes
        if makespan < self.makespan * (1 - 1e-9):
            self.order, self.makespan = order, makespan
            self.starts = [finish - length for finish, length in zip(finishes, self.durations, strict=True)]
        return makespan

    def improve(self) -> None:
        """Passes from the end and back on the last order that was played, for as long as they shorten it."""
        makespan = max(self._last)
        while not self.is_over() and self.passes > 1:  # one from the end alone gives no schedule
            _, from_end = self._play(self._backward, self._last)
            shorter = self.offer(from_end)
            if shorter >= makespan * (1 - 1e-9):
                return
            makespan = shorter

    def _play(self, table: Table, priority: Sequence[float]) -> tuple[list[int], list[float]]:
        self.passes -= 1
        durations = self.durations
        order = sorted(self._longest_first, key=[-one for one in priority].__getitem__)
        starts = run(table, order, durations)
        return order, [(start or 0.0) + length for start, length in zip(starts, durations, strict=True)]


def passes_for(jobs: int, conflicts: int) -> int:
    """How many a batch of this size is worth: a fixed number of jobs placed, at least a dozen as long as they are not too dear."""
    larger = max(1.0, jobs / _USUAL)
    placed = round(_PLACEMENTS / jobs / sqrt(larger))
    steps = jobs * exp(_DEARER * log(larger)) + conflicts / _CONFLICTS_PER_STEP
    return max(1, placed, min(_FEWEST_PASSES, round(_MOST_STEPS / steps)))


def _shaken(search: _Search) -> Iterator[list[float]]:
    state = 1
    turn = 0
    while not search.is_over():
        reach = search.makespan * _SHAKES[turn % len(_SHAKES)]
        turn += 1
        moved = []
        for start in search.starts:
            # Numbers that look random and are always the same (Numerical Recipes' generator).
            state = (state * 1_664_525 + 1_013_904_223) % 2**32
            moved.append(-(start + reach * (state / 2**32 - 0.5)))
        yield moved


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
