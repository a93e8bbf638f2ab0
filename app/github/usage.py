"""How many requests GitHub was sent, by what they were for: the budget that a team shares with everything else it runs."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

import prometheus_client

Kind = Literal["read", "write", "token"]
# Orchestrations whose numbers are kept; older ones have been read by whoever wanted to.
_KEPT = 200
# What of a path is a value, most special first; the rest is GitHub's own words.
_VALUES = (
    (re.compile(r"^repos/[^/]+/[^/]+"), "repos/{owner}/{repo}"),
    (re.compile(r"^orgs/[^/]+"), "orgs/{org}"),
    (re.compile(r"/contents/.+$"), "/contents/{path}"),
    (re.compile(r"/compare/.+$"), "/compare/{basehead}"),
    (re.compile(r"/git/matching-refs/.+$"), "/git/matching-refs/{ref}"),
    (re.compile(r"/git/refs/.+$"), "/git/refs/{ref}"),
    (re.compile(r"/commits/[^/]+"), "/commits/{ref}"),
    (re.compile(r"/collaborators/[^/]+"), "/collaborators/{username}"),
    (re.compile(r"/workflows/[^/]+"), "/workflows/{workflow}"),
    (re.compile(r"^(users|apps)/[^/]+$"), r"\1/{name}"),
    (re.compile(r"/\d+(?=/|$)"), "/{id}"),
)
_nobody = 0
_repository: ContextVar[int] = ContextVar("repository", default=_nobody)


@contextmanager
def on_behalf_of(repository_id: int) -> Iterator[None]:
    """Requests of the block, and of the tasks started in it, count for this repository."""
    before = _repository.set(repository_id)
    try:
        yield
    finally:
        _repository.reset(before)


def route(path: str) -> str:
    """The path with its values left out: `repos/{owner}/{repo}/issues/{id}`."""
    for value, name in _VALUES:
        path = value.sub(name, path)
    return f"/{path}"


def kind(method: str, path: str) -> Kind:
    """A query by GraphQL is a POST and still a read, a mutation is none; what makes or ends tokens is neither."""
    if path.endswith("access_tokens") or path == "installation/token":
        return "token"
    return "read" if method == "GET" or path == "graphql" else "write"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request: `answer` is its status, or `none` when there was none; bytes are those of the bodies on the wire."""

    method: str
    path: str
    answer: str
    seconds: float
    sent_bytes: int = 0
    received_bytes: int = 0


class Meter(Protocol):
    """Who is told of what is sent."""

    def sent(self, exchange: Exchange) -> None:
        """One request."""

    def cost(self, points: int, remaining: int) -> None:
        """One query's price, and what is left of the hour, in GraphQL's points."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of one orchestration's repository while it was at work, GraphQL apart from REST."""

    rest: int
    graphql: int
    read: int
    write: int
    token: int


@dataclass
class Usage:
    """One per app. Beside the metrics a tally per repository, from which orchestrations have their numbers."""

    calls: prometheus_client.Counter
    points: prometheus_client.Counter
    points_left: prometheus_client.Gauge
    seconds: prometheus_client.Histogram
    volume: prometheus_client.Counter
    _totals: dict[int, Counter[str]] = field(default_factory=dict)
    _told: dict[int, Counter[str]] = field(default_factory=dict)
    _begun: dict[str, Counter[str]] = field(default_factory=dict)
    _latest: dict[str, Counter[str]] = field(default_factory=dict)
    _order: deque[str] = field(default_factory=deque)

    def sent(self, exchange: Exchange) -> None:
        """One request."""
        what, repository = kind(exchange.method, exchange.path), _repository.get()
        self.calls.labels(what, f"{exchange.method} {route(exchange.path)}", exchange.answer).inc()
        how = "graphql" if exchange.path.startswith("graphql") else "rest"
        self.seconds.labels(what, how).observe(exchange.seconds)
        self.volume.labels("sent").inc(exchange.sent_bytes)
        self.volume.labels("received").inc(exchange.received_bytes)
        self._totals.setdefault(repository, Counter()).update((what, how))

    def cost(self, points: int, remaining: int) -> None:
        """One query's price, and what is left."""
        self.points.inc(points)
        self.points_left.set(remaining)

    def follow(self, orchestration: str, repository_id: int) -> None:
        """Notes where an orchestration stands; what was read before it existed, to find out whether it should, is its own too."""
        now = Counter(self._totals.get(repository_id, Counter()))
        if orchestration not in self._begun:
            self._begun[orchestration] = self._told.get(repository_id, Counter())
            self._order.append(orchestration)
        self._latest[orchestration] = self._told[repository_id] = now
        while len(self._order) > _KEPT:
            forgotten = self._order.popleft()
            del self._begun[forgotten], self._latest[forgotten]

    def of(self, orchestration: str) -> Counts | None:
        """None when this process never worked for it."""
        if orchestration not in self._latest:
            return None
        spent = self._latest[orchestration] - self._begun[orchestration]
        return Counts(**{name: spent[name] for name in Counts.__slots__})


class Nobody:
    """For whom nobody counts."""

    def sent(self, _exchange: Exchange) -> None:
        """One request."""

    def cost(self, _points: int, _remaining: int) -> None:
        """One query."""
