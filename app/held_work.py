"""The folder of bundles and diffs that wait to be published: outside the database, readable by this user only."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from shared.messages import HELD_LIMIT, PIECE_LIMIT

Part = Literal["bundle", "diff"]
PARTS: tuple[Part, ...] = ("bundle", "diff")
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


@dataclass(frozen=True, slots=True)
class Found:
    """One piece of work that lies there."""

    attempt: str
    bytes: int
    since: datetime


@dataclass(frozen=True, slots=True)
class HeldFolder:
    """`attempt` is always the id of an attempt that the caller found in the database: it never comes from outside unproven."""

    path: Path

    def take(self, attempt: str, part: Part, offset: int, data: bytes) -> int:
        """Puts a piece where it belongs; how much is there then. A gap is not filled: the sender goes on from the answer."""
        if self._file(attempt, part).exists():
            return self._file(attempt, part).stat().st_size  # complete, and only its last answer was lost
        self.path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        handle = os.open(self._growing(attempt, part), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE)
        with os.fdopen(handle, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if offset > size or offset + len(data) > HELD_LIMIT:
                return size
            file.seek(offset)
            file.write(data)
            file.truncate()
            return offset + len(data)

    def keep(self, attempt: str, part: Part, sha256: str) -> int | None:
        """Durable from now on, with its size; None when it is not what was announced, and must be handed over again."""
        complete, growing = self._file(attempt, part), self._growing(attempt, part)
        if not complete.exists():
            if not growing.exists() or _sha256(growing) != sha256:
                growing.unlink(missing_ok=True)
                return None
            _sync(growing)
            growing.replace(complete)
            _sync(self.path)
        return complete.stat().st_size if _sha256(complete) == sha256 else None

    def read(self, attempt: str, offset: int) -> bytes | None:
        """A piece of the bundle; None when there is no bundle."""
        try:
            with self._file(attempt, "bundle").open("rb") as file:
                file.seek(offset)
                return file.read(PIECE_LIMIT)
        except FileNotFoundError:
            return None

    def diff(self, attempt: str) -> Path | None:
        """Where its diff is, for people."""
        found = self._file(attempt, "diff")
        return found if found.is_file() else None

    def drop(self, attempt: str) -> None:
        """Removes all of it; nothing there is no error."""
        for part in PARTS:
            self._file(attempt, part).unlink(missing_ok=True)
            self._growing(attempt, part).unlink(missing_ok=True)

    def listing(self) -> list[Found]:
        """Every bundle, the oldest first."""
        return sorted((_found(file) for file in self.path.glob("*.bundle")), key=lambda one: one.since)

    def attempts(self) -> set[str]:
        """Whose files are there, complete or not."""
        return {name.partition(".")[0] for name in self._names()}

    def problem(self) -> str:
        """What lets others read it, with the command that mends it; empty: nothing."""
        if not self.path.exists():
            return ""
        wrong = [place for place in (self.path, *self.path.iterdir()) if stat.S_IMODE(place.lstat().st_mode) & 0o077]
        return f"chmod -R go-rwx {self.path}" if wrong else ""

    def _names(self) -> Iterator[str]:
        with suppress(FileNotFoundError):
            yield from (file.name for file in self.path.iterdir())

    def _file(self, attempt: str, part: Part) -> Path:
        return self.path / f"{attempt}.{part}"

    def _growing(self, attempt: str, part: Part) -> Path:
        return self.path / f"{attempt}.{part}.part"


def _found(file: Path) -> Found:
    status = file.stat()
    return Found(file.stem, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
