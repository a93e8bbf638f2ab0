"""The one way to run and to end a command with its whole tree."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

import psutil

EndReason = Literal["exited", "signalled", "timeout", "inactive", "output_limit", "memory_limit", "stopped"]

# What a child may see of our environment unless it is told more: no credential, no interpreter setting, no runner variable.
_ALLOWED = (
    "LANG",
    "LC_ALL",
    "TZ",
    "TERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
_TAIL_LINES = 200
_LINE_LIMIT = 4000


@dataclass(frozen=True)
class Limits:
    """What a command may use; None is unlimited. Memory counts the resident pages of the whole tree."""

    seconds: float | None = None
    inactive_seconds: float | None = None
    output_bytes: int | None = 64 * 1024 * 1024
    memory_mib: int | None = None


@dataclass(frozen=True)
class Ended:
    """How a command ended; `tail` holds its last lines, stdout and stderr together."""

    reason: EndReason
    exit_code: int
    seconds: float
    tail: str
    cpu_seconds: float
    peak_memory_mib: float

    @property
    def ok(self) -> bool:
        """It ended by itself and said that all is well."""
        return self.reason == "exited" and self.exit_code == 0


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A child's whole environment: an allow-list of ours, a PATH without our own venv, and `extra`."""
    ours = {str(Path(part)) for part in (os.environ.get("VIRTUAL_ENV", ""), sys.prefix) if part}
    path = [part for part in os.environ.get("PATH", "/usr/bin:/bin").split(":") if part and str(Path(part).parent) not in ours]
    kept = {name: os.environ[name] for name in _ALLOWED if name in os.environ}
    return {**kept, "PATH": ":".join(path) or "/usr/bin:/bin", **(extra or {})}


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    limits: Limits | None = None,
    log: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Ended:
    """Runs `argv` in its own session until it ends, a limit is hit or `stop` is set; then nothing of its tree is alive.

    Output goes line by line to `on_line` and to the file `log`, both within `limits.output_bytes`; it is never held in memory.
    Raises FileNotFoundError or PermissionError when the program cannot be started.
    """
    return _Run(argv, cwd, env, stdin, limits or Limits(), log, on_line, stop or threading.Event()).wait()


def started_at(pid: int) -> float | None:
    """A process's start time (seconds since the epoch), None when there is none: pid and start together name a process."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_alive(pid: int, start: float) -> bool:
    """Whether the very process that started then still lives."""
    found = started_at(pid)
    return found is not None and abs(found - start) < 1


def end_tree(pid: int, grace_seconds: float = 2.0) -> None:
    """Ends a process and all its descendants, also those in their own sessions: TERM, then KILL after the grace."""
    try:
        root = psutil.Process(pid)
    except psutil.Error:
        return
    # Listed before the first signal: an orphan's parent is init, and nobody would find it.
    tree = [*_descendants(root), root]
    for process in tree:
        with suppress(psutil.Error):
            process.terminate()
            process.resume() if process.status() == psutil.STATUS_STOPPED else None
    _, alive = psutil.wait_procs(tree, timeout=grace_seconds)
    for process in {*alive, *(child for survivor in alive for child in _descendants(survivor))}:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=grace_seconds)


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return root.children(recursive=True)
    return []


@dataclass
class _Run:
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stdin: bytes
    limits: Limits
    log: Path | None
    on_line: Callable[[str], None] | None
    stop: threading.Event
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    read_bytes: int = 0
    last_output: float = field(default_factory=time.monotonic)
    cpu: dict[tuple[int, float], float] = field(default_factory=dict)
    peak_mib: float = 0

    def wait(self) -> Ended:
        begun = time.monotonic()
        child = subprocess.Popen(
            list(self.argv),
            cwd=self.cwd,
            env=dict(self.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        reader = threading.Thread(target=self._read, args=(child.stdout,), daemon=True)
        writer = threading.Thread(target=self._write, args=(child.stdin,), daemon=True)
        reader.start()
        writer.start()
        reason = self._watch(child, begun)
        if reason != "exited":
            end_tree(child.pid)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # what it left behind in its own group
        code = child.wait()
        reader.join(timeout=1)  # an escaped grandchild may hold the pipe for ever
        if reason == "exited" and code < 0:
            reason = "signalled"
        return Ended(reason, code, time.monotonic() - begun, "\n".join(self.tail), sum(self.cpu.values()), self.peak_mib)

    def _watch(self, child: "subprocess.Popen[bytes]", begun: float) -> EndReason:
        pause = 0.005
        next_sample = begun
        while True:
            try:
                child.wait(timeout=pause)
            except subprocess.TimeoutExpired:
                pause = min(pause * 2, 0.1)
            else:
                return "exited"
            now = time.monotonic()
            if now >= next_sample:
                self._sample(child.pid)
                next_sample = now + 0.5
            if hit := self._limit_hit(now, begun):
                return hit

    def _limit_hit(self, now: float, begun: float) -> EndReason | None:
        limits = self.limits
        if self.stop.is_set():
            return "stopped"
        if limits.seconds is not None and now - begun > limits.seconds:
            return "timeout"
        if limits.inactive_seconds is not None and now - self.last_output > limits.inactive_seconds:
            return "inactive"
        if limits.output_bytes is not None and self.read_bytes > limits.output_bytes:
            return "output_limit"
        if limits.memory_mib is not None and self.peak_mib > limits.memory_mib:
            return "memory_limit"
        return None

    def _sample(self, pid: int) -> None:
        with suppress(psutil.Error):
            root = psutil.Process(pid)
            memory = 0
            for process in [root, *root.children(recursive=True)]:
                with suppress(psutil.Error), process.oneshot():
                    times = process.cpu_times()
                    self.cpu[process.pid, process.create_time()] = times.user + times.system
                    memory += process.memory_info().rss
            self.peak_mib = max(self.peak_mib, memory / 2**20)

    def _read(self, pipe: IO[bytes]) -> None:
        with self.log.open("ab") if self.log else open(os.devnull, "wb") as sink:  # noqa: PTH123
            while chunk := pipe.readline(_LINE_LIMIT):
                self.last_output = time.monotonic()
                self.read_bytes += len(chunk)
                if self.limits.output_bytes is not None and self.read_bytes > self.limits.output_bytes:
                    continue  # drained, so that the child meets its end by us and not by a full pipe
                sink.write(chunk)
                sink.flush()
                line = chunk.decode(errors="replace").rstrip("\r\n")
                self.tail.append(line)
                if self.on_line:
                    self.on_line(line)

    def _write(self, pipe: IO[bytes]) -> None:
        with suppress(BrokenPipeError, OSError), pipe:
            pipe.write(self.stdin)
