"""Virtual time: plays jobs through the scheduler's rule, so that a plan predicts what the live orchestration will do."""

from bisect import bisect_left, insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from app.planning.schedule import Job, fill, in_order, least_needs


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
    jobs: Collection[Job], durations: Mapping[str, float], capacity: Mapping[str, float], priority: Mapping[str, float]
) -> Timeline:
    """What happens when jobs are chosen by `priority` and really take `durations`."""
    return _Player(jobs, durations, capacity, priority).run()


class _Player:
    """Jobs are known by their rank in the order of urgency, which keeps the ready ones sorted at no cost."""

    def __init__(
        self, jobs: Collection[Job], durations: Mapping[str, float], capacity: Mapping[str, float], priority: Mapping[str, float]
    ) -> None:
        self.jobs = in_order(jobs, priority)
        self.durations = durations
        self.capacity = capacity
        self.least = least_needs(self.jobs, capacity)
        ranks = {job.id: rank for rank, job in enumerate(self.jobs)}
        self.open = [len(job.after & ranks.keys()) for job in self.jobs]
        self.dependents: list[list[int]] = [[] for _ in self.jobs]
        for rank, job in enumerate(self.jobs):
            for name in job.after & ranks.keys():
                self.dependents[ranks[name]].append(rank)
        self.ranks = ranks
        self.ready = [rank for rank, count in enumerate(self.open) if count == 0]
        self.running: list[tuple[float, int]] = []
        self.starts: dict[str, float] = {}
        self.finishes: dict[str, float] = {}

    def run(self) -> Timeline:
        now = 0.0
        self._start(now)
        while self.running:
            now = self.running[0][0]
            while self.running and self.running[0][0] == now:
                self._finish(heappop(self.running)[1])
            self._start(now)
        return Timeline(self.starts, self.finishes)

    def _start(self, now: float) -> None:
        running = [self.jobs[rank] for _, rank in self.running]
        for job in fill((self.jobs[rank] for rank in self.ready), running, self.capacity, self.least):
            rank = self.ranks[job.id]
            del self.ready[bisect_left(self.ready, rank)]
            self.starts[job.id] = now
            self.finishes[job.id] = now + self.durations[job.id]
            heappush(self.running, (self.finishes[job.id], rank))

    def _finish(self, rank: int) -> None:
        for dependent in self.dependents[rank]:
            self.open[dependent] -= 1
            if self.open[dependent] == 0:
                insort(self.ready, dependent)
