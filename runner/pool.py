"""Checkouts that tasks of one repository hand on: one rename takes an entry and one gives it back, so it is never in two places.

An entry is a task's `checkout` folder: both trees, our indexes of them, and the key of the sandbox's user whose files they are.
Only pristine.py and the proof in worktree.py decide whether what is in it may be used again.
"""

import uuid
from contextlib import suppress
from pathlib import Path

import structlog

from runner import pristine
from runner.folder import TaskFolder

_MOST = 8  # entries kept per repository
_log = structlog.get_logger()


def take(folder: TaskFolder) -> str:
    """The key of this task's checkout: the one that it has, else the one given back last, else a new one. The task must be held."""
    if found := _key(folder):
        return found
    if folder.checkout.exists():  # made by a process that was killed before it could name it
        pristine.throw_away(folder.work_dir, folder.checkout)
    for entry in sorted(_entries(folder), key=_given_back, reverse=True):
        with suppress(OSError):  # a sibling was faster
            entry.rename(folder.checkout)
            if found := _key(folder):
                _log.info("checkout from the pool", entry=entry.name)
                return found
            pristine.throw_away(folder.work_dir, folder.checkout)
    return renew(folder, f"{folder.repository_id}/{uuid.uuid4().hex}")


def renew(folder: TaskFolder, key: str) -> str:
    """An empty checkout under this key; whatever was there is thrown away."""
    pristine.throw_away(folder.work_dir, folder.checkout)
    folder.checkout.mkdir(parents=True)
    folder.key.write_text(key, encoding="utf-8")
    return key


def give_back(folder: TaskFolder) -> None:
    """Hands the checkout on; whoever calls this knows that its work is pushed or rescued, and that nothing of the task runs."""
    if not (folder.checkout / "tree.pristine").exists():  # never proven: nobody could use it
        pristine.throw_away(folder.work_dir, folder.checkout)
        return
    place = _place(folder)
    place.mkdir(parents=True, exist_ok=True)
    folder.about.unlink(missing_ok=True)
    folder.checkout.touch()
    folder.checkout.rename(place / uuid.uuid4().hex)
    for entry in sorted(_entries(folder), key=_given_back, reverse=True)[_MOST:]:
        pristine.throw_away(folder.work_dir, entry)


def _place(folder: TaskFolder) -> Path:
    return folder.work_dir / "pool" / str(folder.repository_id)


def _entries(folder: TaskFolder) -> list[Path]:
    with suppress(FileNotFoundError):
        return list(_place(folder).iterdir())
    return []


def _given_back(entry: Path) -> float:
    with suppress(FileNotFoundError):
        return entry.stat().st_mtime
    return 0.0


def _key(folder: TaskFolder) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return folder.key.read_text(encoding="utf-8")
    return ""
