"""What this machine has and how hard it is pressed, as its kernel tells; of a container only what that may use."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

from app.planning.capacity import Machine, Sample

_PRESSURE = Path("/proc/pressure")
_CGROUP = Path("/sys/fs/cgroup")
# Which mean of which line: see `app.planning.capacity.MARKS`.
_LINES = {"cpu": ("some", "avg60"), "memory": ("full", "avg10"), "io": ("full", "avg10")}


def read_machine(reserve_mib: float, cgroup: Path = _CGROUP) -> Machine:
    """Memory as can be used without swapping; a limit of our own control group counts when it is tighter."""
    memory = psutil.virtual_memory()
    free, total = memory.available / 2**20, memory.total / 2**20
    limit, used = _mib(cgroup / "memory.max"), _mib(cgroup / "memory.current")
    if limit is not None and used is not None:
        free, total = min(free, limit - used), min(total, limit)
    return Machine(max(0.0, free - reserve_mib), max(0.0, total - reserve_mib), float(cores()))


def read_pressure(folder: Path = _PRESSURE) -> Sample:
    """Load per core of the whole machine; PSI where the kernel has it."""
    values = {"load": os.getloadavg()[0] / (os.cpu_count() or 1)}
    for name, (line, mean) in _LINES.items():
        with suppress(OSError, KeyError, ValueError):
            values[name] = _means((folder / name).read_text(encoding="ascii"))[line][mean]
    return Sample(values)


def cores() -> int:
    """That we may use: a container may own fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _means(text: str) -> dict[str, dict[str, float]]:
    """Of `some avg10=0.55 avg60=0.47 …` by line and name."""
    lines = [line.split() for line in text.splitlines() if line]
    return {words[0]: {name: float(value) for name, _, value in (word.partition("=") for word in words[1:])} for words in lines}


def _mib(file: Path) -> float | None:
    """None without a limit, and where there is no control group of the second version."""
    with suppress(OSError, ValueError):
        return int(file.read_text(encoding="ascii")) / 2**20
    return None
