"""Whether to ask GitHub at all: after failures in a row nobody does for a while, then one request finds out. Pure."""

from dataclasses import dataclass, replace
from typing import Literal

# So many failures in a row are no bad luck: GitHub, or the way to it, is down.
FAILURES = 8
# Seconds until the first try, doubled with each that fails, up to the longest.
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """Of one host. `until`: nobody asks before that; `probing_since`: somebody has gone to find out."""

    failures: int = 0
    pause: float = 0
    until: float | None = None
    probing_since: float | None = None

    def state(self, now: float) -> State:
        """Open while nobody may ask, half open while one may."""
        if self.until is None:
            return "closed"
        return "open" if now < self.until else "half_open"

    def admit(self, now: float) -> tuple["Breaker", float]:
        """The breaker with this request under way, and how long to wait instead of sending it (0: send it)."""
        if self.until is None:
            return self, 0.0
        if now < self.until:
            return self, self.until - now
        # A probe that never came back must not keep everybody out for ever.
        if self.probing_since is not None and now - self.probing_since < self.pause:
            return self, self.probing_since + self.pause - now
        return replace(self, probing_since=now), 0.0

    def succeeded(self) -> "Breaker":
        """It answers."""
        return Breaker()

    def failed(self, now: float) -> "Breaker":
        """No answer, or one of a server that is broken."""
        failures = self.failures + 1
        if failures < FAILURES:
            return replace(self, failures=failures)
        late = self.until is not None and now < self.until  # sent before it opened
        if late:
            return replace(self, failures=failures)
        pause = min(LONGEST_PAUSE, self.pause * 2 or FIRST_PAUSE)
        return Breaker(failures, pause, now + pause)
