"""What every phase gets and gives: the shape that the nine modules in `phases` share."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from runner import state as states
from runner.app_client import AppClient
from runner.endings import Interrupted
from runner.folder import TaskFolder
from runner.meter import Meter
from runner.models.keys import Keys
from runner.sandbox import Room, Sandbox
from runner.state import State
from shared.messages import AttemptBrief
from shared.models import PhaseName, Verdict, VerdictName
from shared.process import Ended, Limits


@dataclass(frozen=True)
class Outcome:
    """How a phase came out when the attempt goes on; a failed one is red evidence, not an end."""

    status: Literal["passed", "failed", "skipped"] = "passed"
    reason: str = ""


@dataclass
class Work:
    """One attempt while it runs."""

    brief: AttemptBrief
    folder: TaskFolder
    state: State
    sandbox: Sandbox
    app: AppClient
    stop: threading.Event
    keys: Keys = field(default_factory=Keys.none)
    meter: Meter = field(default_factory=Meter)
    expired: Verdict | None = None
    # Permits asked for, and the fingerprints of the write tokens that were given back.
    permits: int = 0
    tokens_revoked: list[str] = field(default_factory=list)

    def run(
        self,
        argv: Sequence[str],
        room: Room,
        *,
        log: str,
        minutes: float,
        quiet_minutes: float | None = None,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        finished: threading.Event | None = None,
        cut: threading.Event | None = None,
    ) -> Ended:
        """Runs a command in the sandbox within the attempt's limits; its use is added to the phase, a stop becomes Interrupted."""
        log_file = self.folder.log(log)
        log_file.parent.mkdir(parents=True, exist_ok=True)
        heard = on_line or (lambda _: None)

        def line(text: str) -> None:
            self.app.moved()
            heard(text)

        ended = self.sandbox.run(
            argv,
            room,
            stdin=stdin,
            limits=self._limits(minutes, quiet_minutes),
            log=log_file,
            on_line=line,
            stop=self.stop,
            finished=finished,
            cut=cut,
        )
        self.meter.add(ended)
        self.raise_if_stopped()
        return ended

    def expire(self, limit: str, reason: str) -> None:
        """The time of a phase or of the attempt is over: everything stops, as if somebody had told us to."""
        self.expired = Verdict(name=VerdictName.LIMIT_REACHED, reason=reason, limit=limit)
        self.app.end(reason)

    def save(self) -> None:
        states.save(self.state, self.folder.state)

    def raise_if_stopped(self) -> None:
        if self.stop.is_set():
            raise Interrupted

    def _limits(self, minutes: float, quiet_minutes: float | None) -> Limits:
        limits = self.brief.limits
        return Limits(
            seconds=minutes * 60,
            inactive_seconds=None if quiet_minutes is None else quiet_minutes * 60,
            output_bytes=limits.output_mib * 2**20,
            memory_mib=limits.memory_mib,
            free_disk_mib=limits.disk_free_mib,
        )


class Phase(Protocol):
    """A module of `phases`. `run` makes the artefact or raises AttemptEnds; `missing` says what of it is not there ("": all is)."""

    NAME: PhaseName

    def run(self, work: Work) -> Outcome: ...

    def missing(self, work: Work) -> str: ...
