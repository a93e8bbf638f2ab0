"""`shoal bench start`: twelve tasks dispatched at once on a repository of 576 files, until the first agent works."""

import json
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from app.commands.bench_rehearsal import ended_attempts
from app.commands.console import print_table
from app.decide.state import Attempt
from app.demo import sample
from app.demo.rehearsal import opened, watch
from app.demo.world import Ways
from shared.models import PhaseName

TASKS, FILES = 12, 576
_LIMIT_SECONDS = 600


class StartFigures(TypedDict):
    """Seconds from the dispatch of the first task to an agent's start, set-up and baseline excluded."""

    tasks: int
    files: int
    slots: int
    first_seconds: float
    median_seconds: float
    last_seconds: float


def start_figures(slots: int) -> StartFigures:
    """With `slots` runners at once: as many as there are cores start together, in the product as here."""
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as name:
        folder = Path(name)
        project = _project(folder / "project")
        with opened(folder / "world", Ways(slots, think_seconds=0, project=project), lambda _: None) as world:
            for number in range(TASKS - len(sample.issues())):
                world.github("POST", "/issues", {"title": f"Mend part {number}", "body": f"In `src/part{number}/module0.py`."})
            world.label_all()
            watch(world, lambda _: None, _LIMIT_SECONDS)
            attempts = [one for one in ended_attempts(world) if one.number == 1]
            waits = sorted(wait for one in attempts if (wait := _wait(world.folder / "work" / "logs", one)) is not None)
    return StartFigures(
        tasks=len(attempts),
        files=FILES,
        slots=slots,
        first_seconds=round(waits[0], 3),
        median_seconds=round(waits[len(waits) // 2], 3),
        last_seconds=round(waits[-1], 3),
    )


def show(figures: StartFigures) -> None:
    """As a table for people."""
    print_table(
        f"Dispatch to the agent's start, {figures['tasks']} tasks on {figures['files']} files, {figures['slots']} at once",
        ["First s", "Median s", "Last s"],
        [[figures["first_seconds"], figures["median_seconds"], figures["last_seconds"]]],
    )


def _project(place: Path) -> Path:
    shutil.copytree(sample.PROJECT, place)
    there = sum(path.is_file() for path in place.rglob("*"))
    for number in range(FILES - there):
        path = place / f"src/part{number // 10}/module{number % 10}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""Part {number}."""\n\nVALUE = {number}\n', encoding="utf-8")
    return place


def _wait(logs: Path, attempt: Attempt) -> float | None:
    """None for an attempt that ended before its agent worked."""
    for line in (logs / f"{attempt.id}.log").read_text(encoding="utf-8").splitlines():
        said = json.loads(line) if line.startswith("{") else {}
        if said.get("event") == "agent starts":
            phases = attempt.report.phases if attempt.report else ()
            set_up = next((phase.seconds for phase in phases if phase.name is PhaseName.SETUP), 0.0)
            return (datetime.fromisoformat(said["timestamp"]) - attempt.created_at - timedelta(seconds=set_up)).total_seconds()
    return None
