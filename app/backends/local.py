"""Runners as processes of this machine: they survive the app, and are ended with their whole tree."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from app.backends.backend import Capacity, Started
from shared import process
from shared.errors import UserError
from shared.models import RunnerLaunch

_LOG_LIMIT = 16 * 2**20


class LocalBackend:
    """Starts `python -I -m runner` in a session of its own; what a killed app had started is known by pid and start time."""

    def __init__(self, work_dir: Path, memory_reserve_mib: float) -> None:
        self._logs = work_dir / "logs"
        self._reserve_mib = memory_reserve_mib

    async def start(self, launch: RunnerLaunch) -> Started:
        """The secret goes through the pipe, once; it is in no argument, environment or file."""
        return await asyncio.to_thread(self._start, launch)

    def _start(self, launch: RunnerLaunch) -> Started:
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{launch.attempt_id}.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.unlink()
        with log.open("ab") as output:
            # -I: a checkout in the current directory must not be able to shadow our packages.
            child = subprocess.Popen(
                [sys.executable, "-I", "-m", "runner"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=process.environment(),
                start_new_session=True,
            )
        started = process.started_at(child.pid)
        if started is None or child.stdin is None:
            raise UserError(f"the runner ended at once, see {log}")
        with child.stdin as pipe:
            pipe.write(launch.model_dump_json().encode() + b"\n")
        # Waited for, so that none stays a zombie when it ends; an earlier app's are init's.
        threading.Thread(target=child.wait, daemon=True, name=f"runner {launch.attempt_id}").start()
        return Started(child.pid, started)

    async def stop(self, pid: int, started_at: float) -> bool:
        """TERM, then KILL; nothing is signalled when the pid belongs to somebody else by now."""
        if process.is_alive(pid, started_at):
            await asyncio.to_thread(process.end_tree, pid)
        return not self.alive(pid, started_at)

    def alive(self, pid: int, started_at: float) -> bool:
        """One that has ended counts as dead, also before anybody has waited for it."""
        return process.is_alive(pid, started_at)

    def room(self) -> Capacity:
        """What the kernel says can be used without swapping, less the operator's reserve."""
        return Capacity(max(0.0, psutil.virtual_memory().available / 2**20 - self._reserve_mib))
