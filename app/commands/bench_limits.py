"""`shoal bench limits`: memory under a flood of output, the end of a tree, the cost of watching, and of starting a process."""

import json
import tempfile
from collections.abc import Mapping
from typing import TypedDict

from app.commands import runner
from app.commands.console import print_table

_SECONDS = 600
_Figures = Mapping[str, float | str]


class LimitFigures(TypedDict):
    """By name with unit; each measured in a runner's process of its own."""

    flood: _Figures
    stop: _Figures
    monitor: _Figures
    spawn: _Figures


def limit_figures() -> LimitFigures:
    """One after the other, in folders that are thrown away."""
    return LimitFigures(flood=_ask("flood"), stop=_ask("stop"), monitor=_ask("monitor"), spawn=_ask("spawn"))


def _ask(what: str) -> _Figures:
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as folder:
        found: _Figures = json.loads(runner.ask("limits", json.dumps({"what": what, "work_dir": folder}), _SECONDS))
        return found


def show(figures: LimitFigures) -> None:
    """As a table for people, with what it should be."""
    flood, stop, monitor, spawn = figures["flood"], figures["stop"], figures["monitor"], figures["spawn"]
    levels = [name.removesuffix("_survivors") for name in stop if name.endswith("_survivors")]
    inside = next((name for name in spawn if name not in {"bare_ms", "ours_ms"}), "ours_ms")
    lines = [
        (f"runner's memory after {flood['output_mb']} MB of output, peak MiB ({flood['isolation']})", flood["peak_mib"], "<= 100"),
        ("the same before it, MiB", flood["before_mib"], ""),
        *[
            (f"stop of a tree with escaped children, longest s ({level})", stop[f"{level}_seconds_most"], "<= 2")
            for level in levels
        ],
        *[(f"survivors of it ({level})", stop[f"{level}_survivors"], "0") for level in levels],
        ("watching a task of eight processes, % of a core", monitor["steady_percent"], "< 0.5"),
        ("the same in its first seconds, when it is looked at closely", monitor["young_percent"], ""),
        ("starting `true`: ours over subprocess", _ratio(spawn["ours_ms"], spawn["bare_ms"]), ""),
        (f"starting `true`: in {inside.removesuffix('_ms')} over subprocess", _ratio(spawn[inside], spawn["bare_ms"]), ""),
        ("starting `true` by subprocess, ms", spawn["bare_ms"], ""),
    ]
    print_table("What the runner's machinery costs", ["What", "Measured", "Goal"], lines)


def _ratio(value: float | str, base: float | str) -> str:
    return f"{float(value) / float(base):.1f}"
