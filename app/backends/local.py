"""Runners as processes of this machine: they survive the app, and are ended with their whole tree."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO

from app.backends.ahead import Ahead
from app.backends.backend import Runners, Started
from app.facts.capacity import read_machine, read_pressure
from app.github.repository import RepositoryClient
from app.planning.capacity import Machine, Sample
from shared import process
from shared.errors import UserError
from shared.messages import RunnerLaunch

_LOG_LIMIT = 16 * 2**20
# So long a successor waits for a runner that clears up: usually it takes a fraction of that.
_CLEARING_SECONDS = 2.0
# Handed on to runners where no file of keys is named; their agents' environments are built from nothing.
_MODEL_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "GEMINI_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
)


class LocalBackend:
    """Starts `python -I -m runner` in a session of its own; what a killed app had started is known by pid and start time."""

    def __init__(
        self, work_dir: Path, memory_reserve_mib: float, *, slots: int = 0, ahead: int = 0, keys_in_file: bool = False
    ) -> None:
        self._logs = work_dir / "logs"
        self._reserve_mib = memory_reserve_mib
        self._keys_in_file = keys_in_file
        self._most = max(slots, 2 * ahead)  # processes, those that wait and those that clear up among them; 0: any number
        self._at_work: set[subprocess.Popen[bytes]] = set()
        self._starting = 0
        self._changed = threading.Condition()  # nobody who holds it asks `_ahead`, which asks for room
        self._ahead = Ahead(ahead, partial(self._spawn, subprocess.DEVNULL, with_model_variables=not keys_in_file), self._room)

    async def prepare(self) -> None:
        """Has runners ready that only wait for their launch line: starting Python and importing takes longer than all the rest."""
        await asyncio.to_thread(self._ahead.fill)

    def close(self) -> None:
        """Those that wait end; those that work go on."""
        self._ahead.close()

    async def start(
        self, launch: RunnerLaunch, _where: RepositoryClient | None = None, _labels: Sequence[str] = (), *, again: bool = True
    ) -> Started:
        """The secret goes through the pipe, once; it is in no argument, environment or file.

        Also when it is called again: with the new secret an earlier process can claim nothing.
        """
        del again
        return await asyncio.to_thread(self._start, launch)

    def _start(self, launch: RunnerLaunch) -> Started:
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{launch.attempt_id}.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.unlink()
        fits = bool(launch.model_keys) == self._keys_in_file
        ready = self._ahead.take() if fits else None
        if ready is not None and (started := self._tell(ready, launch.model_copy(update={"log": str(log.resolve())}))):
            return started
        with self._place(), log.open("ab") as output:
            child = self._spawn(output, with_model_variables=not launch.model_keys)
            if started := self._tell(child, launch):
                return started
        raise UserError(f"the runner ended at once, see {log}")

    @contextmanager
    def _place(self) -> Iterator[None]:
        """For one more process, free or waited for: a runner whose verdict is known lives on for a moment, and holds memory."""
        with self._changed:
            self._changed.wait_for(lambda: not self._most or self._alive() < self._most, _CLEARING_SECONDS)
            self._starting += 1
        try:
            yield
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()

    def _alive(self) -> int:
        """Those at work, and those that are just being started."""
        return self._starting + len(self._at_work)

    def _room(self) -> int:
        """How many more there may be."""
        with self._changed:
            return self._most - self._alive()

    def _spawn(self, output: int | IO[bytes], *, with_model_variables: bool) -> "subprocess.Popen[bytes]":
        # -I: a checkout in the current directory must not be able to shadow our packages.
        child = subprocess.Popen(
            [sys.executable, "-I", "-m", "runner"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=process.environment(_model_variables() if with_model_variables else {}),
            start_new_session=True,
        )
        # Waited for from the first moment on, so that none stays a zombie; those of an app that died are init's.
        threading.Thread(target=self._reap, args=(child,), daemon=True, name=f"reaper-{child.pid}").start()
        return child

    def _tell(self, child: "subprocess.Popen[bytes]", launch: RunnerLaunch) -> Started | None:
        """None when it has ended already."""
        started = process.started_at(child.pid)
        try:
            with child.stdin or nullcontext() as pipe:  # to be closed also when it is dead
                if started is None or pipe is None:
                    return None
                pipe.write(launch.model_dump_json().encode() + b"\n")
        except BrokenPipeError:
            return None
        with self._changed:
            if child.returncode is None:
                self._at_work.add(child)
        return Started(child.pid, started, socket.gethostname())

    def _reap(self, child: "subprocess.Popen[bytes]") -> None:
        child.wait()
        with self._changed:
            self._at_work.discard(child)
            self._changed.notify_all()

    async def stop(self, pid: int, started_at: float, _where: RepositoryClient | None = None) -> bool:
        """TERM, then KILL; nothing is signalled when the pid belongs to somebody else by now."""
        if process.is_alive(pid, started_at):
            await asyncio.to_thread(process.end_tree, pid)
        return not self.alive(pid, started_at)

    def alive(self, pid: int, started_at: float) -> bool:
        """A zombie is dead."""
        return process.is_alive(pid, started_at)

    async def count_runners(self, _where: RepositoryClient, _labels: Sequence[str] = ()) -> Runners | None:
        """Each is a process that is started for one attempt."""
        return None

    def machine(self) -> Machine:
        """What the kernel says can be used, less the operator's reserve."""
        return read_machine(self._reserve_mib)

    def pressure(self) -> Sample | None:
        """Of this machine, whoever causes it."""
        return read_pressure()


def _model_variables() -> dict[str, str]:
    return {name: os.environ[name] for name in _MODEL_VARIABLES if name in os.environ}
