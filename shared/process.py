"""The one way to run a command: with an environment of its own, within limits, and with nothing left alive afterwards."""

import errno
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Literal

from shared.cgroup import Group, own_group
from shared.job import JOB
from shared.monitor import Monitor
from shared.output import Output
from shared.tree import MARK, collect, end_tree, end_trees, is_alive, marked, started_at

__all__ = ["EndReason", "Ended", "Limits", "end_tree", "environment", "is_alive", "run", "started_at"]

EndReason = Literal[
    "exited",  # by itself
    "signalled",  # by a signal that was not ours
    "timeout",
    "inactive",
    "output_limit",
    "memory_limit",  # by the watchdog or by the kernel
    "disk_limit",
    "stopped",  # from outside
    "lingered",  # it had given its result and did not go away
    "cut",  # its budget was spent
]

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
    JOB,
)
_TICK = 0.2
# How soon the disk is looked at again: nothing fills one faster than this.
_DISK_MIB_PER_SECOND = 4096
_LONGEST_DISK_PAUSE = 1.0
_GRACE_SECONDS = 1.0  # with the second that killing may take, a tree is gone within two of its limit
_STRAY_GRACE_SECONDS = 0.5


@dataclass(frozen=True)
class Limits:
    """What a command may use; None is unlimited.

    Memory counts the resident pages of the whole tree. No RLIMIT stands for it: the claude program maps 72 GB to use 0.2.
    """

    seconds: float | None = None
    inactive_seconds: float | None = None
    output_bytes: int | None = 64 * 1024 * 1024
    memory_mib: int | None = None
    free_disk_mib: int | None = None
    linger_seconds: float = 5
    log_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it used; `tail` holds its last lines, stdout and stderr together."""

    reason: EndReason
    exit_code: int
    seconds: float
    tail: str
    cpu_seconds: float
    peak_memory_mib: float
    memory_mib: float = 0
    read_bytes: int = 0
    written_bytes: int = 0
    output_bytes: int = 0
    # What it had left running when it ended by itself, and we ended.
    strays: int = 0

    @property
    def ok(self) -> bool:
        """It ended by itself and said that all is well, or it had given its result before we ended it."""
        return self.reason == "lingered" or (self.reason == "exited" and self.exit_code == 0)


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
    finished: threading.Event | None = None,
    cut: threading.Event | None = None,
    disks: Sequence[Path] = (),
) -> Ended:
    """Runs `argv` in its own session until it ends, a limit is hit or `stop` is set; then nothing of its tree is alive.

    Output goes line by line (cut at 1 MiB) to `on_line` and, head and tail, to the file `log`, which must be this command's
    alone while it runs; it is never held in memory. What `on_line` raises ends the command and is raised here.
    `finished` says that it has given its result and shall end by itself soon; `cut` ends it at once.
    `limits.free_disk_mib` is asked of the file systems of `disks` (none named: of `cwd`) and of the log.
    Raises FileNotFoundError or PermissionError when the program cannot be started.
    """
    never = threading.Event()
    places = (*(disks or (cwd,)), *((log.parent,) if log else ()))
    signals = _Signals(stop or never, finished or never, cut or never)
    return _Run(argv, cwd, env, stdin, limits or Limits(), log, on_line, signals, places).wait()


@dataclass(frozen=True)
class _Signals:
    stop: threading.Event
    finished: threading.Event
    cut: threading.Event


@dataclass
class _Run:
    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stdin: bytes
    limits: Limits
    log: Path | None
    on_line: Callable[[str], None] | None
    signals: _Signals
    disks: Sequence[Path]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    begun: float = field(default_factory=time.monotonic)
    finished_at: float | None = None
    disk_due: float = 0
    free_mib: float = 0

    def wait(self) -> Ended:
        with own_group(self.limits.memory_mib) as group:
            child = self._start(group)
            limits = self.limits
            output = Output(_pipe(child.stdout), limits.output_bytes, self.log, limits.log_bytes, self.on_line)
            threading.Thread(target=_write, args=(_pipe(child.stdin), self.stdin), daemon=True, name="stdin").start()
            monitor = Monitor(child.pid, limit_mib=limits.memory_mib)
            reason = self._watch(child.pid, output, monitor)
            strays = self._end_all(child.pid, reason, group)
            _, status, used = os.wait4(child.pid, 0)
            code = child.returncode = os.waitstatus_to_exitcode(status)
            output.end()
            if reason == "exited" and output.is_too_much:  # it was faster than our look
                reason = "output_limit"
            if group and reason == "exited" and code != 0 and group.ran_out_of_memory:
                reason = "memory_limit"
            use = monitor.use(used, kernel_peak_mib=group.peak_mib if group else 0)
        if output.error is not None:
            raise output.error
        if reason == "exited" and code < 0:
            reason = "signalled"
        return Ended(reason, code, time.monotonic() - self.begun, output.tail, *use, output_bytes=output.count, strays=strays)

    def _start(self, group: Group | None) -> "subprocess.Popen[bytes]":
        argv = list(self.argv)
        if group:
            _check_program(argv[0], self.cwd, self.env)
            argv = group.entering(argv)
        # Ours too, and before it starts: a child that has become another user already would not let us.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return subprocess.Popen(
            argv,
            cwd=self.cwd,
            env={**self.env, MARK: self.mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _watch(self, pid: int, output: Output, monitor: Monitor) -> EndReason:
        with _waiting_for(pid) as ended_within:
            while not ended_within(_TICK):
                monitor.look()
                if hit := self._limit_hit(time.monotonic(), output, monitor):
                    return hit
        return "exited"

    def _limit_hit(self, now: float, output: Output, monitor: Monitor) -> EndReason | None:
        limits, signals = self.limits, self.signals
        if signals.finished.is_set() and self.finished_at is None:
            self.finished_at = now
        hits: dict[EndReason, bool] = {
            "stopped": signals.stop.is_set() or output.error is not None,
            "cut": signals.cut.is_set(),
            "lingered": self.finished_at is not None and now - self.finished_at > limits.linger_seconds,
            "timeout": limits.seconds is not None and now - self.begun > limits.seconds,
            "inactive": limits.inactive_seconds is not None and now - output.last > limits.inactive_seconds,
            "output_limit": output.is_too_much,
            "memory_limit": limits.memory_mib is not None and monitor.peak_mib > limits.memory_mib,
            "disk_limit": limits.free_disk_mib is not None and self._free_mib(now, limits.free_disk_mib) < limits.free_disk_mib,
        }
        return next((reason for reason, is_hit in hits.items() if is_hit), None)

    def _free_mib(self, now: float, least: float) -> float:
        if now >= self.disk_due:
            self.free_mib = min((_free_bytes(place) for place in self.disks), default=0) / 2**20
            self.disk_due = now + min((self.free_mib - least) / _DISK_MIB_PER_SECOND, _LONGEST_DISK_PAUSE)
        return self.free_mib

    def _end_all(self, pid: int, reason: EndReason, group: Group | None) -> int:
        """Of a command that ended by itself what it left behind, and how many that were; else all of it, wherever it went."""
        strays = self._strays(pid)
        left = len(strays) if reason == "exited" else 0
        end_trees(strays if reason == "exited" else [pid, *strays], _STRAY_GRACE_SECONDS if reason == "exited" else _GRACE_SECONDS)
        if reason != "exited":
            end_trees(late := self._strays(pid), 0)
            strays += late
        collect(strays)
        if group:
            group.end()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # its own group, also where they hide their environment
        return left

    def _strays(self, pid: int) -> list[int]:
        return [stray for stray in marked(self.mark) if stray != pid]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("a command is always started with pipes")
    return pipe


def _write(pipe: IO[bytes], data: bytes) -> None:
    with suppress(OSError), pipe:  # it need not read what we say
        pipe.write(data)


def _free_bytes(place: Path) -> float:
    """A place that the command took away has no file system that could be full."""
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return float("inf")


def _check_program(program: str, cwd: Path, env: Mapping[str, str]) -> None:
    """What Popen would have raised, had there been no shell between us and the program."""
    place = str(cwd / program) if "/" in program else program
    if shutil.which(place, path=env.get("PATH")) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)


@contextmanager
def _waiting_for(pid: int) -> Iterator[Callable[[float], bool]]:
    """Whether our child has ended, waiting at most so many seconds; it is left for `wait4` to collect."""
    if sys.platform != "linux":
        yield partial(_ended_within, pid)
        return
    handle = os.pidfd_open(pid)
    try:
        yield lambda seconds: bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def _ended_within(pid: int, seconds: float) -> bool:
    """Where the kernel has no handle for a process."""
    deadline = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
