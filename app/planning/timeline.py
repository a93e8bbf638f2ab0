"""Virtual time: plays jobs through the scheduler's rule, so that a plan predicts what the live orchestration will do."""

from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from app.planning.room import Job, Room, Table
from app.planning.schedule import in_order

_SAME = 1 + 1e-12


@dataclass(frozen=True, slots=True)
class Timeline:
    """When each job started and finished; a job that could never start is in neither."""

    starts: Mapping[str, float]
    finishes: Mapping[str, float]

    @property
    def makespan(self) -> float:
        """When the last one finished."""
        return max(self.finishes.values(), default=0.0)


def play(
    jobs: Collection[Job],
    durations: Mapping[str, float],
    capacity: Mapping[str, float],
    priority: Mapping[str, float],
    patience: float = inf,
) -> Timeline:
    """What happens when jobs are chosen by `priority` and really take `durations`.

    One that has been ready for longer than `patience` comes first from then on, and what it lacks is kept for it.
    """
    table = Table(in_order(jobs, priority), capacity)
    starts = run(table, range(len(table.jobs)), [durations[job.id] for job in table.jobs], patience)
    begun = {job.id: start for job, start in zip(table.jobs, starts, strict=True) if start is not None}
    return Timeline(begun, {name: start + durations[name] for name, start in begun.items()})


def run(table: Table, order: Sequence[int], durations: Sequence[float], patience: float = inf) -> list[float | None]:
    """The start of each job of the table, None for those that never could; `order` holds its places, most urgent first."""
    room = Room(table)
    ranks = [0] * len(order)
    for rank, place in enumerate(order):
        ranks[place] = rank
    open_ = list(table.before)
    ready = [place for place in order if not open_[place]]
    since = [0.0] * len(order)
    running: list[tuple[float, int]] = []
    starts: list[float | None] = [None] * len(order)
    now = 0.0
    while True:
        for place in _begin(room, ready, since, now - patience):
            starts[place] = now
            heappush(running, (now + durations[place], place))
        if not running:
            return starts
        # 0.1 + 0.2 and 0.3 are one moment: who is more urgent gets the room, not whose sum is smaller in its last digit.
        moment = running[0][0] * _SAME
        while running and running[0][0] <= moment:
            now, place = heappop(running)
            room.end(place)
            for dependent in table.dependents[place]:
                open_[dependent] -= 1
                if not open_[dependent]:
                    insort(ready, dependent, key=ranks.__getitem__)
                    since[dependent] = now
        if not running:
            room.empty()


def _begin(room: Room, ready: list[int], since: Sequence[float], latest: float) -> list[int]:
    """The places that start now, taken out of `ready`."""
    if not ready:
        return []
    late = sorted((place for place in ready if since[place] < latest), key=since.__getitem__) if latest > 0 else []
    started = room.admit_late(late, [place for place in ready if place not in late]) if late else room.admit(ready)
    if started:
        ready[:] = [place for place in ready if place not in started]
    return started
