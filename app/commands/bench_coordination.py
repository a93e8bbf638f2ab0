"""`shoal bench rehearsal`, too: what the app itself uses while attempts are under way and nothing happens but heartbeats."""

import tempfile
import time
from pathlib import Path
from typing import TypedDict

import psutil

from app.commands.console import print_table
from app.demo.rehearsal import opened
from app.demo.world import Ways, World
from shared.errors import FatalError

# As an operator has them; the rehearsal's own are shorter, so that nobody has to wait.
_USUAL = {
    "SHOAL_HEARTBEAT_SECONDS": "10",
    "SHOAL_LEASE_SECONDS": "60",
    "SHOAL_REFRESH_SECONDS": "60",
    "SHOAL_SWEEP_SECONDS": "300",
}
_WATCHED_SECONDS = 60.0
_BEGIN_SECONDS = 120.0


class CoordinationFigures(TypedDict):
    """`percent_per_task` is the app's share of one core for each attempt that is under way."""

    tasks: int
    seconds: float
    percent_per_task: float


def coordination_figures(slots: int = 4, seconds: float = _WATCHED_SECONDS) -> CoordinationFigures:
    """Agents that think for longer than it is watched; what they and their runners use is not in it."""
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as name:
        ways = Ways(slots, think_seconds=seconds * 3 + _BEGIN_SECONDS, settings=_USUAL)
        with opened(Path(name), ways, lambda _line: None) as world:
            world.label_all()
            _wait_until_at_work(world, slots)
            if world.app is None:
                raise AssertionError("unreachable: the world was opened with its app")
            app = psutil.Process(world.app.process.pid)
            before = _cpu_seconds(app)
            time.sleep(seconds)
            used = _cpu_seconds(app) - before
    return CoordinationFigures(tasks=slots, seconds=seconds, percent_per_task=100 * used / seconds / slots)


def show(figures: CoordinationFigures) -> None:
    """As a table for people, with what it should be."""
    what = f"the app for each of {figures['tasks']} attempts under way, % of a core over {figures['seconds']:g} s"
    print_table("Coordination", ("What", "Measured", "Goal"), [(what, f"{figures['percent_per_task']:.2f}", "< 1")])


def _wait_until_at_work(world: World, slots: int) -> None:
    deadline = time.monotonic() + _BEGIN_SECONDS
    while time.monotonic() < deadline:
        status = world.status()
        tasks = [task for one in status.orchestrations for task in one.tasks] if status else []
        if sum(task.phase == "implementation" for task in tasks) >= slots:
            return
        time.sleep(0.5)
    raise FatalError(f"{slots} agents were not at work after {_BEGIN_SECONDS:g} s")


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
