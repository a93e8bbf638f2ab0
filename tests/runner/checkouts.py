"""A real repository in a mirror, and tasks at their desks over it: what the stories about checkouts need, without an app."""

import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner import pool, rescue, worktree
from runner.folder import About, TaskFolder
from runner.sandbox import Bind, Room, choose
from runner.worktree import Desk
from shared.git import git, identity
from shared.process import Ended, Limits

FILES = {"words.py": "x = 1\n", "src/deep/part.py": "y = 1\n", "run.sh": "#!/bin/sh\n", ".gitignore": "*.log\nbuild/\n"}


@dataclass
class Checkouts:
    """One repository; `first` and `second` are its commits."""

    work_dir: Path
    first: str = ""
    second: str = ""

    def __post_init__(self) -> None:
        mirror = self.folder("any").mirror
        mirror.mkdir(parents=True)
        git("init", "--quiet", "--bare", str(mirror), cwd=mirror)
        self.first = self.commit(FILES)
        self.second = self.commit({**FILES, "words.py": "x = 2\n", "new.py": "z = 1\n"}, self.first)

    def folder(self, branch: str) -> TaskFolder:
        return TaskFolder(self.work_dir, 7, branch)

    def commit(self, files: Mapping[str, str], *parents: str) -> str:
        mirror = self.folder("any").mirror
        index = {"GIT_INDEX_FILE": str(mirror / "test.index")}
        git("read-tree", "--empty", cwd=mirror, env=index)
        for name, text in files.items():
            blob = git("hash-object", "-w", "--stdin", cwd=mirror, stdin=text.encode()).strip()
            mode = "100755" if name.endswith(".sh") else "100644"
            git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{name}", cwd=mirror, env=index)
        tree = git("write-tree", cwd=mirror, env=index).strip()
        options = [part for parent in parents for part in ("-p", parent)]
        commit = git("commit-tree", tree, *options, "-m", "test", cwd=mirror, env=identity("a", "a@example.org")).strip()
        git("update-ref", "refs/heads/trunk", commit, cwd=mirror)
        return commit

    def start(self, branch: str, commit: str = "") -> Desk:
        """A task with its checkout made, as an attempt begins."""
        folder = self.folder(branch)
        folder.root.mkdir(parents=True, exist_ok=True)
        sandbox = choose("preferred", pool.take(folder), self.work_dir)
        start = commit or self.first
        about = About(
            repository_id=7,
            repository="acme/words",
            branch=branch,
            issue=12,
            isolation="preferred",
            login="shoal[bot]",
            email="shoal@example.org",
            published=(start,),
            start_sha=start,
        )
        desk = worktree.own_desk(folder, sandbox, about, threading.Event())
        worktree.set_up(desk)
        return desk

    def end(self, desk: Desk) -> None:
        """The attempt is over: what is only here is rescued, the checkout goes to the pool."""
        rescue.settle(desk.folder, lambda _about: desk)
        pool.give_back(desk.folder)

    def entries(self) -> list[Path]:
        place = self.work_dir / "pool" / "7"
        return sorted(place.iterdir()) if place.exists() else []


def play(desk: Desk, place: Path, script: str) -> Ended:
    """Runs lines in the sandbox with `place` as the only thing to write, as an agent or a test would."""
    room = Room(cwd=place, home=place, binds=(Bind(place, writable=True),))
    ended = desk.sandbox.run(["sh", "-ec", script], room, limits=Limits(seconds=30))
    assert ended.ok, ended.tail
    return ended


def content(place: Path) -> dict[str, str]:
    """Every file, link and folder below `place` but git's own file: its mode, and what it holds."""
    listed = subprocess.run(
        ["find", ".", "-mindepth", "1", "-printf", "%P %y%m %n\\n"], cwd=place, capture_output=True, text=True, check=True
    )
    found = {}
    for line in listed.stdout.splitlines():
        name, kind = line.split(" ", 1)
        if name != ".git":
            found[name] = kind.split()[0] if kind.startswith("d") else kind
            if kind.startswith("f"):
                found[name] += " " + (place / name).read_text(encoding="utf-8")
    return found
