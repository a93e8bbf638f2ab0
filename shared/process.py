"""The one way to run and to end a command with its whole tree."""

import os
import resource
import select
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
_CHUNK = 64 * 1024


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
    """Ends a process and all its descendants, also those in their own sessions: TERM, then KILL after the grace.

    Collects nobody's exit status: that is left to the parent.
    """
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
    alive = _still_alive(tree, grace_seconds)
    for process in {*alive, *(child for survivor in alive for child in _descendants(survivor))}:
        with suppress(psutil.Error):
            process.kill()
    _still_alive(alive, grace_seconds)


def _still_alive(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those of them that have not ended after at most so long; not `psutil.wait_procs`, which takes our children's status away."""
    deadline = time.monotonic() + seconds
    while alive := [process for process in processes if _lives(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return alive


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _descendants(root: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return root.children(recursive=True)
    return []


def _ended_within(pid: int, seconds: float) -> bool:
    """Whether our child has ended, waiting at most so long; it is left for `wait4` to collect."""
    if sys.platform == "linux":
        handle = os.pidfd_open(pid)
        try:
            return bool(select.select([handle], [], [], seconds)[0])
        finally:
            os.close(handle)
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


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
    cpu_seconds: float = 0
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
        code = self._reap(child)
        reader.join(timeout=1)  # an escaped grandchild may hold the pipe for ever
        if reason == "exited" and code < 0:
            reason = "signalled"
        cpu_seconds = max(self.cpu_seconds, sum(self.cpu.values()))
        return Ended(reason, code, time.monotonic() - begun, "\n".join(self.tail), cpu_seconds, self.peak_mib)

    def _reap(self, child: "subprocess.Popen[bytes]") -> int:
        """The exit code; the kernel's own count sees what lived and died between two samples."""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        # Between fork and exec a child counts as large as we are, so a smaller figure says nothing about it.
        if usage.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
            self.peak_mib = max(self.peak_mib, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024))
        return child.returncode

    def _watch(self, child: "subprocess.Popen[bytes]", begun: float) -> EndReason:
        next_sample = begun
        while True:
            if _ended_within(child.pid, 0.1):
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
        """By chunks, since a command may print millions of tiny lines; an unfinished line waits for its rest, within bounds."""
        rest = b""
        with pipe, open(self.log or os.devnull, "ab", buffering=0) as sink:  # noqa: PTH123
            while chunk := os.read(pipe.fileno(), _CHUNK):
                self.last_output = time.monotonic()
                self.read_bytes += len(chunk)
                if self.limits.output_bytes is not None and self.read_bytes > self.limits.output_bytes:
                    continue  # drained, so that the child meets its end by us and not by a full pipe
                with suppress(OSError):  # a full disk takes the log, not the last lines: they say that it is full
                    sink.write(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LINE_LIMIT:
                    lines, rest = [*lines, rest], b""
                self._take(lines)
            self._take([rest] if rest else [])

    def _take(self, lines: list[bytes]) -> None:
        for line in lines if self.on_line else lines[-_TAIL_LINES:]:
            text = line[:_LINE_LIMIT].decode(errors="replace").rstrip("\r")
            self.tail.append(text)
            if self.on_line:
                self.on_line(text)

    def _write(self, pipe: IO[bytes]) -> None:
        with suppress(BrokenPipeError, OSError), pipe:
            pipe.write(self.stdin)
