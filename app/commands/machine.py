"""What a measured figure belongs to: the machine and the versions of what was measured."""

import os
import platform
import time

import psutil

from shared.errors import FatalError
from shared.git import check_git

_TURNS = 300_000


def describe_machine() -> dict[str, str | int | float]:
    """Cores that we may use, memory, load, speed, system, Python and git.

    `python_ms` is what a fixed loop takes, the best of five: figures of a virtual machine whose speed changes by the hour can be
    compared by it.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        git_version = check_git()
    except FatalError:
        git_version = "missing"
    return {
        "cores": usable or 1,
        "memory_mib": round(psutil.virtual_memory().total / 2**20),
        "load_1_minute": round(os.getloadavg()[0], 2),
        "python_ms": _python_ms(),
        "os": platform.platform(),
        "python": platform.python_version(),
        "git": git_version,
    }


def _python_ms() -> float:
    best = float("inf")
    for _ in range(5):
        begun, total = time.perf_counter(), 0
        for number in range(_TURNS):
            total += number * number
        best = min(best, time.perf_counter() - begun)
    return round(best * 1000, 1)
