"""What one command sees of this machine: values that the sandbox turns into mounts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Bind(NamedTuple):
    """A folder, file or Unix socket that is visible inside, at its own path unless `target` says otherwise.

    With `link` it is only a symbolic link at `target` that points to `source`; `path` is a folder that PATH needs for it.
    """

    source: Path
    writable: bool = False
    target: Path | None = None
    link: bool = False
    path: Path | None = None

    @property
    def place(self) -> Path:
        return self.target or self.source


class Room(NamedTuple):
    """What one command sees of us; everything else is the system's /usr."""

    cwd: Path
    home: Path
    binds: tuple[Bind, ...]
    network: bool = False
    env: Mapping[str, str] = {}


def path_for(binds: Sequence[Bind]) -> str:
    """PATH inside: the folders of what was brought along, then the system's."""
    brought = dict.fromkeys(str(bind.path) for bind in binds if bind.path)
    return ":".join([*brought, "/usr/local/bin", "/usr/bin", "/bin"])
