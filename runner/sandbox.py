"""Where everything that executes repository or agent content runs: bubblewrap, or a plain process that says so."""

import os
import shutil
import tempfile
import threading
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import psutil

from runner import bubblewrap
from runner.programs import program_binds, python_binds
from runner.room import Bind, Room, path_for
from shared.process import Ended, Limits, end_tree, environment, run

__all__ = [
    "Bind",
    "Room",
    "Sandbox",
    "adopt_orphans",
    "choose",
    "end_children",
    "end_leftovers",
    "program_binds",
    "python_binds",
    "too_weak",
]

# Binds every source under a private tmpfs first: the unprivileged user could not reach one below a folder of mode 700.
_STAGE = """
mount -t tmpfs -o mode=755 shoal "$1"; at=$1; shift; n=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir "$at/$n"; else : > "$at/$n"; fi
  mount --bind "$1" "$at/$n"; n=$((n + 1)); shift
done
shift; exec "$@"
"""


@dataclass(frozen=True)
class Sandbox:
    """`level` is what reports show; `why` says why it is not a stronger one; `uid` is the task's own user, None: ours."""

    level: Literal["bubblewrap", "process"]
    why: str
    uid: int | None
    tools: tuple[Path, ...] = ()

    def give(self, *folders: Path) -> None:
        """Makes empty folders that belong to the sandbox's user."""
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            self.hand_over(folder)

    def hand_over(self, path: Path) -> None:
        """Makes `path` the property of the sandbox's user; git refuses a repository that is somebody else's."""
        if self.uid is not None:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def run(
        self,
        argv: Sequence[str],
        room: Room,
        *,
        limits: Limits,
        stdin: bytes = b"",
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        finished: threading.Event | None = None,
        cut: threading.Event | None = None,
    ) -> Ended:
        """Runs `argv`; see `shared.process.run`. When this returns, nothing that it started is alive."""
        inside = {"HOME": str(room.home), "SHOAL_ATTEMPT": "1", "PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_NOSYSTEM": "1"}
        if self.level == "process":
            command, cwd, env = argv, room.cwd, environment({**inside, **room.env})
        else:
            command, cwd = self.command(argv, room), Path("/")
            env = environment({**inside, "PATH": path_for(self._brought(room)), "TMPDIR": "/tmp", **room.env})  # noqa: S108
        return run(
            command,
            cwd=cwd,
            env=env,
            stdin=stdin,
            limits=limits,
            log=log,
            on_line=on_line,
            stop=stop,
            finished=finished,
            cut=cut,
            disks=(room.cwd, *(bind.source for bind in room.binds if bind.writable)),
        )

    def command(self, argv: Sequence[str], room: Room) -> list[str]:
        """The whole command line; as root it gives up its rights before bubblewrap starts."""
        # What lies deeper comes later: a program's read-only folder must not cover the work inside it.
        binds = sorted(dict.fromkeys(self._brought(room)), key=lambda bind: len(bind.place.parts))
        sources = [str(bind.source) for bind in binds]
        if self.uid is None:
            return [*bubblewrap.command(binds, sources, room, os.getuid(), os.getgid()), "--", *argv]
        stage = _stage_folder(binds)
        staged = [
            source if bind.link else f"{stage}/{index}" for index, (bind, source) in enumerate(zip(binds, sources, strict=True))
        ]
        user = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", "--no-new-privs", "--"]
        shell = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-ec", _STAGE, "stage", str(stage), *sources, "--"]
        return [*shell, *user, *bubblewrap.command(binds, staged, room, self.uid, self.uid), "--", *argv]

    def _brought(self, room: Room) -> list[Bind]:
        return [*(Bind(tool, path=tool / "bin") for tool in self.tools), *room.binds]


def choose(isolation: Literal["required", "preferred", "none"], key: str, work_dir: Path) -> Sandbox:
    """The strongest level that really works here; `key` names the task, so that each has a user of its own."""
    if isolation == "none":
        return Sandbox("process", "isolation is switched off by the operator", None)
    why = what_fails(work_dir)
    return Sandbox("process", why, None) if why else Sandbox("bubblewrap", "", _user(key), tools())


def too_weak(isolation: Literal["required", "preferred", "none"], chosen: Sandbox) -> str:
    """Why nothing of a task may run in it; empty when it may."""
    if isolation != "required" or chosen.level == "bubblewrap":
        return ""
    return f"isolation is required, but {chosen.why}; install the package `bubblewrap` or choose `isolation: preferred`"


def _stage_folder(binds: Sequence[Bind]) -> Path:
    for folder in (Path("/mnt"), Path("/media"), Path("/srv"), Path("/opt")):
        if folder.is_dir() and not any(bind.source.is_relative_to(folder) for bind in binds):
            return folder
    return Path("/mnt")


def _user(key: str) -> int | None:
    """None where we cannot give files to others."""
    return 0x2A000000 + zlib.crc32(key.encode()) % 2**24 if os.geteuid() == 0 else None


@cache
def what_fails(work_dir: Path) -> str:
    """Tries the real thing once per process, files and all; empty when bubblewrap works."""
    sandbox = Sandbox("bubblewrap", "", _user("probe"), tools())
    needed = ["bwrap", *(["setpriv", "unshare", "mount"] if sandbox.uid is not None else [])]
    for program in needed:
        if not shutil.which(program):
            return f"{program} is not installed (package {'bubblewrap' if program == 'bwrap' else 'util-linux'})"
    try:
        with tempfile.TemporaryDirectory(prefix="probe-", dir=work_dir) as name:
            folder = Path(name) / "room"
            sandbox.give(folder)
            room = Room(cwd=folder, home=folder, binds=(Bind(folder, writable=True),))
            ended = sandbox.run(["sh", "-c", "echo works > file && cat file"], room, limits=Limits(seconds=20))
    except OSError as error:
        return f"bubblewrap could not be tried: {error}"
    return "" if ended.ok else bubblewrap.why_it_fails(ended.tail.strip()[-300:] or ended.reason)


@cache
def tools() -> tuple[Path, ...]:
    """The prefix of the machine's `python3` when it lies outside /usr, where a version manager's shim would not work inside."""
    python = shutil.which("python3", path=environment()["PATH"])
    if python is None or Path(python).resolve().is_relative_to("/usr"):
        return ()
    with tempfile.TemporaryDirectory() as nowhere:
        try:
            ended = run(["python3", "-c", "import sys; print(sys.base_prefix)"], cwd=Path(nowhere), env=environment())
        except OSError:
            return ()
    prefix = Path(ended.tail.strip())
    return (prefix,) if ended.ok and prefix.is_absolute() and not prefix.is_relative_to("/usr") else ()


def adopt_orphans() -> None:
    """Makes this process the parent of every orphan below it, so that nothing escapes by leaving its session (Linux)."""
    import ctypes

    pr_set_child_subreaper = 36
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def end_leftovers(*homes: Path) -> None:
    """Ends what an earlier runner of this task left running when it was killed: it has one of these folders as HOME."""
    wanted = {str(home) for home in homes}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("HOME") in wanted:
                end_tree(process.pid, grace_seconds=0.5)


def end_children() -> None:
    """Ends every command of this process, git's too."""
    for child in psutil.Process().children():
        end_tree(child.pid, grace_seconds=1.0)
