"""How good predictions were: recall, average precision, best F1 and calibration, by what really happened."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import combinations, groupby
from math import fsum

Judged = tuple[float, bool]  # what was predicted, and whether it happened
Pair = tuple[int, int]
_BINS = 10


def found_at(ranked: Sequence[str], changed: Set[str], most: int) -> tuple[float, float]:
    """Recall and precision of the first `most` files."""
    hits = len(changed & set(ranked[:most]))
    return hits / len(changed), hits / most


def judged_pairs(changed: Sequence[Set[str]], predicted: Mapping[Pair, float]) -> list[Judged]:
    """Every two tasks of a batch by their places: true where they changed a file in common."""
    return [
        (predicted.get(pair, 0.0), not changed[pair[0]].isdisjoint(changed[pair[1]]))
        for pair in combinations(range(len(changed)), 2)
    ]


def average_precision(judged: Sequence[Judged]) -> float:
    """The area under precision over recall; what has the same probability is found together."""
    area, before = 0.0, 0.0
    for precision, recall in _curve(judged, sum(happened for _, happened in judged)):
        area += (recall - before) * precision
        before = recall
    return area


def best_f1(judged: Sequence[Judged]) -> float:
    """At the best threshold above 0: what has no probability at all is not predicted at any."""
    positives = sum(happened for _, happened in judged)
    points = _curve([one for one in judged if one[0] > 0], positives)
    return max((2 * precision * recall / (precision + recall) for precision, recall in points if recall), default=0.0)


def calibration_error(judged: Sequence[Judged]) -> float:
    """The expected one: how far the mean probability and the share that happened are apart, over ten bins."""
    bins: list[list[Judged]] = [[] for _ in range(_BINS)]
    for one in judged:
        bins[min(int(one[0] * _BINS), _BINS - 1)].append(one)
    gaps = (abs(fsum(probability - happened for probability, happened in some)) for some in bins)
    return fsum(gaps) / len(judged) if judged else 0.0


def mean(values: Iterable[float]) -> float:
    """0 of nothing."""
    some = list(values)
    return fsum(some) / len(some) if some else 0.0


def _curve(judged: Sequence[Judged], positives: int) -> list[tuple[float, float]]:
    """Precision and recall after each distinct probability, from the highest."""
    points, seen, hits = [], 0, 0
    for _, same in groupby(sorted(judged, key=lambda one: -one[0]), key=lambda one: one[0]):
        outcomes = [happened for _, happened in same]
        seen, hits = seen + len(outcomes), hits + sum(outcomes)
        points.append((hits / seen, hits / positives if positives else 0.0))
    return points
