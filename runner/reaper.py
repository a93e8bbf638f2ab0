"""Disk hygiene: what ended goes when it is pushed or rescued, never by age alone; under the locks that live attempts hold."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from runner import pool, pristine, rescue, sandbox, worktree
from runner.endings import Interrupted
from runner.folder import About, TaskFolder, lock
from runner.phase import Work
from runner.worktree import Desk
from shared.errors import FatalError
from shared.models import VerdictName

_TASKS, _BASELINES, _LOGS, _MIRRORS = timedelta(days=14), timedelta(days=30), timedelta(days=30), timedelta(days=60)
_BETWEEN = timedelta(hours=1)
_MOST = 20  # tasks per call: whoever started this runner waits for its end
_log = structlog.get_logger()


def clear_up(work: Work) -> None:
    """After the app knows the verdict: the checkout goes to the pool, all else that is big goes; nothing that can be resumed.

    State, plan, logs and prompts stay until `reap`.
    """
    verdict, folder = work.state.verdict, work.folder
    if verdict is None or (verdict.name is not VerdictName.SUCCEEDED and work.state.fits(work.brief)):
        return
    if sandbox.too_weak(work.brief.isolation, work.sandbox):  # what an earlier attempt left waits for a sandbox again
        return
    try:
        rescue.keep(work)
        pool.give_back(folder)
        for path in folder.root.iterdir():
            if path not in {folder.state, folder.plan, folder.prompts, folder.logs}:
                pristine.remove(path)
    except (OSError, Interrupted) as error:  # the verdict stands; `reap` does it later
        _log.warning("the task's folder is not cleared up", folder=str(folder.root), why=repr(error))


def reap_now_and_then(work_dir: Path, now: datetime, stop: threading.Event) -> None:
    """What every runner does last: `reap`, unless another one is at it or was within the hour."""
    guard = work_dir / "reaper.lock"
    with _locked(guard) as ours:
        if ours and _old([guard], now - _BETWEEN):
            os.utime(guard)
            reap(work_dir, now, stop)


def reap(work_dir: Path, now: datetime, stop: threading.Event | None = None) -> list[str]:
    """Removes what ended long ago, as far as nobody holds it and nothing is lost by it; what was removed, for people."""
    tasks = _tasks(work_dir, now, stop or threading.Event())
    told = [*tasks, *_baselines(work_dir, now), *_logs(work_dir, now), *_mirrors(work_dir, now)]
    for left in (*(work_dir / "trash").glob("*"), *_old(work_dir.glob("probe-*"), now - timedelta(days=1))):
        with suppress(OSError):
            pristine.remove(left)
    for line in told:
        _log.info("reaped", what=line)
    return told


def _tasks(work_dir: Path, now: datetime, stop: threading.Event) -> Iterator[str]:
    folders = [path for path in (work_dir / "tasks").glob("*/*") if path.is_dir() and path.parent.name.isdigit()]
    for root in _old(folders, now - _TASKS)[:_MOST]:
        if stop.is_set():
            return
        folder = TaskFolder(work_dir, int(root.parent.name), root.name)
        with _locked(folder.lock) as ours:
            if ours and _old([root], now - _TASKS) and _reap_task(folder, stop):
                folder.lock.unlink(missing_ok=True)
                yield f"task {root.parent.name}/{root.name}"


def _reap_task(folder: TaskFolder, stop: threading.Event) -> bool:
    sandbox.end_leftovers(folder.home, folder.check_home)
    try:
        rescue.settle(folder, lambda about: _desk(folder, about, stop))
        pristine.remove(folder.root)
    except (FatalError, OSError) as error:
        _log.warning("task cannot be reaped", folder=str(folder.root), why=str(error))
        return False
    return True


def _desk(folder: TaskFolder, about: About, stop: threading.Event) -> Desk:
    """In a sandbox as strong as the one that the work was done in; raises FatalError where there is none any more."""
    key = folder.key.read_text(encoding="utf-8") if folder.key.exists() else ""
    chosen = sandbox.choose(about.isolation, key, folder.work_dir)
    if why := sandbox.too_weak(about.isolation, chosen):
        raise FatalError(why)
    return worktree.own_desk(folder, chosen, about, stop)


def _baselines(work_dir: Path, now: datetime) -> Iterator[str]:
    for kept in _old((work_dir / "baselines").glob("*.json"), now - _BASELINES):
        guard = kept.with_suffix(".lock")
        with _locked(guard) as ours:
            if ours:
                kept.unlink(missing_ok=True)
                guard.unlink(missing_ok=True)
                yield f"baseline {kept.stem}"


def _logs(work_dir: Path, now: datetime) -> Iterator[str]:
    """Of runners that the local backend started; one that is at work writes to its own."""
    for log in _old((work_dir / "logs").glob("*.log"), now - _LOGS):
        log.unlink(missing_ok=True)
        yield f"log {log.stem}"


def _mirrors(work_dir: Path, now: datetime) -> Iterator[str]:
    """Not while a task or rescued work may need its commits."""
    for mirror in _old((work_dir / "mirrors").glob("*.git"), now - _MIRRORS):
        guard = mirror.with_suffix(".lock")
        with _locked(guard) as ours:
            needed = [*(work_dir / "tasks" / mirror.stem).glob("*/"), *(work_dir / "rescued").glob(f"{mirror.stem}-*")]
            if ours and not [path for path in needed if path.is_dir()]:
                for gone in (mirror, work_dir / "pool" / mirror.stem):
                    pristine.throw_away(work_dir, gone)
                guard.unlink(missing_ok=True)
                yield f"mirror {mirror.stem}"


def _old(paths: Iterable[Path], before: datetime) -> list[Path]:
    """Those that nothing was written to since then, the oldest first; a folder's own time counts, and that of its state."""
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            times = [path.stat().st_mtime, *(other.stat().st_mtime for other in (path / "state.json",) if other.exists())]
            found.append((max(times), path))
    return [path for when, path in sorted(found) if datetime.fromtimestamp(when, UTC) < before]


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether we got the lock at once: whoever holds it is at work."""
    handle = lock(path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            os.close(handle)
