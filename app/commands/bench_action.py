"""`shoal bench start`, its other half: the first step of our action on a new runner, and on one that has worked before."""

import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from app.commands.console import print_line, print_table
from shared.errors import UserError
from shared.process import environment, run

_STEP = Path("scripts/action/environment.sh")
_ROOT = Path(__file__).parents[2]
_WARM_STARTS = 5
_MODES = ("work", "orchestrate")


class ActionFigures(TypedDict):
    """Seconds of the step that finds or makes the environment: with an empty tool cache, and the median of `starts` later ones.

    `installer` made it, with packages out of its own cache where that holds them; `ratio` is how many times longer the first took.
    """

    mode: str
    installer: str
    cold_seconds: float
    warm_seconds: float
    starts: int
    ratio: float


def action_figures(modes: Sequence[str] = _MODES) -> list[ActionFigures]:
    """For both modes; none outside a checkout, for what is installed holds no copy of the action."""
    return [_figures(mode) for mode in modes] if (_ROOT / _STEP).is_file() else []


def _figures(mode: str) -> ActionFigures:
    with tempfile.TemporaryDirectory(prefix="shoal-bench-") as name:
        folder = Path(name)
        outputs = folder / "outputs"
        outputs.touch()
        told = {"RUNNER_TOOL_CACHE": str(folder / "tools"), "GITHUB_OUTPUT": str(outputs), "SHOAL_JOB_MODE": mode}
        env = environment(told)
        cold = _seconds(env, folder)
        warm = statistics.median(_seconds(env, folder) for _ in range(_WARM_STARTS))
        # Every start names the interpreter that the job goes on with: one environment, found again each time.
        if len(places := set(outputs.read_text("utf-8").split())) != 1:
            raise UserError(f"the environment was made anew instead of found: {', '.join(sorted(places))}")
    return ActionFigures(
        mode=mode,
        installer="uv" if shutil.which("uv", path=env["PATH"]) else "pip",
        cold_seconds=round(cold, 3),
        warm_seconds=round(warm, 3),
        starts=_WARM_STARTS,
        ratio=round(cold / warm, 1),
    )


def _seconds(env: Mapping[str, str], folder: Path) -> float:
    ended = run([str(_ROOT / _STEP)], cwd=folder, env=env)
    if ended.exit_code != 0:
        raise UserError(f"`{_STEP}` failed: {ended.tail[-500:]}")
    return ended.seconds


def show(figures: list[ActionFigures]) -> None:
    """As a table for people."""
    if not figures:
        print_line(f"The action's first step was not measured: `{_STEP}` is in a checkout only")
        return
    print_table(
        "The action's first step: an empty tool cache, and one that holds the environment",
        ["Mode", "Made by", "Cold s", "Warm s", "Times longer"],
        [(one["mode"], one["installer"], one["cold_seconds"], one["warm_seconds"], one["ratio"]) for one in figures],
    )
