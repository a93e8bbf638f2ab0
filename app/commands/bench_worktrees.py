"""`shoal bench worktrees`: what a task's checkout costs, from the pool and otherwise, on a repository of many files."""

import json
import tempfile
from pathlib import Path
from typing import TypedDict

from app.commands import runner
from app.commands.console import print_table
from shared.git import git, identity

_LINES = 40
_SECONDS = 1800


class WorktreeFigures(TypedDict):
    """Seconds as medians of three; `ratio` is how many times longer than from the pool."""

    files: int
    isolation: str
    seconds: dict[str, float]
    ratio: dict[str, float]


def worktree_figures(files: int) -> WorktreeFigures:
    """On a repository that is made for it, thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as name:
        folder = Path(name)
        repository = folder / "repository.git"
        first, second = make_repository(repository, files)
        work_dir = folder / "work"
        work_dir.mkdir()
        asked = {"repository": str(repository), "first": first, "second": second, "work_dir": str(work_dir)}
        seconds = json.loads(runner.ask("checkouts", json.dumps(asked), _SECONDS))
    isolation = seconds.pop("isolation")
    return WorktreeFigures(
        files=files,
        isolation=isolation,
        seconds={name: round(value, 3) for name, value in seconds.items()},
        ratio={name: round(value / seconds["pool"], 2) for name, value in seconds.items()},
    )


def make_repository(place: Path, files: int) -> tuple[str, str]:
    """A bare one with two commits: the second changes one file in a hundred."""
    git("init", "--quiet", "--bare", "--initial-branch=main", str(place), cwd=place.parent)
    parts = ["commit refs/heads/main", "committer a <a@example.org> 0 +0000", "data 1", "1"]
    for number in range(files):
        parts += _file(number, 0)
    parts += ["commit refs/heads/main", "committer a <a@example.org> 1 +0000", "data 1", "2"]
    for number in range(0, files, 100):
        parts += _file(number, 1)
    git("fast-import", "--quiet", cwd=place, stdin=("\n".join(parts) + "\n").encode(), env=identity("a", "a@example.org"))
    first, second = git("rev-parse", "main~1", "main", cwd=place).split()
    return first, second


def _file(number: int, version: int) -> list[str]:
    text = "".join(f"line {line} of file {number}, version {version}\n" for line in range(_LINES))
    return [f"M 100644 inline part{number // 100}/deep{number % 10}/file{number}.py", f"data {len(text)}", text]


def show(figures: WorktreeFigures) -> None:
    """As a table for people."""
    print_table(
        f"A task's checkout of {figures['files']:,} files, isolation {figures['isolation']}",
        ["Way", "Seconds", "Times the pool's"],
        [(name.replace("_", " "), f"{value:.3f}", f"{figures['ratio'][name]:.2f}") for name, value in figures["seconds"].items()],
    )
