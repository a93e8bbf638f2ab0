"""Decides which jobs start now: the one rule for live orchestrations and for simulated time.

List scheduling without waves: whenever something ends, the most urgent jobs that fit are started; nothing that may run waits.
Urgent is what has the longest remaining path behind it: its own estimate plus that of its dependents, or, where jobs exclude each
other, the load of the heaviest group of mutually conflicting jobs that it belongs to, because that group must go one by one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Neighbours: TypeAlias = Mapping[str, frozenset[str]]

# Sums of fractions (a quarter of a core, four times) must fill a whole without a rounding error keeping the last one out.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Job:
    """Something to run: it holds `needs` while running, `after` must be finished first, `conflicts_with` must not run beside it."""

    id: str
    estimate: float
    needs: Mapping[str, float]
    after: frozenset[str]
    conflicts_with: frozenset[str]


def priorities(jobs: Collection[Job]) -> dict[str, float]:
    """Urgency of each job, the greater the sooner; jobs named in `after` that are not among `jobs` count as finished."""
    own = {job.id: job.estimate for job in jobs}
    groups = clique_loads(own, conflicts_of(jobs))
    return _accumulate(jobs, {job.id: max(job.estimate, groups[job.id]) for job in jobs}, own)


def longest_paths(jobs: Collection[Job], lengths: Mapping[str, float]) -> dict[str, float]:
    """Length of the longest chain of dependents that starts with each job, itself included."""
    return _accumulate(jobs, lengths, lengths)


def choose(
    waiting: Collection[Job],
    running: Collection[Job],
    finished: Collection[str],
    capacity: Mapping[str, float],
    priority: Mapping[str, float],
) -> list[str]:
    """The jobs to start now, most urgent first; the order of the arguments' elements does not matter."""
    done = frozenset(finished)
    ready = in_order([job for job in waiting if job.after <= done], priority)
    return [job.id for job in fill(ready, running, capacity, least_needs(ready, capacity))]


def in_order(jobs: Collection[Job], priority: Mapping[str, float]) -> list[Job]:
    """Most urgent first; among equals the longest, then the lowest number."""
    return sorted(jobs, key=lambda job: (-priority.get(job.id, 0.0), -job.estimate, len(job.id), job.id))


def least_needs(jobs: Collection[Job], capacity: Mapping[str, float]) -> dict[str, float]:
    """What every one of the jobs needs at least of each resource: where less is left, none can start."""
    return {name: min((job.needs.get(name, 0.0) for job in jobs), default=0.0) for name in capacity}


def fill(ready: Iterable[Job], running: Collection[Job], capacity: Mapping[str, float], least: Mapping[str, float]) -> list[Job]:
    """Those of `ready`, taken in this order, that fit beside `running` and beside each other."""
    room = dict(capacity)
    active: set[str] = set()
    excluded: set[str] = set()
    started: list[Job] = []

    def admit(job: Job) -> None:
        active.add(job.id)
        excluded.update(job.conflicts_with)
        for name, need in job.needs.items():
            room[name] = room.get(name, 0.0) - need

    for job in running:
        admit(job)
    for job in ready:
        if any(room[name] + _ROUNDING < need for name, need in least.items()):
            break
        if job.id in excluded or not active.isdisjoint(job.conflicts_with) or not _fits(job, room):
            continue
        admit(job)
        started.append(job)
    return started


def fits(needs: Mapping[str, float], capacity: Mapping[str, float]) -> bool:
    """Whether these needs can ever be met."""
    return all(need <= capacity.get(name, 0.0) + _ROUNDING for name, need in needs.items())


def conflicts_of(jobs: Collection[Job]) -> dict[str, frozenset[str]]:
    """Conflicts in both directions, whichever side declared them, among these jobs only."""
    pairs: dict[str, set[str]] = {job.id: set() for job in jobs}
    for job in jobs:
        for other in job.conflicts_with & pairs.keys():
            if other != job.id:
                pairs[job.id].add(other)
                pairs[other].add(job.id)
    return {name: frozenset(others) for name, others in pairs.items()}


def clique_loads(lengths: Mapping[str, float], neighbours: Neighbours) -> dict[str, float]:
    """For each job the total length of one group, grown heaviest first, in which every two conflict."""
    loads = {}
    for name, length in lengths.items():
        total = length
        candidates = neighbours[name]
        for other in sorted(candidates, key=lambda other: (-lengths[other], other)):
            if other in candidates:
                total += lengths[other]
                candidates &= neighbours[other]
        loads[name] = total
    return loads


def _fits(job: Job, room: Mapping[str, float]) -> bool:
    return all(need <= room.get(name, 0.0) + _ROUNDING for name, need in job.needs.items() if need > 0)


def _accumulate(jobs: Collection[Job], least: Mapping[str, float], own: Mapping[str, float]) -> dict[str, float]:
    """value(job) = max(least(job), own(job) + greatest value of its dependents), from the last dependent backwards."""
    known = {job.id for job in jobs}
    before = {job.id: job.after & known for job in jobs}
    open_dependents = dict.fromkeys(known, 0)
    for names in before.values():
        for name in names:
            open_dependents[name] += 1
    values = {job.id: least[job.id] for job in jobs}
    last = [name for name, count in open_dependents.items() if count == 0]
    while last:
        name = last.pop()
        for earlier in before[name]:
            values[earlier] = max(values[earlier], own[earlier] + values[name])
            open_dependents[earlier] -= 1
            if open_dependents[earlier] == 0:
                last.append(earlier)
    return values
