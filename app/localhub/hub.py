"""The one value that everything here is handed: state, outgoing post, provoked faults, request log."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from app.localhub.faults import Faults
from app.localhub.records import IssueEvent
from app.localhub.state import State
from app.localhub.storm import Storm, Weather
from app.localhub.webhooks import Mode, Webhooks

_RATE_LIMIT = 5000


class GraphqlLimit(NamedTuple):
    """What the query that is being answered costs, and what is left; in points."""

    cost: int
    limit: int
    remaining: int
    used: int
    reset_at: str


@dataclass(frozen=True)
class By:
    """Who does something: the account that people see, and the App if one acts."""

    account_id: int
    app_id: int | None = None


@dataclass
class Hub:
    """The embedded GitHub's parts."""

    state: State
    webhooks: Webhooks
    faults: Faults
    storm: Storm = field(default_factory=Storm)
    requests: list[dict[str, Any]] = field(default_factory=list)
    record_file: Path | None = None
    rate_limit: int = _RATE_LIMIT
    rate_window: int = 0
    used: dict[str, int] = field(default_factory=dict)
    graphql_points: int = _RATE_LIMIT
    graphql_window: int = 0
    graphql_used: dict[str, int] = field(default_factory=dict)
    graphql_limit: GraphqlLimit | None = None
    # Fields that an older Enterprise server does not have, as `Type.field`.
    graphql_without: set[str] = field(default_factory=set)
    # What the server makes of `return_run_details`: an older Enterprise server does not know it.
    run_details: Literal["told", "refused", "ignored"] = "told"
    jobs_changed: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """On the event loop, after each commit: there may be something to send or to run."""
        self.webhooks.wake.set()
        self.jobs_changed.set()

    def reset(self) -> None:
        """As after a first start in an empty folder."""
        self.state.reset()
        self.webhooks.mode = Mode()
        self.faults.pending.clear()
        self.storm.begin(Weather())
        self.requests.clear()
        self.rate_limit = _RATE_LIMIT
        self.used.clear()
        self.graphql_points = _RATE_LIMIT
        self.graphql_used.clear()
        self.graphql_without.clear()
        self.run_details = "told"

    def record(self, entry: dict[str, Any]) -> None:
        """Keeps a whole API exchange for the contract check, if asked to at the start."""
        if self.record_file is not None:
            with self.record_file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def note(self, issue_id: int, event: str, by: By, **extra: dict[str, str]) -> None:
        """Adds to an issue's history."""
        row = IssueEvent(
            id=self.state.next_id(),
            issue_id=issue_id,
            event=event,
            actor_id=by.account_id,
            app_id=by.app_id,
            created_at=self.state.stamp(),
            **extra,
        )
        self.state.issue_events.save(row)
