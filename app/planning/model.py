"""From evidence to probabilities: a linear score per file, calibrated within its issue, and the chance that two issues collide.

The numbers come from `scripts/fit_planning.py` on repositories that the reported figures do not hold; docs/planning.md says which.
"""

from collections.abc import Mapping, Sequence
from math import exp, log, log1p

# What a unit of each kind of evidence adds to a file's score. Rank within an issue is all that the score means.
WEIGHTS: Mapping[str, float] = {
    "content": 2.7,
    "path": 1.1,
    "path_share": 1.7,
    "message": 0.7,
    "message_share": 2.6,
    "said_share": 3.0,
    "often": 0.7,
    "lately": 0.8,
    "scope": 1.0,
    "named": 2.1,
    "symbol": 0.9,
    "together": 1.3,
    "imports": 0.7,
    "pair": 0.6,
    "is_test": -0.2,
    "is_docs": -0.5,
    "is_ci": -0.4,
    "tests_wanted": 0.9,
    "docs_wanted": 0.9,
    "ci_wanted": 0.9,
    "configuration_wanted": 0.3,
}
# P(touch) is the logistic of: score, distance to the best, best, distance to the whole field, log of rank; then a constant.
SHAPE = (0.16, 0.05, 0.04, 0.89, -0.03)
SHAPE_AT_0 = 0.0
# P(conflict) is the logistic of: likeness of the two lists of files; then a constant.
LIKENESS = 5.0
LIKENESS_AT_0 = -2.9


def probabilities(scores: Sequence[float]) -> list[float]:
    """P(touch) of an issue's candidates, in the order given, which must be by falling score."""
    if not scores:
        return []
    best = scores[0]
    field = log(sum(exp(score - best) for score in scores))
    return [
        logistic(sum(a * b for a, b in zip(SHAPE, shape(score, best, field, rank), strict=True)) + SHAPE_AT_0)
        for rank, score in enumerate(scores)
    ]


def shape(score: float, best: float, field: float, rank: int) -> tuple[float, ...]:
    """What the calibration sees of a candidate."""
    return score, score - best, best, score - best - field, log1p(rank)


def conflict_probability(likeness: float) -> float:
    """P(two tasks change the same file) by the likeness (cosine) of their lists of probable files."""
    return logistic(LIKENESS * likeness + LIKENESS_AT_0)


def logistic(value: float) -> float:
    """1 / (1 + e^-x), safe at both ends."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, value))))
