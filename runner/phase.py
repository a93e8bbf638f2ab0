"""What every phase gets and gives: the shape that the nine modules in `phases` share."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from runner import state as states
from runner.app_client import AppClient
from runner.endings import Interrupted
from runner.folder import TaskFolder
from runner.sandbox import Room, Sandbox
from runner.state import State
from shared.models import AttemptBrief, PhaseName
from shared.process import Ended, Limits


@dataclass(frozen=True)
class Outcome:
    """How a phase came out when the attempt goes on; a failed one is red evidence, not an end."""

    status: Literal["passed", "failed", "skipped"] = "passed"
    reason: str = ""


@dataclass
class Meter:
    """Resources that one phase's commands used."""

    cpu_seconds: float = 0
    peak_memory_mib: float = 0

    def add(self, ended: Ended) -> None:
        self.cpu_seconds += ended.cpu_seconds
        self.peak_memory_mib = max(self.peak_memory_mib, ended.peak_memory_mib)


@dataclass
class Work:
    """One attempt while it runs."""

    brief: AttemptBrief
    folder: TaskFolder
    state: State
    sandbox: Sandbox
    app: AppClient
    stop: threading.Event
    meter: Meter = field(default_factory=Meter)
    # Permits asked for, and the write tokens among them that were granted and given back.
    permits: int = 0
    tokens_granted: int = 0
    tokens_revoked: int = 0

    def run(self, argv: Sequence[str], room: Room, *, log: str, limits: Limits, stdin: bytes = b"") -> Ended:
        """Runs a command in the sandbox; its use is added to the phase, and a stop from outside becomes Interrupted."""
        log_file = self.folder.log(log)
        log_file.parent.mkdir(parents=True, exist_ok=True)
        ended = self.sandbox.run(
            argv, room, stdin=stdin, limits=limits, log=log_file, on_line=lambda _: self.app.moved(), stop=self.stop
        )
        self.meter.add(ended)
        self.raise_if_stopped()
        return ended

    def save(self) -> None:
        states.save(self.state, self.folder.state)

    def raise_if_stopped(self) -> None:
        if self.stop.is_set():
            raise Interrupted


class Phase(Protocol):
    """A module of `phases`. `run` makes the artefact or raises AttemptEnds; `missing` says what of it is not there ("": all is)."""

    NAME: PhaseName

    def run(self, work: Work) -> Outcome: ...

    def missing(self, work: Work) -> str: ...
