"""Where WorkflowManagers run, as the rest of the app sees it."""

from dataclasses import dataclass
from typing import Protocol

from shared.messages import RunnerLaunch


@dataclass(frozen=True, slots=True)
class Started:
    """A runner's process: id and start time (seconds since the epoch) together name it."""

    pid: int
    started_at: float


@dataclass(frozen=True, slots=True)
class Capacity:
    """Room on the machine: memory that is free beyond the reserve, MiB."""

    free_memory_mib: float


class Backend(Protocol):
    """`local` runs processes on this machine; others may only ask somebody else to."""

    async def start(self, launch: RunnerLaunch) -> Started:
        """Starts a runner and hands it `launch`; raises OSError or UserError when that is impossible."""

    async def stop(self, pid: int, started_at: float) -> bool:
        """Ends a runner with its whole tree; True when it is proven dead, False when that can only be hoped."""

    def alive(self, pid: int, started_at: float) -> bool:
        """Whether the very process that was started then may still act."""

    def room(self) -> Capacity:
        """As measured now."""
