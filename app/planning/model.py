"""From evidence to probabilities: a linear score per file, calibrated within its issue, and the chance that two issues collide.

The numbers come from `scripts/fit_planning.py` on repositories that the reported figures do not hold; docs/planning.md says which.
"""

from collections.abc import Mapping, Sequence
from math import exp, log, log1p

# What a unit of each kind of evidence adds to a file's score. Rank within an issue is all that the score means.
WEIGHTS: Mapping[str, float] = {
    "content": 2.52,
    "path": 1.36,
    "path_share": 1.07,
    "message": 1.11,
    "message_share": 3.36,
    "said_share": 3.81,
    "often": 0.40,
    "lately": 0.88,
    "scope": 1.09,
    "named": 2.92,
    "symbol": 0.86,
    "together": 1.93,
    "imports": 0.91,
    "pair": 0.90,
    "is_test": -0.37,
    "is_docs": -0.36,
    "is_ci": -0.28,
    "tests_wanted": 1.04,
    "docs_wanted": 1.04,
    "ci_wanted": 0.77,
}
# P(touch) is the logistic of: score, distance to the best, best, distance to the whole field, log of rank; then a constant.
SHAPE = (0.116, 0.019, 0.052, 0.897, -0.073)
SHAPE_AT_0 = 0.354
# P(conflict) is the logistic of: likeness of the two lists of files; then a constant.
LIKENESS = 4.79
LIKENESS_AT_0 = -3.18
# A text that itself points to this many files, as an expectation, says where it is; with less its conflicts count for less.
# Not fitted: hardly any text of the fitted ones says less than this.
SAID_ENOUGH = 0.5


def probabilities(scores: Sequence[float], most: int) -> list[float]:
    """P(touch) of the best candidates of an issue, in the order given, which must be by falling score."""
    if not scores:
        return []
    best = scores[0]
    field = log(sum(exp(score - best) for score in scores))
    return [
        logistic(sum(a * b for a, b in zip(SHAPE, shape(score, best, field, rank), strict=True)) + SHAPE_AT_0)
        for rank, score in enumerate(scores[:most])
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
