"""A backend as a remote machine would be: it starts runners, each on a disk of its own, but cannot end them or see them dead."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.backends.backend import Runners, Started
from app.planning.capacity import Machine, Sample
from shared.messages import RunnerLaunch
from shared.process import end_tree, environment, started_at


@dataclass
class FarMachines:
    """`runners` by attempt; their logs lie in `folder`. Disks of `disk_mib` are file systems of their own."""

    folder: Path
    environment: Mapping[str, str]
    disk_mib: int | None = None
    runners: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    async def start(self, launch: RunnerLaunch, _where: object = None, _labels: object = (), *, again: bool = True) -> Started:
        del again
        own = self.folder / launch.attempt_id
        own.mkdir(parents=True)
        with self._log(launch.attempt_id).open("wb") as log:
            child = subprocess.Popen(
                [*self._disk(own), sys.executable, "-I", "-m", "runner"],
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

    async def prepare(self) -> None:
        """Nothing can be."""

    def close(self) -> None:
        """Nothing is open."""

    async def stop(self, pid: int, started_at: float, _where: object = None) -> bool:
        """Asked, but who knows?"""
        return False

    def alive(self, pid: int, started_at: float) -> bool:
        """As far as can be told from here."""
        return True

    async def count_runners(self, _where: object, _labels: object = ()) -> Runners | None:
        return None

    def machine(self) -> Machine:
        return Machine()

    def pressure(self) -> Sample | None:
        return None

    async def exit_code(self, attempt_id: str) -> int:
        """How a runner ended by itself."""
        return await asyncio.to_thread(self.runners[attempt_id].wait)

    def log(self, attempt_id: str) -> str:
        return self._log(attempt_id).read_text()

    def _log(self, attempt_id: str) -> Path:
        return self.folder / f"{attempt_id}.log"

    def _disk(self, folder: Path) -> list[str]:
        """A command that mounts a small disk for itself and what it starts, seen by nobody else; it needs no rights where
        user namespaces are allowed, which the sandbox needs too."""
        if self.disk_mib is None:
            return []
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        mount = 'mount -t tmpfs -o "size=$1m" none "$2"; shift 2; exec "$@"'
        return ["unshare", *user, "--mount", "sh", "-ec", mount, "disk", str(self.disk_mib), str(folder)]


@asynccontextmanager
async def far_machines(
    folder: Path, environment: Mapping[str, str] | None = None, disk_mib: int | None = None
) -> AsyncIterator[FarMachines]:
    """Switched off at the end, with whatever still runs or sleeps there."""
    machines = FarMachines(folder, environment or {}, disk_mib)
    try:
        yield machines
    finally:
        for child in machines.runners.values():
            if child.poll() is None:
                end_tree(child.pid)
            child.wait()
