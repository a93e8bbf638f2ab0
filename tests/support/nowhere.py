"""A backend that starts nothing: the runner is the test itself, and knows the secret."""

import os
from dataclasses import dataclass, field

from app.backends.backend import Runners, Started
from app.planning.capacity import Machine, Sample
from shared.errors import TransientError
from shared.messages import RunnerLaunch
from shared.process import started_at
from tests.support.workshop import until


@dataclass
class Nowhere:
    """What would have been started, in order, and whether each was said to be a second try; the first `refusals` fail for now."""

    launches: list[RunnerLaunch] = field(default_factory=list)
    again: list[bool] = field(default_factory=list)
    refusals: int = 0

    async def start(self, launch: RunnerLaunch, _where: object = None, _labels: object = (), *, again: bool = True) -> Started:
        self.launches.append(launch)
        self.again.append(again)
        if len(self.launches) <= self.refusals:
            raise TransientError("not yet")
        return Started(os.getpid(), started_at(os.getpid()) or 0)

    async def prepare(self) -> None:
        """Nothing can be."""

    def close(self) -> None:
        """Nothing is open."""

    async def stop(self, _pid: int, _started_at: float, _where: object = None) -> bool:
        return True

    def alive(self, _pid: int, _started_at: float) -> bool:
        return True

    async def count_runners(self, _where: object, _labels: object = ()) -> Runners | None:
        return None

    def machine(self) -> Machine:
        return Machine()

    def pressure(self) -> Sample | None:
        return None

    async def launch(self, number: int) -> RunnerLaunch:
        """The attempt of that number, once the app wants it."""

        async def found() -> RunnerLaunch | None:
            return self.launches[number] if len(self.launches) > number else None

        return await until(found)
