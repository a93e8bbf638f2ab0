"""How long a task will take and how much memory it needs: what was measured here, drawn towards what is known beforehand.

Minutes (P50): feature 44, bug 18 and tests 12 are the means of the reference system's scenarios; a refactoring changes code
without deciding what it should do: 30; documentation and chores need fewer test cycles: 10. P90 is 1.75 times P50: so it was in
the reference system's recorded run of twelve tasks (8.3 and 14.5 minutes). Memory: 2,048 MiB per task is the P90.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.models import Estimate, Kind

MINUTES_P50: dict[Kind, float] = {
    Kind.FEATURE: 44,
    Kind.BUG: 18,
    Kind.TESTS: 12,
    Kind.REFACTOR: 30,
    Kind.DOCS: 10,
    Kind.CHORE: 10,
}
P90_FACTOR = 1.75
MEMORY_MIB_P90 = 2048.0
# Of one core: agents mostly wait for a model.
CPU_P90 = 0.25
# As many attempts as what is known beforehand counts for; with fewer, memory is not believed at all: too little stops a machine.
_WEIGHT = 5


class Past(NamedTuple):
    """An attempt that went its whole way; memory 0: not measured."""

    kind: Kind
    minutes: float
    memory_mib: float


class History(NamedTuple):
    """What a repository has seen; `memory_mib` is what a task is expected to need as long as nobody knows."""

    past: tuple[Past, ...] = ()
    memory_mib: float = MEMORY_MIB_P90


NO_HISTORY = History()


def estimate(kind: Kind, history: History = NO_HISTORY) -> Estimate:
    """For a task of that kind."""
    same = [attempt for attempt in history.past if attempt.kind is kind]
    minutes = [attempt.minutes for attempt in same]
    measured = [attempt.memory_mib for attempt in same if attempt.memory_mib > 0]
    p50 = _drawn(minutes, 0.5, MINUTES_P50[kind])
    return Estimate(
        minutes_p50=p50,
        minutes_p90=max(p50, _drawn(minutes, 0.9, MINUTES_P50[kind] * P90_FACTOR)),
        memory_mib_p90=_drawn(measured, 0.9, history.memory_mib) if len(measured) >= _WEIGHT else history.memory_mib,
        source=f"prior and {len(same)} attempt{'' if len(same) == 1 else 's'} here" if same else "prior",
    )


def _drawn(values: Sequence[float], share: float, prior: float) -> float:
    """n values count n/(n+5), the prior the rest."""
    if not values:
        return prior
    weight = len(values) / (len(values) + _WEIGHT)
    return round(weight * _quantile(values, share) + (1 - weight) * prior, 3)


def _quantile(values: Sequence[float], share: float) -> float:
    """Between two values the line between them."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
