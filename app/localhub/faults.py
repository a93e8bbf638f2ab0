"""Trouble on demand: refusals, outages and delays for the next matching requests, before or after their effect."""

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field

_MESSAGES = {
    403: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    429: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    502: "Server Error",
    503: "Service unavailable",
}


class Fault(BaseModel):
    """`status` 0 means a delay only; `after_effect` lets the request do its work and loses the answer."""

    method: str = "*"
    path_regex: str = ".*"
    # Of the request's text: what GraphQL is asked does not show in its path.
    body_regex: str = ""
    status: int = 0
    times: int = 1
    after_effect: bool = False
    headers: dict[str, str] = Field(default_factory=dict)
    message: str = ""
    # The whole body, where GitHub's trouble comes inside a 200.
    answer: dict[str, Any] | None = None
    latency_seconds: float = 0

    def body(self) -> dict[str, Any]:
        """GitHub's words for this kind of trouble, unless the test has its own."""
        if self.answer is not None:
            return self.answer
        message = self.message or _MESSAGES.get(self.status, "Provoked by a fault of localhub")
        return {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(self.status)}


@dataclass
class Faults:
    """The faults still to come, oldest first."""

    pending: list[Fault] = field(default_factory=list)

    def reads_bodies(self) -> bool:
        """Whether a fault to come depends on them."""
        return any(fault.body_regex for fault in self.pending)

    def take(self, method: str, path: str, body: str) -> Fault | None:
        """The first fault that fits, used up by one."""
        for fault in self.pending:
            if fault.method in {"*", method} and re.search(fault.path_regex, path) and re.search(fault.body_regex, body):
                fault.times -= 1
                if fault.times <= 0:
                    self.pending.remove(fault)
                return fault
        return None
