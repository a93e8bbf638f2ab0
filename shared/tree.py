"""Processes as trees: who descends from whom, which very process a number means, and how to end them all."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

# In the environment of every command that `run` starts, with a value of its own: what left the tree is known by it.
MARK = "RUN_BY_SHOAL"
_HAS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()
_KILL_SECONDS = 1.0


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


def descendants(pid: int) -> list[int]:
    """All below a process, parents before children; it costs by the size of the tree, not of the machine."""
    if not _HAS_CHILDREN:
        with suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        return []
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found[1:]


def marked(mark: str, variable: str = MARK) -> list[int]:
    """Every process of this machine that a command with this mark left, wherever it hides."""
    wanted = f"{variable}={mark}"
    return [pid for pid in psutil.pids() if pid != os.getpid() and wanted in _environment_of(pid)]


def end_tree(pid: int, grace_seconds: float = 1.0) -> None:
    """Ends a process and all its descendants, also those in their own sessions: TERM, then KILL after the grace.

    Its own exit status is left to its parent; descendants that became our children are collected.
    """
    end_trees([pid], grace_seconds)


def end_trees(pids: Iterable[int], grace_seconds: float = 1.0) -> None:
    """Ends several at once, with one grace for all; at most a second later even those that ignored it are gone."""
    roots = list(pids)
    # Listed before the first signal: an orphan's parent is init, and nobody would find it.
    below = [pid for root in roots for pid in descendants(root)]
    tree = set(_processes([*below, *roots]))
    for process in tree:
        with suppress(psutil.Error):
            process.terminate()
            process.resume() if process.status() == psutil.STATUS_STOPPED else None
    tree |= _kill(_still_alive(tree, grace_seconds))
    collect({process.pid for process in tree} - set(roots))


def collect(pids: Iterable[int]) -> None:
    """Takes the exit status of those that became our children when their parents died: nobody else asks for it."""
    for pid in pids:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _kill(alive: set[psutil.Process]) -> set[psutil.Process]:
    """Again and again, since one that is not yet dead may have forked once more."""
    tree = set(alive)
    deadline = time.monotonic() + _KILL_SECONDS
    while alive and time.monotonic() < deadline:
        tree |= {child for process in alive for child in _processes(descendants(process.pid))}
        for process in tree:
            with suppress(psutil.Error):
                process.kill()
        alive = _still_alive(tree, 0.05)
    return tree


def _still_alive(processes: set[psutil.Process], seconds: float) -> set[psutil.Process]:
    """Those that have not ended after at most so long; not `psutil.wait_procs`, which takes our children's status away."""
    deadline = time.monotonic() + seconds
    while alive := {process for process in processes if _lives(process)}:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return alive


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _processes(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with suppress(psutil.Error):
            yield psutil.Process(pid)


def _children(pid: int) -> list[int]:
    """Of each of its threads: any of them may have forked."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 five times a second: a Path per thread is half the cost
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb", buffering=0) as file:  # noqa: PTH123 the same
                found += map(int, file.read().split())
    return found


def _environment_of(pid: int) -> set[str]:
    with suppress(psutil.Error, OSError):
        if _HAS_CHILDREN:
            return set(Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0"))
        return {f"{name}={value}" for name, value in psutil.Process(pid).environ().items()}
    return set()
