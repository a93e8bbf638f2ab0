"""What the runner's own machinery costs on this machine: memory under a flood, the end of a tree, watching, and starting."""

import os
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict

from runner import workflow_manager  # noqa: F401 a runner at work has all of it in memory
from runner.agents import claude
from runner.agents.heard import Heard
from runner.room import Bind, Room
from runner.sandbox import Sandbox, adopt_orphans, choose
from shared.process import Limits, environment, run
from shared.tree import marked

_TAG = "SHOAL_BENCH"
_FLOOD_MB = 300
_STOPS, _SPAWNS = 5, 100
_YOUNG_SECONDS, _STEADY_SECONDS = 12, 30
_EVENT = (
    '{"type":"assistant","message":{"id":"m1","content":[{"type":"text","text":"'
    + "a line of an agent that talks without end " * 20
    + '"}],"usage":{"input_tokens":1,"output_tokens":1}}}'
)
# Children that leave session and parent and ignore the polite signal, below a parent that ignores it, too.
_ESCAPE = """
trap '' TERM
for n in 1 2 3 4 5; do (setsid sh -c 'trap "" TERM; sleep 300 & sleep 300' &) ; done
touch ready; sleep 300 & wait
"""
_IDLE = "for n in 1 2 3 4 5 6; do sleep 300 & done; sleep 300"


class Limit(BaseModel):
    """What to measure, each in a process of its own, since a process's peak of memory never goes down; an empty folder."""

    model_config = ConfigDict(extra="forbid")

    what: Literal["flood", "stop", "monitor", "spawn"]
    work_dir: Path


def limit(asked: Limit) -> dict[str, float | str]:
    """Figures by name; a name says its unit."""
    adopt_orphans()
    return {"flood": _flood, "stop": _stop, "monitor": _monitor, "spawn": _spawn}[asked.what](asked.work_dir)


def _flood(work_dir: Path) -> dict[str, float | str]:
    """Every line is an event that is parsed, as it is in a pass of an agent."""
    process = psutil.Process()
    before, heard = process.memory_info().rss, Heard()
    sandbox, room = _room("preferred", work_dir)
    limits = Limits(output_bytes=None)
    begun = time.monotonic()
    argv = ["sh", "-c", f"yes '{_EVENT}' | head -c {_FLOOD_MB}000000"]
    ended = sandbox.run(argv, room, limits=limits, log=work_dir / "flood.log", on_line=lambda line: _void(heard.take(claude, line)))
    return {
        "isolation": sandbox.level,
        "output_mb": round(ended.output_bytes / 1e6),
        "seconds": round(time.monotonic() - begun, 2),
        "before_mib": round(before / 2**20, 1),
        "peak_mib": round(_peak_mib(), 1),
        "log_mib": round((work_dir / "flood.log").stat().st_size / 2**20, 1),
    }


def _void(_value: object) -> None:
    """Listeners give nothing back."""


def _stop(work_dir: Path) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for isolation in ("preferred", "none"):
        sandbox, room = _room(isolation, work_dir)
        seconds, survivors = zip(*[_stop_once(sandbox, room) for _ in range(_STOPS)], strict=True)
        found |= {f"{sandbox.level}_seconds_most": round(max(seconds), 2), f"{sandbox.level}_survivors": sum(survivors)}
    return found


def _stop_once(sandbox: Sandbox, room: Room) -> tuple[float, int]:
    """From the word to stop until nothing is left, by the environment that all of them inherit."""
    tag, stop, stopped = uuid.uuid4().hex, threading.Event(), [0.0]
    (room.cwd / "ready").unlink(missing_ok=True)

    def when_ready() -> None:
        while not (room.cwd / "ready").exists():
            time.sleep(0.01)
        time.sleep(0.3)
        stopped[0] = time.monotonic()
        stop.set()

    threading.Thread(target=when_ready, daemon=True).start()
    tagged = room._replace(env={_TAG: tag})
    sandbox.run(["sh", "-c", _ESCAPE], tagged, limits=Limits(seconds=60), stop=stop)
    return time.monotonic() - stopped[0], len(marked(tag, _TAG))


def _monitor(work_dir: Path) -> dict[str, float | str]:
    """A task of eight processes that wait, as agents mostly do: what watching it takes of one core."""
    sandbox, room = _room("preferred", work_dir)
    marks = list[tuple[float, float]]()

    def mark() -> None:
        for pause in (1, _YOUNG_SECONDS, _STEADY_SECONDS):
            time.sleep(pause)
            marks.append((time.monotonic(), time.process_time()))

    threading.Thread(target=mark, daemon=True).start()
    seconds = 1 + _YOUNG_SECONDS + _STEADY_SECONDS + 1
    sandbox.run(["sh", "-c", _IDLE], room, limits=Limits(seconds=seconds, memory_mib=4096, free_disk_mib=1, inactive_seconds=900))
    young, steady = [100 * (after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(marks)]
    return {"isolation": sandbox.level, "young_percent": round(young, 2), "steady_percent": round(steady, 2)}


def _spawn(work_dir: Path) -> dict[str, float | str]:
    """The shortest command there is: by subprocess alone, by our runner of processes, and in the sandbox."""
    sandbox, room = _room("preferred", work_dir)
    env = environment()

    def bare() -> None:
        subprocess.run(["true"], cwd=work_dir, env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True)

    ways: dict[str, Callable[[], None]] = {
        "bare": bare,
        "ours": lambda: _void(run(["true"], cwd=work_dir, env=env)),
        sandbox.level: lambda: _void(sandbox.run(["true"], room, limits=Limits())),
    }
    found: dict[str, float | str] = {}
    for name, way in ways.items():
        way()
        times = []
        for _ in range(_SPAWNS):
            begun = time.perf_counter()
            way()
            times.append(time.perf_counter() - begun)
        found[f"{name}_ms"] = round(median(times) * 1000, 2)
    return found


def _room(isolation: Literal["preferred", "none"], work_dir: Path) -> tuple[Sandbox, Room]:
    folder = Path(tempfile.mkdtemp(prefix="room-", dir=work_dir))
    sandbox = choose(isolation, "bench", work_dir)
    sandbox.give(folder)
    return sandbox, Room(cwd=folder, home=folder, binds=(Bind(folder, writable=True),))


def _peak_mib() -> float:
    """Of this process since its program was loaded."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if os.uname().sysname == "Darwin" else 2**10)
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) / 1024
