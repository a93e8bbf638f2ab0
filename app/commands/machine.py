"""What a measured figure belongs to: the machine and the versions of what was measured."""

import os
import platform

import psutil

from shared.errors import FatalError
from shared.git import check_git


def describe_machine() -> dict[str, str | int | float]:
    """Cores that we may use, memory, system, Python and git."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        git_version = check_git()
    except FatalError:
        git_version = "missing"
    return {
        "cores": usable or 1,
        "memory_mib": round(psutil.virtual_memory().total / 2**20),
        "load_1_minute": round(os.getloadavg()[0], 2),
        "os": platform.platform(),
        "python": platform.python_version(),
        "git": git_version,
    }
