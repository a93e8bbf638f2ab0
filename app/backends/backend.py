"""Where WorkflowManagers run, as the rest of the app sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.github.repository import RepositoryClient
from app.planning.capacity import Machine, Sample
from shared.messages import RunnerLaunch


@dataclass(frozen=True, slots=True)
class Started:
    """What names a runner: a process's id and start time (seconds since the epoch) on a host, or a run's id and its attempt."""

    pid: int
    started_at: float
    host: str = ""


@dataclass(frozen=True, slots=True)
class Runners:
    """Of those that could take a job of ours: how many are online, and how many of these are idle."""

    online: int
    idle: int


class Backend(Protocol):
    """`local` runs processes on this machine; others may only ask somebody else to."""

    async def start(
        self, launch: RunnerLaunch, where: RepositoryClient, labels: Sequence[str] = (), /, *, again: bool = True
    ) -> Started:
        """Starts a runner for `launch`; of Actions one with the repository's `labels`, else with the operator's.

        `again`: an earlier call may have started it. Only who is sure that there was none says False.

        Raises OSError or UserError when that is impossible, TransientError when it is not yet.
        """

    async def prepare(self) -> None:
        """Attempts will start soon; what can be made ready for them is."""

    def close(self) -> None:
        """The app ends; runners that work go on."""

    async def stop(self, pid: int, started_at: float, where: RepositoryClient, /) -> bool:
        """Ends a runner with its whole tree; True when it is proven dead, False when that can only be hoped."""

    def alive(self, pid: int, started_at: float) -> bool:
        """Whether the very process that was started then may still act."""

    async def count_runners(self, where: RepositoryClient, labels: Sequence[str] = (), /) -> Runners | None:
        """Those that wait for jobs; None where there are none to be counted, or nobody may."""

    def machine(self) -> Machine:
        """What runners can use of it, as measured now; unlimited where they run elsewhere."""

    def pressure(self) -> Sample | None:
        """How hard that machine is pressed; None where nobody here can know."""
