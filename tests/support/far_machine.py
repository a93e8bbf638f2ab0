"""A backend as a remote machine would be: it starts runners, each on a disk of its own, but cannot end them or see them dead."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.backends.backend import Capacity, Started
from shared.models import RunnerLaunch
from shared.process import end_tree, environment, started_at


@dataclass
class FarMachines:
    """`runners` by attempt; their logs lie in `folder`."""

    folder: Path
    environment: Mapping[str, str]
    runners: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    async def start(self, launch: RunnerLaunch) -> Started:
        own = self.folder / launch.attempt_id
        own.mkdir(parents=True)
        with (own / "runner.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-I", "-m", "runner"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=environment(self.environment),
                start_new_session=True,
            )
        self.runners[launch.attempt_id] = child
        assert child.stdin is not None
        with child.stdin as pipe:
            pipe.write(launch.model_copy(update={"work_dir": str(own)}).model_dump_json().encode() + b"\n")
        return Started(child.pid, started_at(child.pid) or 0)

    async def stop(self, pid: int, started_at: float) -> bool:
        """Asked, but who knows?"""
        return False

    def alive(self, pid: int, started_at: float) -> bool:
        """As far as can be told from here."""
        return True

    def room(self) -> Capacity:
        return Capacity(1e6)

    async def exit_code(self, attempt_id: str) -> int:
        """How a runner ended by itself."""
        return await asyncio.to_thread(self.runners[attempt_id].wait)

    def log(self, attempt_id: str) -> str:
        return (self.folder / attempt_id / "runner.log").read_text()


@asynccontextmanager
async def far_machines(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[FarMachines]:
    """Switched off at the end, with whatever still runs or sleeps there."""
    machines = FarMachines(folder, environment)
    try:
        yield machines
    finally:
        for child in machines.runners.values():
            if child.poll() is None:
                end_tree(child.pid)
            child.wait()
