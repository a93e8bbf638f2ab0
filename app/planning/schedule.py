"""Decides which jobs start now: the one rule for live orchestrations and for simulated time.

List scheduling without waves: whenever something ends, the most urgent jobs that fit are started; nothing that may run waits.
Urgent is what has the longest remaining path behind it: its own estimate plus that of its dependents, or, where jobs exclude each
other, the load of the heaviest group of mutually conflicting jobs that it belongs to, because that group must go one by one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from app.planning.room import Job, Room, Table, conflicts_of

Neighbours: TypeAlias = Mapping[str, frozenset[str]]


def priorities(jobs: Collection[Job]) -> dict[str, float]:
    """Urgency of each job, the greater the sooner; jobs named in `after` that are not among `jobs` count as finished."""
    own = {job.id: job.estimate for job in jobs}
    groups = clique_loads(own, conflicts_of(jobs))
    paths = _accumulate(jobs, groups, own)
    behind = dict.fromkeys(own, 0.0)
    for job in jobs:
        for name in job.after & behind.keys():
            behind[name] = max(behind[name], paths[job.id])
    # Half of its own length: the middle between the two classic rules, by when it must end and by when it must start.
    return {name: max(behind[name] + length / 2, groups[name] / 2) for name, length in own.items()}


def longest_paths(jobs: Collection[Job], lengths: Mapping[str, float]) -> dict[str, float]:
    """Length of the longest chain of dependents that starts with each job, itself included."""
    return _accumulate(jobs, lengths, lengths)


def choose(
    waiting: Collection[Job],
    running: Collection[Job],
    finished: Collection[str],
    capacity: Mapping[str, float],
    priority: Mapping[str, float],
    overdue: Sequence[str] = (),
) -> list[str]:
    """The jobs to start now, most urgent first; the order of the other arguments' elements does not matter.

    The overdue ones come before all others in the order given, and what the first of them lacks is kept for it.
    """
    done = frozenset(finished)
    ready = in_order([job for job in waiting if job.after <= done], priority)
    table = Table([*ready, *running], capacity)
    room = Room(table)
    for place in range(len(ready), len(table.jobs)):
        room.start(place)
    late = [table.places[name] for name in overdue if table.places.get(name, len(ready)) < len(ready)]
    others = [place for place in range(len(ready)) if place not in late]
    return [ready[place].id for place in (room.admit_late(late, others) if late else room.admit(others))]


def in_order(jobs: Collection[Job], priority: Mapping[str, float]) -> list[Job]:
    """Most urgent first; among equals the longest, then the lowest number."""
    return sorted(jobs, key=lambda job: (-priority.get(job.id, 0.0), -job.estimate, len(job.id), job.id))


def clique_loads(lengths: Mapping[str, float], neighbours: Neighbours) -> dict[str, float]:
    """For each job the total length of one group, grown heaviest first, in which every two conflict.

    Jobs that conflict with each other and with the same others are in the same group: of a crowd on one file it is grown once.
    """
    loads: dict[frozenset[str], float] = {}
    around = {name: neighbours[name] | {name} for name in lengths}
    for name in lengths:
        if around[name] not in loads:
            loads[around[name]] = _group_load(name, lengths, neighbours)
    return {name: loads[around[name]] for name in lengths}


def _group_load(name: str, lengths: Mapping[str, float], neighbours: Neighbours) -> float:
    total = lengths[name]
    candidates = neighbours[name]
    for other in sorted(candidates, key=lambda other: (-lengths[other], other)):
        if other in candidates:
            total += lengths[other]
            candidates &= neighbours[other]
    return total


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
