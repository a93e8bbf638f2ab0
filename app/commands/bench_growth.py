"""How long planning takes and what it needs, by the number of issues and of files, with nothing known and with everything known."""

import gc
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypedDict

from app.commands.console import print_table
from app.facts.analysis import analyse
from app.facts.tree import list_folder
from app.planning.plan import make_plan
from shared.git import git
from shared.github import issue_hash
from shared.models import IssueSnapshot

Sizes = tuple[tuple[int, ...], tuple[int, ...]]  # of batches in issues, of repositories in files
USUAL: Sizes = ((12, 50, 1_000), (10_000,))
GROWTH: Sizes = ((12, 50, 200, 1_000), (1_000, 10_000))
_COMMITS = 2_000
_LINES = 60  # of a file, about 2.5 KiB
_WORDS, _VERBS = 3_000, 30  # names are a verb and a word: some 90,000 of them


class GrowthFigures(TypedDict):
    """One batch on one repository, from the tree and history in git to the finished plan; each in a process of its own."""

    issues: int
    files: int
    commits: int
    cold_seconds: float
    cold_cpu_seconds: float
    cached_seconds: float
    edges: int
    peak_memory_mib: float


def growth_figures(sizes: Sequence[int], file_counts: Sequence[int]) -> list[GrowthFigures]:
    """Generated repositories in a folder that is gone afterwards."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as place:
        for files in file_counts:
            repository = Path(place) / str(files)
            make_repository(repository, files)
            for size in sizes:
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:  # its peak memory is the plan's alone
                    rows.append(fresh.submit(_measured, repository, files, size).result())
    return rows


def _measured(repository: Path, files: int, size: int) -> GrowthFigures:
    gc.disable()  # as `shoal plan` does
    issues = generated_issues(size, files)
    cache = repository.parent / f"cache-{files}-{size}"
    before = os.times()
    cold, edges = _planned(repository, issues, cache)
    after = os.times()
    cached, _ = _planned(repository, issues, cache)
    return GrowthFigures(
        issues=size,
        files=files,
        commits=_COMMITS,
        cold_seconds=round(cold, 3),
        cold_cpu_seconds=round(sum(after[:4]) - sum(before[:4]), 3),
        cached_seconds=round(cached, 3),
        edges=edges,
        peak_memory_mib=round(_peak_memory_mib(), 1),
    )


def _peak_memory_mib() -> float:
    """Of this process; Linux hands ru_maxrss down from the parent, so there its own record counts."""
    record = Path("/proc/self/status")
    if record.exists():
        return int(record.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def _planned(repository: Path, issues: Sequence[IssueSnapshot], cache: Path) -> tuple[float, int]:
    begun = time.perf_counter()
    listing = list_folder(repository)
    plan = make_plan(issues, listing.tree, slots=8, touches=analyse(listing, issues, cache).touches)
    return time.perf_counter() - begun, len(plan.edges)


def make_repository(folder: Path, files: int) -> None:
    """Packages of twenty modules, each third one with a test, and 2,000 commits that change up to three of them."""
    folder.mkdir()
    git("init", "--quiet", "--initial-branch=main", ".", cwd=folder)
    stream = "".join(_stream(random.Random(files), files))
    git("fast-import", "--quiet", cwd=folder, stdin=stream.encode())
    git("read-tree", "main", cwd=folder)


def _stream(chance: random.Random, files: int) -> Iterator[str]:
    words = [_word(chance) for _ in range(_WORDS)]
    paths = [path_of(number) for number in range(files)]
    yield _commit(0, "Begin", [(path, _source(chance, words)) for path in paths])
    for number in range(1, _COMMITS):
        first = chance.randrange(files)
        changed = sorted({paths[(first + step) % files] for step in range(chance.randint(1, 3))})
        message = " ".join(chance.sample(words, 6))
        yield _commit(number, f"{message} of {changed[0]}", [(path, _source(chance, words)) for path in changed])


def _commit(number: int, message: str, files: Sequence[tuple[str, str]]) -> str:
    head = f"commit refs/heads/main\ncommitter Bench <bench@example.com> {1_600_000_000 + number} +0000\n"
    blobs = "".join(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files)
    return f"{head}data {len(message)}\n{message}\n{blobs}\n"


def _source(chance: random.Random, words: Sequence[str]) -> str:
    lines = ["import os\n", f"from part{chance.randrange(500)} import module{chance.randrange(20)}\n"]
    for _ in range(_LINES // 3):
        one, (other, third) = chance.choice(words[:_VERBS]), chance.choices(words, k=2)
        lines.append(
            f"def {one}_{other}(self, {third}):\n    # {one} {third} when {other}\n    return self.{other}({third}, {one})\n"
        )
    return "".join(lines)


def _word(chance: random.Random) -> str:
    return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(2, 4)))


def path_of(number: int) -> str:
    """Of a file of the generated tree."""
    package, module = divmod(number, 20)
    return f"tests/part{package}/test_module{module - 1}.py" if module % 3 == 2 else f"src/part{package}/module{module}.py"


def generated_issues(size: int, files: int) -> list[IssueSnapshot]:
    """Half name a file, half only describe; every seventh waits for the one before it."""
    chance = random.Random(files)
    words = [_word(chance) for _ in range(_WORDS)]
    issues = []
    for number in range(1, size + 1):
        about = random.Random(number).sample(words, 20)
        title = f"{about[0]} answers wrongly when {about[1]} is empty"
        place = f"`{path_of(number * 37 % files)}` does not check it. " if number % 2 else ""
        waits = f"\n\nDepends on #{number - 1}." if number % 7 == 0 else ""
        body = f"{place}Calling `{about[2]}_{about[3]}` after {' '.join(about[4:])} gives nothing.{waits}"
        issues.append(IssueSnapshot(number=number, title=title, body=body, labels=("bug",), hash=issue_hash(title, body)))
    return issues


def show(rows: Sequence[GrowthFigures]) -> None:
    """A table for people."""
    print_table(
        "Planning, from git to the finished plan",
        ["Issues", "Files", "Commits", "Cold s", "Cold CPU s", "Cached s", "Edges", "Peak MiB"],
        [tuple(row.values()) for row in rows],
    )
