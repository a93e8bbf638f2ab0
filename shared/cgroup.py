"""A control group (v2) of its own for one command, where this machine lets us make one.

It finds every process of the command whatever it did, and where the memory controller is delegated to us (systemd:
`Delegate=yes` with `DelegateSubgroup=`) the kernel itself keeps the memory limit. Elsewhere there is none, and the
watchdog of `shared.process` does it alone. The memory half could not be tried where this was written (memory was on v1).
"""

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

_ENTER = 'echo $$ > "$1"; shift; exec "$@"'
_EMPTY_SECONDS = 1.0


class Group(NamedTuple):
    """A folder below /sys/fs/cgroup."""

    folder: Path

    def entering(self, argv: Sequence[str]) -> list[str]:
        """The command, made to join before its program begins: nothing that it starts can be outside."""
        return ["/bin/sh", "-c", _ENTER, "sh", str(self.folder / "cgroup.procs"), *argv]

    @property
    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed something of it because the limit was reached."""
        return _numbers(self.folder / "memory.events").get("oom_kill", 0) > 0

    @property
    def peak_mib(self) -> float:
        """As the kernel counted it; 0 without the memory controller."""
        with suppress(OSError, ValueError):
            return int((self.folder / "memory.peak").read_text()) / 2**20
        return 0

    def end(self) -> None:
        """Kills whatever is still in it."""
        with suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")

    def remove(self) -> None:
        """Waits a little for the dead to be gone; what cannot be removed is empty and harms nobody."""
        deadline = time.monotonic() + _EMPTY_SECONDS
        while _numbers(self.folder / "cgroup.events").get("populated", 0) and time.monotonic() < deadline:
            time.sleep(0.01)
        with suppress(OSError):
            self.folder.rmdir()


@contextmanager
def own_group(memory_mib: int | None) -> Iterator[Group | None]:
    """For as long as a command lives; None where we may not make one."""
    group = _make(memory_mib)
    try:
        yield group
    finally:
        if group:
            group.end()
            group.remove()


def _make(memory_mib: int | None) -> Group | None:
    parents = [folder for folder in _ours() if os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)]
    if not parents:
        return None
    parent = max(parents, key=_gives_memory)
    folder = parent / f"command-{uuid.uuid4().hex[:12]}"
    try:
        folder.mkdir()
        if memory_mib is not None and _gives_memory(parent):
            (folder / "memory.max").write_text(str(memory_mib * 2**20))
            (folder / "memory.oom.group").write_text("1")
            with suppress(OSError):  # a kernel without swap accounting has no such file
                (folder / "memory.swap.max").write_text("0")
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        return None
    return Group(folder)


def _ours() -> list[Path]:
    """Our own group, and the one around it: a group that gives controllers to its children holds no process itself."""
    try:
        own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    except (OSError, StopIteration):
        return []
    roots = [Path(words[4]) for words in mounts if words[words.index("-") + 1] == "cgroup2"]
    if not roots:
        return []
    folder = roots[0] / own.lstrip("/")
    return [folder] if folder == roots[0] else [folder, folder.parent]


def _gives_memory(folder: Path) -> bool:
    with suppress(OSError):
        return "memory" in (folder / "cgroup.subtree_control").read_text().split()
    return False


def _numbers(file: Path) -> dict[str, int]:
    with suppress(OSError, ValueError):
        return {name: int(number) for name, number in (line.split() for line in file.read_text().splitlines())}
    return {}
