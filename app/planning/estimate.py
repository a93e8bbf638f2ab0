"""How long a task will take and what it needs: what was measured here, drawn towards what is known beforehand.

Minutes (P50): feature 44, bug 18 and tests 12 are the means of the reference system's scenarios; a refactoring changes code
without deciding what it should do: 30; documentation and chores need fewer test cycles: 10. P90 is 1.75 times P50: so it was in
the reference system's recorded run of twelve tasks (8.3 and 14.5 minutes). Memory: 2,048 MiB per task is the P90. CPU: a quarter
of a core is the P90, since agents mostly wait for a model. Cost: nothing is known beforehand; what attempts of all kinds cost in
the same repository is, as soon as there is one.

Everything is reckoned in logarithms, for such figures differ by factors: P50 from the median, P90 from that and the median of
the distances to it. So one attempt of ten hours or of two seconds moves either only as much as any other attempt on its side.
"""

from collections.abc import Iterable, Sequence
from math import exp, log, sqrt
from statistics import median
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
CPU_P90 = 0.25
# As many attempts as what is known beforehand counts for; with fewer, memory is not believed at all: too little stops a machine.
_WEIGHT = 5
# Where 90 % of a normal distribution lies below, in standard deviations; and its standard deviation by its median distance.
_Z90 = 1.2816
_DEVIATION = 1.4826
_PRIOR_DEVIATION = log(P90_FACTOR) / _Z90
# Shorter or smaller than this is not told apart: a logarithm has no 0.
_LEAST = 1e-3
# Nothing here is larger: what a runner says it used may be any number, and its power of e none at all.
_MOST = 1e9
# Errors of fewer predictions tell nothing.
_FEW = 3


class Past(NamedTuple):
    """An attempt that went its whole way; memory and cpu 0: not measured, predicted 0: nobody had said how long it would take.

    Cost: None where nobody knows, 0 where nothing was paid for.

    Only successful ones tell of minutes: when one with failing tests ends, its rounds of repair are used up, and that is a setting.
    What it used while it ran is as true as of any other.
    """

    kind: Kind
    minutes: float
    memory_mib: float
    cpu: float = 0
    succeeded: bool = True
    predicted_minutes: float = 0
    cost_usd: float | None = None


class History(NamedTuple):
    """What a repository has seen; `memory_mib` is what a task is expected to need as long as nobody knows."""

    past: tuple[Past, ...] = ()
    memory_mib: float = MEMORY_MIB_P90


NO_HISTORY = History()


def estimate(kind: Kind, history: History = NO_HISTORY) -> Estimate:
    """For a task of that kind."""
    same = [attempt for attempt in history.past if attempt.kind is kind]
    minutes = [attempt.minutes for attempt in same if attempt.succeeded]
    memory = [attempt.memory_mib for attempt in same if attempt.memory_mib > 0]
    cpu = [attempt.cpu for attempt in same if attempt.cpu > 0]
    cost_p50, cost_p90, costs_known = _cost(kind, history)
    return Estimate(
        minutes_p50=_p50(minutes, MINUTES_P50[kind]),
        minutes_p90=_p90(minutes, MINUTES_P50[kind]),
        memory_mib_p90=_p90(memory, history.memory_mib / P90_FACTOR) if len(memory) >= _WEIGHT else history.memory_mib,
        cpu_p90=_p90(cpu, CPU_P90 / P90_FACTOR),
        cost_usd_p50=cost_p50,
        cost_usd_p90=cost_p90,
        costs_known=costs_known,
        source=_source(minutes, same),
    )


def _cost(kind: Kind, history: History) -> tuple[float | None, float | None, int]:
    """P50, P90, and of how many attempts. Nobody knows a price beforehand: what all kinds cost here stands for that."""
    known = [(one.kind, one.cost_usd) for one in history.past if one.cost_usd is not None and one.cost_usd > 0]
    if not known:
        return None, None, 0
    usual = exp(median(_logs([cost for _, cost in known])))
    same = [cost for other, cost in known if other is kind]
    return round(_p50(same, usual), 4), round(_p90(same, usual), 4), len(known)


def typical_error(past: Iterable[Past]) -> float | None:
    """By what factor a prediction of minutes was wrong, the median of all: 1 is right, 2 is twice or half; None with too few."""
    known = [one for one in past if one.succeeded and one.predicted_minutes > 0]
    wrong = [abs(_log(one.minutes) - _log(one.predicted_minutes)) for one in known]
    return exp(median(wrong)) if len(wrong) >= _FEW else None


def _source(minutes: Sequence[float], same: Sequence[Past]) -> str:
    if not minutes:
        return "prior"
    factor = typical_error(same)
    wrong = "" if factor is None else f"; earlier predictions wrong by a factor of {factor:.1f}"
    return f"prior and {len(minutes)} attempt{'' if len(minutes) == 1 else 's'} here{wrong}"


def _p50(values: Sequence[float], prior: float) -> float:
    """n values count n/(n+5), the prior the rest."""
    return round(exp(_middle(values, prior)), 3) if values else prior


def _p90(values: Sequence[float], prior: float) -> float:
    """By the distances of the values to their own median; how far apart values are is learned as slowly as where they lie."""
    if not values:
        return prior * P90_FACTOR
    logs = _logs(values)
    middle = median(logs)
    own = _DEVIATION * median(abs(one - middle) for one in logs)
    deviation = sqrt((len(logs) * own**2 + _WEIGHT * _PRIOR_DEVIATION**2) / (len(logs) + _WEIGHT))
    return round(exp(_middle(values, prior) + _Z90 * deviation), 3)


def _middle(values: Sequence[float], prior: float) -> float:
    weight = len(values) / (len(values) + _WEIGHT)
    return weight * median(_logs(values)) + (1 - weight) * _log(prior)


def _logs(values: Sequence[float]) -> list[float]:
    return [_log(value) for value in values]


def _log(value: float) -> float:
    return log(min(max(_LEAST, value), _MOST))
