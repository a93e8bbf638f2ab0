"""Adds up what a phase's commands used; two of them may end at the same time."""

import threading

from shared.models import PhaseResult, Usage
from shared.process import Ended


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
            }
        )
