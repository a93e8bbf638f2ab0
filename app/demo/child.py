"""A process of the rehearsal: started in the background, its words kept in a file, ended with its whole tree."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.errors import FatalError
from shared.process import end_tree, environment

_END_SECONDS = 5.0


@dataclass
class Child:
    """Its standard input stays open as long as we live: what waits for its end notices even our kill -9."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self.process.poll() is None

    def check(self) -> None:
        """Raises with the last words when it has ended by itself."""
        if not self.alive:
            raise FatalError(f"{self.name} ended with {self.process.returncode}: {last_words(self.log)} (all of it: {self.log})")

    def kill(self) -> None:
        """kill -9 of this one process; what it started goes on."""
        self.process.send_signal(signal.SIGKILL)
        self._forget()

    def end(self) -> None:
        """Ends it, then everything that it started: told together, an app would note its runners' end as their verdict."""
        started = self._descendants()
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=_END_SECONDS)
        for process in started:
            with suppress(psutil.Error):
                process.kill()
        self.process.kill()
        self._forget()

    def _descendants(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def _forget(self) -> None:
        self.process.wait()
        if self.process.stdin:
            with suppress(BrokenPipeError):
                self.process.stdin.close()


def start(name: str, argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> Child:
    """Starts `argv` in its own session, so that Ctrl-C reaches us alone and everything is ended in order."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(argv),
            cwd=folder,
            env=environment(env),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log)


def end_strays(folder: Path) -> None:
    """Ends what works for `folder` though its parent is gone: runners outlive an app that was killed."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if _works_for(process, folder.resolve()):
                end_tree(process.pid)


def _works_for(process: psutil.Process, folder: Path) -> bool:
    """A runner by the log that it writes, its commands by where they stand; somebody's shell has a terminal, and stays."""
    if process.pid == os.getpid() or process.terminal() is not None:
        return False
    if Path(process.cwd()).is_relative_to(folder):
        return True
    return "runner" in process.cmdline() and any(Path(file.path).is_relative_to(folder) for file in process.open_files())


def last_words(log: Path, lines: int = 3) -> str:
    """The last lines that a process wrote."""
    return " / ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if log.exists() else ""
