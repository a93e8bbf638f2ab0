"""The rehearsal from end to end: set up, label, watch, compare with what was expected, tell, clean up."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from app.commands.console import print_json
from app.demo import sample, screen
from app.demo.outcome import Outcome, PullSeen, differences, is_over, outcome
from app.demo.world import Ways, World, clear, start_world
from app.report.measures import speedup
from app.report.status import AppStatus
from shared.errors import FatalError
from shared.github import BRANCH_PREFIX, CHECK_NAME

KEPT_FOLDER = Path(".shoal-demo")
_POLL_SECONDS = 0.25
# What `--json` tells: a contract, which the fields that `/status.json` gains do not change.
_ORCHESTRATION = {"id", "conclusion", "wall_seconds", "attempt_seconds", "parallelism", "speedup", "overhead_seconds"}
_TASK = {"issue", "verdict", "branch", "pull_request", "head_sha", "phases"}
_CHECK_RUN = {"head_sha", "conclusion", "title"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person at the keyboard asked for; `folder` None is a temporary one."""

    ways: Ways
    folder: Path | None = None
    fresh: bool = False
    compare: bool = False
    as_json: bool = False
    serve: bool = False
    limit_seconds: float = 300


def rehearse(wishes: Wishes) -> int:
    """The exit status: 0 when every expected verdict came out."""
    console = Console(stderr=wishes.as_json)
    if wishes.folder and wishes.fresh:
        clear(wishes.folder)
    alone = _sequential_wall(wishes, console) if wishes.compare else None
    with _folder(wishes.folder) as folder, opened(folder, wishes.ways, _say(console)) as world:
        found = _run(world, console, wishes.limit_seconds)
        found = replace(found, numbers=found.numbers.model_copy(update={"speedup": speedup(alone, found.numbers.wall_seconds)}))
        status = _tell(wishes, world, found, console)
        if wishes.as_json:
            print_json(json.dumps(as_json(found), indent=2))
        if wishes.serve:
            _serve(world, console)
    return status


@contextmanager
def opened(folder: Path, ways: Ways, say: Callable[[str], None]) -> Iterator[World]:
    """A world that is ended however the block ends."""
    world = start_world(folder, ways, say)
    try:
        yield world
    finally:
        world.stop()


def watch(world: World, show: Callable[[AppStatus], None], limit_seconds: float) -> AppStatus:
    """Looks at the app until everything has its verdict."""
    issues = _issues()
    deadline = time.monotonic() + limit_seconds
    while time.monotonic() < deadline:
        world.check_alive()
        status = world.status()
        if status is not None:
            show(status)
            if is_over(status, issues):
                return status
        time.sleep(_POLL_SECONDS)
    raise FatalError(f"the rehearsal was not over after {limit_seconds:g} s: {_logs(world)}, or give it longer (--limit)")


def pulls(world: World) -> tuple[PullSeen, ...]:
    """Every pull request that work led to, with its check, as GitHub shows it."""
    shown = world.github("GET", "/pulls?state=all&per_page=100&direction=asc")
    ours = [pull for pull in shown if pull["head"]["ref"].startswith(BRANCH_PREFIX)]
    return tuple(
        PullSeen(pull["number"], pull["head"]["ref"], pull["draft"], pull["html_url"], _conclusion(world, pull["head"]["sha"]))
        for pull in ours
    )


def as_json(found: Outcome) -> dict[str, object]:
    """The contract of `--json`: exactly these keys."""
    return {
        "orchestration": found.numbers.model_dump(mode="json", include=_ORCHESTRATION),
        "tasks": [task.model_dump(mode="json", include=_TASK) for task in found.tasks],
        "check_runs": [check.model_dump(mode="json", include=_CHECK_RUN) for check in found.checks],
    }


def _run(world: World, console: Console, limit_seconds: float) -> Outcome:
    labelled = world.label_all()
    if world.found:
        console.print(_earlier(world, labelled), markup=False, highlight=False, soft_wrap=True)
    else:
        console.print(f"the maintainer labels {len(labelled)} issues", markup=False, highlight=False)
    with screen.Progress(console) as progress:
        found = outcome(watch(world, progress.show, limit_seconds))
    if found is None:
        raise AssertionError("unreachable: what is over has an orchestration")
    return found


def _earlier(world: World, labelled: tuple[int, ...]) -> str:
    again = "`--fresh` starts from the beginning."
    status = world.status()
    if status is None or not is_over(status, _issues()):
        more = f"; {len(labelled)} issues are labelled now" if labelled else ""
        return f"{world.folder} holds a rehearsal that was not finished: it goes on{more}. {again}"
    return (
        f"{world.folder} holds an earlier rehearsal: its issues are labelled and have {len(pulls(world))} pull requests already."
        f" Nothing is started twice; this is what came out. {again}"
    )


def _issues() -> range:
    return range(1, len(sample.issues()) + 1)


def _tell(wishes: Wishes, world: World, found: Outcome, console: Console) -> int:
    seen = pulls(world)
    wanted = {} if world.ways.agent_command else sample.expected()
    screen.summary(console, world, found, seen, wanted)
    wrong = differences(wanted, found.tasks, seen)
    if not wishes.serve:
        console.print("Where to look: --serve leaves the pages open, --keep keeps folder and logs.", highlight=False)
    if wrong:
        verdict = "\n".join(("Not as expected:", *wrong, _logs(world)))
    elif wanted:
        verdict = f"All {len(wanted)} expected verdicts came out, also the ones that are no success."
    else:
        verdict = "Every issue has its verdict; with an agent of your own none was expected beforehand."
    console.print(verdict, markup=False, highlight=False, soft_wrap=True)
    return 1 if wrong else 0


def _logs(world: World) -> str:
    return f"look at the logs in {world.folder} (--keep keeps them)"


def _serve(world: World, console: Console) -> None:
    console.print("\n".join([*screen.places(world), "Ctrl-C ends it."]), markup=False, highlight=False, soft_wrap=True)
    while True:
        world.check_alive()
        time.sleep(1)


def _sequential_wall(wishes: Wishes, console: Console) -> float | None:
    """The same, one at a time, in a folder of its own: the only honest base of a speed-up."""
    console.print("first one at a time, to have something to compare with", highlight=False)
    with _folder(None) as folder, opened(folder, replace(wishes.ways, slots=1), _say(console)) as world:
        return _run(world, console, wishes.limit_seconds).numbers.wall_seconds


def _conclusion(world: World, head_sha: str) -> str | None:
    runs = world.github("GET", f"/commits/{head_sha}/check-runs?check_name={CHECK_NAME}")["check_runs"]
    return next((run["conclusion"] for run in runs), None)


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept
        return
    folder = Path(tempfile.mkdtemp(prefix="shoal-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, markup=False, highlight=False)
