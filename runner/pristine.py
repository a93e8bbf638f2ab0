"""Takes back all that was done to a checkout since it was proven pristine: found by time of change, which nobody can forge."""

import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from shared.process import environment, run

_FOLDER_MODE = 0o755


def clear_touched(root: Path, since_ns: int) -> None:
    """Removes every file changed since then and every `.git`; raises OSError for what cannot be taken back so.

    No user can set a file's time of change (ctime), and a second link, another mode or an attribute sets it too.
    """
    folders = [root]
    while folders:
        folder = folders.pop()
        _mend(folder, since_ns)
        for entry in _entries(folder):
            if entry.name == ".git":  # git itself never looks at one, so it would outlive every cleaning
                remove(Path(entry.path))
            elif entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.stat(follow_symlinks=False).st_ctime_ns >= since_ns:
                Path(entry.path).unlink()


def _mend(folder: Path, since_ns: int) -> None:
    status = folder.lstat()
    if status.st_ctime_ns < since_ns:
        return
    if stat.S_IMODE(status.st_mode) != _FOLDER_MODE:
        folder.chmod(_FOLDER_MODE)
    if odd := [name for name in os.listxattr(folder) if not name.startswith("security.")]:
        raise OSError(f"{folder} has attributes: {', '.join(odd)}")


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        yield from entries


def remove(path: Path) -> None:
    """Also folders whose owner took the right to write away, and deeper ones than Python can walk; raises OSError when it stays."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    with suppress(OSError, RecursionError):
        shutil.rmtree(path)
        return
    for argv in (["chmod", "-R", "u+rwX", "--", str(path)], ["rm", "-rf", "--", str(path)]):
        run(argv, cwd=Path("/"), env=environment())
    if path.exists():
        raise OSError(f"{path} cannot be removed")


def throw_away(work_dir: Path, path: Path) -> None:
    """Takes `path` out of use at once, then removes it; what cannot be removed is left in `trash` for the reaper."""
    place = work_dir / "trash" / uuid.uuid4().hex
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.rename(place)
        with suppress(OSError):
            remove(place)
