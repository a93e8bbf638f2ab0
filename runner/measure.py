"""What a checkout costs on this machine: from the pool and made anew, against what git itself offers."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict

from runner import pool, worktree
from runner.folder import About, TaskFolder
from runner.pristine import remove
from runner.room import Bind, Room
from runner.sandbox import choose
from runner.worktree import Desk
from shared.git import git

_TIMES = 3
# What an agent and its tests leave behind: a change, new files, and things that git ignores.
_WORK = """
for n in 1 2 3 4 5 6 7 8 9; do echo $n > new-$n.py; done
mkdir -p build; echo x > build/out.log
find . -name '*.py' | head -n 20 | while read -r file; do echo x >> "$file"; done
"""


class Checkouts(BaseModel):
    """A bare repository, two of its commits, and an empty folder to work in."""

    model_config = ConfigDict(extra="forbid")

    repository: Path
    first: str
    second: str
    work_dir: Path


class Seconds(BaseModel):
    """Medians; `pool` goes from one commit to the other, all else starts from nothing."""

    isolation: str
    pool: float
    made_anew: float
    worktree_add: float
    clone_depth_1: float
    clone: float


def checkouts(asked: Checkouts) -> Seconds:
    """Runs each way a few times, one after the other."""
    folder = TaskFolder(asked.work_dir, 1, "any")
    folder.mirror.parent.mkdir(parents=True)
    git("clone", "--quiet", "--bare", str(asked.repository), str(folder.mirror), cwd=asked.work_dir)
    anew, reused = [], []
    for number in range(_TIMES):
        shutil.rmtree(asked.work_dir / "pool", ignore_errors=True)
        desk, seconds = _begin(asked, f"anew-{number}", asked.first)
        anew.append(seconds)
        _end(desk)
        desk, seconds = _begin(asked, f"reused-{number}", asked.second)
        reused.append(seconds)
        _end(desk)
    plain = asked.work_dir / "plain"
    url, mirror = f"file://{asked.repository}", folder.mirror
    return Seconds(
        isolation=desk.sandbox.level,
        pool=median(reused),
        made_anew=median(anew),
        worktree_add=_timed(
            mirror, plain, lambda: git("worktree", "add", "--quiet", "--detach", str(plain), asked.second, cwd=mirror)
        ),
        clone_depth_1=_timed(mirror, plain, lambda: git("clone", "--quiet", "--depth", "1", url, str(plain), cwd=asked.work_dir)),
        clone=_timed(mirror, plain, lambda: git("clone", "--quiet", url, str(plain), cwd=asked.work_dir)),
    )


def _timed(mirror: Path, place: Path, make: Callable[[], object]) -> float:
    found = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        make()
        found.append(time.perf_counter() - begun)
        shutil.rmtree(place)
        git("worktree", "prune", cwd=mirror)
    return median(found)


def _begin(asked: Checkouts, branch: str, commit: str) -> tuple[Desk, float]:
    folder = TaskFolder(asked.work_dir, 1, branch)
    folder.root.mkdir(parents=True)
    about = About(
        repository_id=1,
        repository="a/b",
        branch=branch,
        issue=1,
        isolation="preferred",
        login="shoal[bot]",
        email="shoal@example.org",
        published=(commit,),
        start_sha=commit,
    )
    begun = time.perf_counter()
    desk = worktree.own_desk(folder, choose("preferred", pool.take(folder), asked.work_dir), about, threading.Event())
    worktree.set_up(desk)
    return desk, time.perf_counter() - begun


def _end(desk: Desk) -> None:
    tree = desk.folder.tree
    binds = (Bind(tree, writable=True), Bind(desk.folder.git, writable=True), Bind(desk.folder.mirror / "objects"))
    desk.run(["sh", "-ec", _WORK], Room(cwd=tree, home=tree, binds=binds))
    pool.give_back(desk.folder)
    remove(desk.folder.root)
