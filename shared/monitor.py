"""What a tree of processes uses: time, memory and disk, sampled by psutil while it runs."""

import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from shared.tree import descendants

# A tree is looked at closely while it is young, since most commands are short; then a task costs next to nothing.
_YOUNG_SECONDS = 10.0
_YOUNG_INTERVAL = 0.5
_INTERVAL = 2.0
# With a limit, the next look comes before the tree could have passed it: nothing fills memory faster than this.
_MIB_PER_SECOND = 4096
_SHORTEST, _LONGEST = 0.2, 1.0
_BLOCK = 512
_MAXRSS_BYTES = 1024 if sys.platform == "linux" else 1


class Use(NamedTuple):
    """`memory_mib` is the mean over time; shared pages count once. Network is not in it: Linux does not count it by process."""

    cpu_seconds: float = 0
    peak_memory_mib: float = 0
    memory_mib: float = 0
    read_bytes: int = 0
    written_bytes: int = 0


class Counters(NamedTuple):
    """What one process has used since it began."""

    cpu_seconds: float
    read_bytes: int
    written_bytes: int


class Monitor:
    """Of one tree. `look` is called as often as one likes and does what is due."""

    def __init__(self, pid: int, *, limit_mib: int | None) -> None:
        self._pid = pid
        self._begun = self._looked = time.monotonic()
        self._next_memory = self._next_counters = self._begun
        self._limit_mib = limit_mib
        self._known: dict[int, psutil.Process] = {}
        self._counters: dict[psutil.Process, Counters] = {}
        self._last_mib = self._mib_seconds = 0.0
        self.peak_mib = 0.0

    def look(self) -> None:
        now = time.monotonic()
        counting = now >= self._next_counters
        if not counting and (self._limit_mib is None or now < self._next_memory):
            return
        tree = self._tree()
        self._note_memory(_memory_mib(tree), now)
        headroom = (self._limit_mib or 0) - self._last_mib
        self._next_memory = now + min(max(headroom / _MIB_PER_SECOND, _SHORTEST), _LONGEST)
        if counting:
            for process in tree:
                self._count(process)
            self._next_counters = now + (_YOUNG_INTERVAL if now - self._begun < _YOUNG_SECONDS else _INTERVAL)

    def use(self, reaped: resource.struct_rusage, kernel_peak_mib: float = 0) -> Use:
        """All of it; the kernel's own count of what ended sees also what lived and died between two samples."""
        self._note_memory(self._last_mib, time.monotonic())
        counted = self._counters.values()
        # Between fork and exec a child counts as large as we are, so a smaller figure says nothing about it.
        reaped_mib = reaped.ru_maxrss * _MAXRSS_BYTES / 2**20
        if reaped_mib > _own_peak_mib():
            self.peak_mib = max(self.peak_mib, reaped_mib)
        return Use(
            max(reaped.ru_utime + reaped.ru_stime, sum(one.cpu_seconds for one in counted)),
            max(self.peak_mib, kernel_peak_mib),
            self._mib_seconds / max(self._looked - self._begun, 1e-6),
            max(reaped.ru_inblock * _BLOCK, sum(one.read_bytes for one in counted)),
            max(reaped.ru_oublock * _BLOCK, sum(one.written_bytes for one in counted)),
        )

    def _tree(self) -> list[psutil.Process]:
        pids = [self._pid, *descendants(self._pid)]
        known: dict[int, psutil.Process] = {}
        for pid in pids:
            with suppress(psutil.Error):
                known[pid] = self._known.get(pid) or psutil.Process(pid)
        self._known = known
        return list(known.values())

    def _note_memory(self, mib: float, now: float) -> None:
        self._mib_seconds += self._last_mib * (now - self._looked)
        self._looked, self._last_mib = now, mib
        self.peak_mib = max(self.peak_mib, mib)

    def _count(self, process: psutil.Process) -> None:
        with suppress(psutil.Error), process.oneshot():
            times = process.cpu_times()
            before = self._counters.get(process, Counters(0, 0, 0))
            read, written = _disk_bytes(process, before)
            self._counters[process] = Counters(times.user + times.system, read, written)


def _disk_bytes(process: psutil.Process, before: Counters) -> tuple[int, int]:
    """Of somebody else's process the kernel does not say it."""
    with suppress(psutil.AccessDenied, AttributeError):
        disk = process.io_counters()
        return disk.read_bytes, disk.write_bytes
    return before.read_bytes, before.written_bytes


def _own_peak_mib() -> float:
    """Since our program was loaded: our own `ru_maxrss` also holds the peak of whoever started us."""
    with suppress(OSError, StopIteration):
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES / 2**20


def _memory_mib(tree: list[psutil.Process]) -> float:
    """Resident pages, those that processes share (libraries, a database's buffers) once and not for each of them."""
    own = shared = 0
    for process in tree:
        with suppress(psutil.Error):
            memory = process.memory_info()
            common = getattr(memory, "shared", 0)
            own += memory.rss - common
            shared = max(shared, common)
    return (own + shared) / 2**20
