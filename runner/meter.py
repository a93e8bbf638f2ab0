"""Adds up what a phase's commands used, and how long its stages took; two commands may end at the same time."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from shared.models import PhaseResult, Step, Usage
from shared.process import Ended

Result = TypeVar("Result")
_MOST_STEPS = 40  # repeated passes have the same stages again; the first say what there is to say


def together(one: Usage, other: Usage) -> Usage:
    """The sum; a cost is unknown when nobody knows any."""
    costs = [usage.cost_usd for usage in (one, other) if usage.cost_usd is not None]
    return Usage(
        turns=one.turns + other.turns,
        input_tokens=one.input_tokens + other.input_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cost_usd=round(sum(costs), 6) if costs else None,
        network_bytes=one.network_bytes + other.network_bytes,
    )


def timed(run: Callable[[], Result]) -> tuple[Result, float]:
    """With the seconds that it took, whatever ran beside it."""
    begun = time.monotonic()
    return run(), time.monotonic() - begun


@dataclass
class Stage:
    """A step while it is taken."""

    cached: bool = False


class Meter:
    """Resources of one phase; mean memory is weighted by how long each command ran."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cpu_seconds = 0.0
        self._peak_mib = 0.0
        self._mib_seconds = 0.0
        self._seconds = 0.0
        self._read_bytes = 0
        self._written_bytes = 0
        self._usage = Usage()
        self._steps: list[Step] = []
        self._saved_seconds = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[Stage]:
        """Times a stage, however it ends; steps do not lie within each other, but may run side by side."""
        stage, begun = Stage(), time.monotonic()
        try:
            yield stage
        finally:
            self.took(name, time.monotonic() - begun, cached=stage.cached)

    def took(self, name: str, seconds: float, *, cached: bool = False) -> None:
        """A stage that was timed elsewhere."""
        with self._lock:
            if len(self._steps) < _MOST_STEPS:
                self._steps.append(Step(name=name, seconds=round(seconds, 3), cached=cached))

    def side_by_side(self, together: float, each: Iterable[float]) -> None:
        """Commands ran beside each other: what that gained."""
        with self._lock:
            self._saved_seconds += max(0.0, sum(each) - together)

    def add(self, ended: Ended) -> None:
        with self._lock:
            self._cpu_seconds += ended.cpu_seconds
            self._peak_mib = max(self._peak_mib, ended.peak_memory_mib)
            self._mib_seconds += ended.memory_mib * ended.seconds
            self._seconds += ended.seconds
            self._read_bytes += ended.read_bytes
            self._written_bytes += ended.written_bytes

    def spent(self, usage: Usage) -> None:
        with self._lock:
            self._usage = together(self._usage, usage)

    def on(self, result: PhaseResult) -> PhaseResult:
        """`result` with what the phase used."""
        return result.model_copy(
            update={
                "cpu_seconds": round(self._cpu_seconds, 3),
                "peak_memory_mib": round(self._peak_mib, 1),
                "memory_mib": round(self._mib_seconds / self._seconds, 1) if self._seconds else 0.0,
                "read_bytes": self._read_bytes,
                "written_bytes": self._written_bytes,
                "usage": self._usage,
                "steps": tuple(self._steps),
                "saved_seconds": round(self._saved_seconds, 3),
            }
        )
