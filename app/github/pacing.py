"""Keeps each installation inside GitHub's secondary limits, first come, first served; clock and sleep are arguments."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from shared.errors import TransientError

# Longer waits go back to the queue: an effect that sleeps holds a place that another repository could use.
LONGEST_WAIT = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The rates of one installation. Source: GITHUB.md section 7; a read is 1 point, a write 5."""

    writes_per_second: float = 1
    content_per_minute: float = 80
    content_per_hour: float = 500
    points_per_minute: float = 900
    graphql_points_per_minute: float = 2000


@dataclass(slots=True)
class _Bucket:
    """Fills with `rate` tokens a second up to `capacity`; may be drawn below zero, which is what later callers wait for."""

    rate: float
    capacity: float
    level: float
    at: float

    def wait(self, cost: float, now: float) -> float:
        self.level = min(self.capacity, self.level + (now - self.at) * self.rate)
        self.at = now
        return max(0.0, (cost - self.level) / self.rate)


@dataclass(slots=True)
class _Installation:
    buckets: dict[str, _Bucket] = field(default_factory=dict)
    closed_until: float = 0
    graphql_closed_until: float = 0

    def reopens(self, *, graphql: bool) -> float:
        return max(self.closed_until, self.graphql_closed_until) if graphql else self.closed_until


class Pacer:
    """Hands out waits."""

    def __init__(self, pace: Pace, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._pace = pace
        self._now = now
        self._sleep = sleep
        self._installations: dict[int, _Installation] = {}

    async def admit(self, installation_id: int, *, write: bool, creates: int = 0, graphql: bool = False) -> None:
        """Returns when the request may be sent; TransientError with the wait when that is too far away."""
        now = self._now()
        installation = self._installations.setdefault(installation_id, _Installation(self._buckets(now)))
        costs = {"graphql" if graphql else "points": 5.0 if write else 1.0}
        if write:
            costs["writes"] = 1.0
        if creates:
            costs |= {"content_minute": float(creates), "content_hour": float(creates)}
        wait = max([installation.buckets[name].wait(cost, now) for name, cost in costs.items()])
        wait = max(wait, installation.reopens(graphql=graphql) - now)
        if wait > LONGEST_WAIT:
            raise _later(wait)
        for name, cost in costs.items():
            installation.buckets[name].level -= cost
        if wait > 0:
            await self._sleep(wait)
        if (closed := installation.reopens(graphql=graphql) - self._now()) > 0:
            raise _later(closed)  # GitHub said stop while we slept

    def content_left(self, installation_id: int) -> float:
        """How much may be created now within the limit of an hour; nothing while GitHub says stop."""
        now, installation = self._now(), self._installations.get(installation_id)
        if installation is None:
            return self._pace.content_per_hour
        if installation.reopens(graphql=False) > now:
            return 0.0
        bucket = installation.buckets["content_hour"]
        bucket.wait(0, now)
        return max(0.0, bucket.level)

    def close(self, installation_id: int, wait: timedelta, *, graphql_only: bool = False) -> None:
        """GitHub said stop: going on regardless may ban the App."""
        now = self._now()
        installation = self._installations.setdefault(installation_id, _Installation(self._buckets(now)))
        until = now + wait.total_seconds()
        if graphql_only:
            installation.graphql_closed_until = max(installation.graphql_closed_until, until)
        else:
            installation.closed_until = max(installation.closed_until, until)

    def _buckets(self, now: float) -> dict[str, _Bucket]:
        pace = self._pace
        # One write a second is GitHub's advice for a steady stream; ten at once, when eight labels arrive, are no stream.
        rates = {
            "writes": (pace.writes_per_second, max(10.0, pace.writes_per_second)),
            "content_minute": (pace.content_per_minute / 60, pace.content_per_minute),
            "content_hour": (pace.content_per_hour / 3600, pace.content_per_hour),
            "graphql": (pace.graphql_points_per_minute / 60, pace.graphql_points_per_minute),
            "points": (pace.points_per_minute / 60, pace.points_per_minute),
        }
        return {name: _Bucket(rate, capacity, capacity, now) for name, (rate, capacity) in rates.items()}


def _later(seconds: float) -> TransientError:
    return TransientError(f"GitHub's limits leave room again in {seconds:.0f} s", timedelta(seconds=seconds))
