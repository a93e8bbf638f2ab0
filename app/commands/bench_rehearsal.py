"""`shoal bench rehearsal`: the whole main job at several numbers of slots, against the same job one at a time."""

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import psutil

from app.commands import bench_phases
from app.commands.bench_phases import PhaseFigures
from app.commands.console import print_table
from app.decide.state import Attempt, AttemptStatus
from app.demo.rehearsal import opened, watch
from app.demo.world import Ways, World
from app.store import rows
from app.store.database import open_engine

_SLOTS = (1, 2, 4, 8)
_THINK_SECONDS = 3.0
_LIMIT_SECONDS = 600


class RehearsalFigures(TypedDict):
    """One rehearsal; seconds and MiB. `speedup` is against the measured run with one slot, null for that run itself."""

    slots: int
    tasks: int
    wall_seconds: float | None
    parallelism: float | None
    speedup: float | None
    overhead_seconds: float | None
    label_to_first_claim_seconds: float
    tail_seconds: float
    app_peak_pss_mib: float
    app_cpu_ms_per_task: float
    app_and_runners_peak_pss_mib: float
    phases: list[PhaseFigures]


def rehearsal_figures(think_seconds: float = _THINK_SECONDS, slots: Sequence[int] = _SLOTS) -> list[RehearsalFigures]:
    """Measured one after the other, each in a folder of its own."""
    found: list[RehearsalFigures] = []
    for number in slots:
        one = _measure(number, think_seconds)
        alone = next((f["wall_seconds"] for f in found if f["slots"] == 1), None)
        if alone and one["wall_seconds"]:
            one["speedup"] = alone / one["wall_seconds"]
        found.append(one)
    return found


def show(figures: Sequence[RehearsalFigures]) -> None:
    """As a table for people."""
    header = (
        *("slots", "wall s", "parallelism", "true speed-up", "label to first claim s", "tail s"),
        *("app MiB", "app CPU ms/task", "app and runners MiB"),
    )
    lines = [
        (
            str(f["slots"]),
            _number(f["wall_seconds"], 1),
            _number(f["parallelism"], 2),
            _number(f["speedup"], 2),
            _number(f["label_to_first_claim_seconds"], 2),
            _number(f["tail_seconds"], 2),
            _number(f["app_peak_pss_mib"], 0),
            _number(f["app_cpu_ms_per_task"], 0),
            _number(f["app_and_runners_peak_pss_mib"], 0),
        )
        for f in figures
    ]
    print_table("The rehearsal, eight issues, real processes", header, lines)
    for one in figures[:1]:  # side by side they also wait for each other's processors
        bench_phases.show(one["slots"], one["phases"])


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _measure(slots: int, think_seconds: float) -> RehearsalFigures:
    with (
        tempfile.TemporaryDirectory(prefix="shoal-bench-") as name,
        opened(Path(name), Ways(slots, think_seconds), _quiet) as world,
    ):
        usage = _Usage(world)
        before = usage.cpu_seconds()
        usage.start()
        labelled = datetime.now(UTC)
        world.label_all()
        status = watch(world, lambda _: None, _LIMIT_SECONDS)
        ended = datetime.now(UTC)
        cpu = usage.cpu_seconds() - before
        usage.stop()
        attempts = ended_attempts(world)
    numbers = max(status.orchestrations, key=lambda one: len(one.tasks)).orchestration
    claims = [a.claimed_at for a in attempts if a.claimed_at]
    ends = [a.ended_at for a in attempts if a.ended_at]
    tasks = sum(len(one.tasks) for one in status.orchestrations)
    return RehearsalFigures(
        slots=slots,
        tasks=tasks,
        wall_seconds=numbers.wall_seconds,
        parallelism=numbers.parallelism,
        speedup=None,
        overhead_seconds=numbers.overhead_seconds,
        label_to_first_claim_seconds=(min(claims) - labelled).total_seconds(),
        tail_seconds=(ended - max(ends)).total_seconds(),
        app_peak_pss_mib=usage.app_peak_mib,
        app_cpu_ms_per_task=cpu * 1000 / max(1, tasks),
        app_and_runners_peak_pss_mib=usage.all_peak_mib,
        phases=bench_phases.compared([attempt.report for attempt in attempts if attempt.report]),
    )


def ended_attempts(world: World) -> list[Attempt]:
    """As the app's database holds them."""
    engine = open_engine(f"sqlite:///{world.folder}/work/shoal.db")
    with engine.connect() as connection:
        found = [a for identifier in rows.orchestration_ids(connection) for a in rows.attempts_of(connection, identifier)]
    engine.dispose()
    return [attempt for attempt in found if attempt.status is AttemptStatus.ENDED]


def _quiet(_line: str) -> None:
    """Nothing is told while it is measured."""


@dataclass
class _Usage:
    """Samples proportional memory of the app, and of the app with its WorkflowManagers (agents and tests excluded)."""

    world: World
    app_peak_mib: float = 0
    all_peak_mib: float = 0

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def cpu_seconds(self) -> float:
        times = self._app().cpu_times()
        return float(times.user + times.system)

    def _app(self) -> psutil.Process:
        if self.world.app is None:
            raise AssertionError("unreachable: the world was opened with its app")
        return psutil.Process(self.world.app.process.pid)

    def _sample(self) -> None:
        while not self._ended.wait(0.25):
            app = self._app()
            own = _pss_mib(app)
            runners = [child for child in app.children() if "runner" in " ".join(_command(child))]
            self.app_peak_mib = max(self.app_peak_mib, own)
            self.all_peak_mib = max(self.all_peak_mib, own + sum(map(_pss_mib, runners)))


def _pss_mib(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.Error:
        return 0.0


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
