"""What no schedule can beat, and which limit that is: the measure of every schedule that we make."""

from collections.abc import Collection, Mapping
from math import fsum

from app.planning.room import Job, conflicts_of
from app.planning.schedule import clique_loads, longest_paths

CRITICAL_PATH = "critical path"
CONFLICTS = "conflicts"


def lower_bounds(jobs: Collection[Job], durations: Mapping[str, float], capacity: Mapping[str, float]) -> dict[str, float]:
    """A lower bound for each limit: the longest chain, each resource's work, the heaviest group of mutual conflicts found."""
    if not jobs:
        return {CRITICAL_PATH: 0.0}
    lengths = {job.id: durations[job.id] for job in jobs}
    bounds = {CRITICAL_PATH: max(longest_paths(jobs, lengths).values())}
    for name, size in capacity.items():
        work = fsum(lengths[job.id] * job.needs.get(name, 0.0) for job in jobs) / size if size > 0 else 0.0
        # Jobs that each need more than half can only go one by one.
        alone = fsum(lengths[job.id] for job in jobs if job.needs.get(name, 0.0) > size / 2)
        bounds[name] = max(work, alone)
    bounds[CONFLICTS] = max(clique_loads(lengths, conflicts_of(jobs)).values())
    return bounds


def binding_limit(bounds: Mapping[str, float]) -> str:
    """The limit that keeps the schedule from being shorter; among equals the first, and the critical path comes first."""
    return max(bounds, key=lambda name: round(bounds[name], 9))
