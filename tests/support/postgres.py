"""A Postgres of the tests' own: a cluster in a temporary folder, on a Unix socket, that forgets everything at the end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg

_NUMBERS = count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server; `stop` and `start` let a story take it away for a while."""

    folder: Path
    programs: Path

    def database(self) -> str:
        """The address of a fresh, empty database."""
        name = f"shoal_{next(_NUMBERS)}"
        with psycopg.connect(f"host={self.folder} user=shoal dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://shoal@/{name}?host={self.folder}"

    def start(self) -> None:
        """Without fsync: what it has answered survives its own end, if not the machine's."""
        options = f"-c listen_addresses= -k {self.folder} -c fsync=off -c full_page_writes=off"
        self._ctl("start", "-w", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """At once; whoever is connected loses the connection."""
        self._ctl("stop", "-m", "immediate")

    def _ctl(self, *arguments: str) -> None:
        _run([str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), *arguments])


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A new cluster for as long as the block lasts."""
    programs = _programs()
    # Its path must be short, for it holds the socket, and its owner somebody whom Postgres accepts.
    folder = Path(tempfile.mkdtemp(prefix="shoal-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, *_somebody())
        _run([str(programs / "initdb"), "-D", str(folder / "data"), "-U", "shoal", "-A", "trust", "--no-sync", "-E", "UTF8"])
        server = Postgres(folder, programs)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Debian keeps them out of PATH, a folder per version."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert found, "Postgres is missing: install the package `postgresql`"
    return found[-1]


def _somebody() -> tuple[int, int]:
    """Postgres refuses to run as root."""
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return entry.pw_uid, entry.pw_gid


def _run(argv: list[str]) -> None:
    user, group = _somebody() if os.geteuid() == 0 else (None, None)
    groups: list[int] | None = None if user is None else []
    # No pipe: the server would inherit it, and reading from it would never end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(argv, stdout=output, stderr=output, cwd="/", user=user, group=group, extra_groups=groups, timeout=60)
        output.seek(0)
        assert done.returncode == 0, output.read().decode(errors="replace")
