"""What is free while jobs run: the one place that says whether a job may start now, for live attempts and on virtual time."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

# Sums of fractions (a quarter of a core, four times) must fill a whole without a rounding error keeping the last one out.
ROUNDING = 1e-9
_LAST_DIGITS = 1e-12


@dataclass(frozen=True, slots=True)
class Job:
    """Something to run: it holds `needs` while running, `after` must be finished first, `conflicts_with` must not run beside it."""

    id: str
    estimate: float
    needs: Mapping[str, float]
    after: frozenset[str]
    conflicts_with: frozenset[str]


class Table:
    """Jobs by their place in a list, what they refer to by place too: made once, played many times."""

    def __init__(self, jobs: Sequence[Job], capacity: Mapping[str, float]) -> None:
        self.jobs = jobs
        self.places = {job.id: place for place, job in enumerate(jobs)}
        self.sizes = [*capacity.values(), 0.0]
        names = {name: index for index, name in enumerate(capacity)}
        unknown = len(capacity)
        wanted = [[(names.get(name, unknown), need) for name, need in job.needs.items() if need > 0] for job in jobs]
        # What is scarcest for a job is looked at first.
        self.needs = [tuple(sorted(some, key=lambda one: -one[1] / max(self.sizes[one[0]], ROUNDING))) for some in wanted]
        pairs = conflicts_of(jobs)
        self.conflicts = [tuple(sorted(map(self.places.__getitem__, pairs[job.id]))) for job in jobs]
        self.before = [len(job.after & self.places.keys()) for job in jobs]
        self.dependents: list[list[int]] = [[] for _ in jobs]
        for place, job in enumerate(jobs):
            for name in sorted(job.after & self.places.keys()):
                self.dependents[self.places[name]].append(place)
        # Where less than this is left of a resource, no job can start.
        least = [min((job.needs.get(name, 0.0) for job in jobs), default=0.0) for name in capacity]
        self.least = [(index, need) for index, need in enumerate(least) if need > 0]


class Room:
    """What is left of each resource, and who is excluded by a running job."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._free = [size + rounding(size) for size in table.sizes]
        self._excluded = [0] * len(table.jobs)

    def start(self, place: int) -> None:
        """This job runs from now on, whether there is room or not."""
        self._take(place, 1)
        self._exclude(place, 1)

    def end(self, place: int) -> None:
        """It runs no more."""
        free, excluded = self._free, self._excluded
        for index, need in self._table.needs[place]:
            free[index] += need
        for other in self._table.conflicts[place]:
            excluded[other] -= 1

    def empty(self) -> None:
        """Nothing runs: all is free again, to the last digit that was lost on the way."""
        self._free[:] = [size + rounding(size) for size in self._table.sizes]

    def admit(self, ready: Iterable[int]) -> list[int]:
        """Starts those that fit beside the running ones and beside each other, taken in this order."""
        # The innermost loop of planning: what `start` does is written out here.
        free, excluded, needs, conflicts = self._free, self._excluded, self._table.needs, self._table.conflicts
        started: list[int] = []
        may_fill = bool(self._table.least)
        if may_fill and self._is_full():
            return started
        for place in ready:
            if excluded[place]:
                continue
            wanted = needs[place]
            for index, need in wanted:
                if free[index] < need:
                    break
            else:
                for index, need in wanted:
                    free[index] -= need
                for other in conflicts[place]:
                    excluded[other] += 1
                started.append(place)
                if may_fill and self._is_full():
                    break
        return started

    def admit_late(self, overdue: Iterable[int], ready: Iterable[int]) -> list[int]:
        """As `admit`, the overdue ones first.

        What the first of them lacks is kept for it, so that no stream of smaller ones takes it away for ever; and whoever conflicts
        with that one, or with one that only waits for the end of a conflict, does not start before it.
        """
        started: list[int] = []
        kept: list[int] = []
        blocking: list[int] = []
        for place in overdue:
            if self._excluded[place]:
                self._exclude(place, 1)
                blocking.append(place)
            elif found := self.admit([place]):
                started += found
            elif not kept:
                self.start(place)
                kept.append(place)
        started += self.admit(ready)
        for place in kept:
            self.end(place)
        for place in blocking:
            self._exclude(place, -1)
        return started

    def _is_full(self) -> bool:
        return any(self._free[index] < least for index, least in self._table.least)

    def _exclude(self, place: int, sign: int) -> None:
        for other in self._table.conflicts[place]:
            self._excluded[other] += sign

    def _take(self, place: int, sign: int) -> None:
        for index, need in self._table.needs[place]:
            self._free[index] -= sign * need


def conflicts_of(jobs: Collection[Job]) -> dict[str, frozenset[str]]:
    """Conflicts in both directions, whichever side declared them, among these jobs only."""
    known = frozenset(job.id for job in jobs)
    pairs: dict[str, frozenset[str]] = {}
    crowds: dict[frozenset[str], set[str]] = {}
    for job in jobs:
        whole = job.conflicts_with <= known and job.id not in job.conflicts_with
        pairs[job.id] = job.conflicts_with if whole else (job.conflicts_with & known) - {job.id}
        crowds.setdefault(pairs[job.id] | {job.id}, set()).add(job.id)
    untold: dict[str, set[str]] = {}
    # Who names the same, and each other, has been told by both sides: of hundreds on one file not every two are looked at.
    for around, crowd in crowds.items():
        for other in around - crowd:
            if missing := crowd - pairs[other]:
                untold.setdefault(other, set()).update(missing)
    return {**pairs, **{name: pairs[name] | others for name, others in untold.items()}}


def fits(needs: Mapping[str, float], capacity: Mapping[str, float]) -> bool:
    """Whether these needs can ever be met."""
    sizes = {name: capacity.get(name, 0.0) for name in needs}
    return all(need <= sizes[name] + rounding(sizes[name]) for name, need in needs.items())


def rounding(size: float) -> float:
    """What sums may be apart from this size: never much of a small one, and of a large one (bytes) its own last digits."""
    return max(ROUNDING * min(1.0, size), size * _LAST_DIGITS)
