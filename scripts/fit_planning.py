"""Fits the numbers of app/planning/model.py: `python -m scripts.fit_planning REPOSITORY...`, none of them one that is reported.

A listwise softmax over each issue's candidates gives the weights (files of one issue compete, issues do not), then two
logistic regressions the calibration of files and of pairs. Plain stochastic gradients: no package, the same numbers each time.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, log, sqrt
from pathlib import Path
from random import Random

from app.facts.index import read_index
from app.facts.replay import Window, windows
from app.planning.conflicts import likenesses
from app.planning.evidence import MOST_TOUCHES, named_files
from app.planning.likely import Analyst, wanted
from app.planning.model import WEIGHTS, logistic, shape
from shared.issue_text import read_issue
from shared.models import Touch

_ROUNDS = 30
_KINDS = tuple(WEIGHTS)


@dataclass
class Case:
    """An issue: its candidates, how much of each kind of evidence they have, and which were changed."""

    paths: list[str]
    rows: list[list[float]]
    changed: list[bool]


def cases(window: Window) -> list[Case]:
    """All issues of a window."""
    texts = [read_issue(issue) for issue in window.issues]
    analyst = Analyst(read_index(window.base, wanted(texts)))
    found = []
    for text, changed in zip(texts, window.changed, strict=True):
        evidence, ranked = analyst.ranked(text, {touch.path: touch for touch in named_files(text, window.base.tree)})
        numbers = sorted(number for number, _ in ranked)
        rows = [[evidence.of(kind, number) for kind in _KINDS] for number in numbers]
        paths = [analyst.paths[number] for number in numbers]
        found.append(Case(paths, rows, [path in changed for path in paths]))
    return found


def fit_weights(train: Sequence[Case]) -> list[float]:
    """By Adam; the order of cases is shuffled by a fixed seed."""
    weights = list(WEIGHTS.values())
    moment, square = [0.0] * len(weights), [0.0] * len(weights)
    useful, step = [case for case in train if any(case.changed)], 0
    for turn in range(_ROUNDS):
        order = useful[:]
        Random(turn).shuffle(order)
        for case in order:
            step += 1
            gradient = _gradient(case, weights)
            for at, slope in enumerate(gradient):
                moment[at] += 0.1 * (slope - moment[at])
                square[at] += 0.001 * (slope * slope - square[at])
                bias = sqrt(square[at] / (1 - 0.999**step)) + 1e-6
                weights[at] -= 0.02 * (1 - turn / _ROUNDS) * moment[at] / bias
    return weights


def _gradient(case: Case, weights: Sequence[float]) -> list[float]:
    scores = [fsum(weight * amount for weight, amount in zip(weights, row, strict=True)) for row in case.rows]
    best, changed = max(scores), sum(case.changed)
    parts = [exp(score - best) for score in scores]
    whole = sum(parts)
    slopes = [(changed * part / whole - happened) / sqrt(changed) for part, happened in zip(parts, case.changed, strict=True)]
    return [fsum(slope * row[at] for slope, row in zip(slopes, case.rows, strict=True)) for at in range(len(weights))]


def fit_logistic(rows: Sequence[tuple[tuple[float, ...], bool]]) -> list[float]:
    """Newton's method; the constant stands last."""
    size = len(rows[0][0]) + 1
    weights = [0.0] * size
    for _ in range(10):
        gradient, hessian = [0.0] * size, [[1e-6 * (at == other) for other in range(size)] for at in range(size)]
        for row, happened in rows:
            values = (*row, 1.0)
            p = logistic(sum(weight * value for weight, value in zip(weights, values, strict=True)))
            for at, value in enumerate(values):
                gradient[at] += (p - happened) * value
                slope = p * (1 - p) * value
                for other in range(size):
                    hessian[at][other] += slope * values[other]
        weights = [weight - step for weight, step in zip(weights, _solve(hessian, gradient), strict=True)]
    return weights


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss with pivoting."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(len(rows)):
        pivot = max(range(at, len(rows)), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for row in range(len(rows)):
            if row != at:
                factor = rows[row][at] / rows[at][at]
                rows[row] = [value - factor * above for value, above in zip(rows[row], rows[at], strict=True)]
    return [row[-1] / row[at] for at, row in enumerate(rows)]


def _shaped(case: Case, weights: Sequence[float]) -> list[tuple[str, tuple[float, ...], bool]]:
    scored = sorted(
        (
            (-fsum(w * amount for w, amount in zip(weights, row, strict=True)), path, changed)
            for path, row, changed in zip(case.paths, case.rows, case.changed, strict=True)
        )
    )
    best = -scored[0][0]
    field = log(fsum(exp(-score - best) for score, _, _ in scored))
    return [(path, shape(-score, best, field, rank), changed) for rank, (score, path, changed) in enumerate(scored)]


def main(repositories: Sequence[str]) -> None:
    """Prints the numbers as model.py holds them."""
    batches = [(cases(window), window.changed) for repository in repositories for window in windows(Path(repository))]
    weights = fit_weights([case for batch, _ in batches for case in batch])
    for kind, weight in zip(_KINDS, weights, strict=True):
        print(f'    "{kind}": {weight:.2f},')
    ranked = [([_shaped(case, weights) for case in batch], changed) for batch, changed in batches]
    *form, at_0 = fit_logistic(
        [(row, happened) for batch, _ in ranked for case in batch for _, row, happened in case[:MOST_TOUCHES]]
    )
    print(f"SHAPE = ({', '.join(f'{value:.3f}' for value in form)})\nSHAPE_AT_0 = {at_0:.3f}")
    pairs: list[tuple[tuple[float, ...], bool]] = []
    for batch, changed in ranked:
        touches = {
            number: [
                Touch(path=path, probability=logistic(sum(w * value for w, value in zip(form, row, strict=True)) + at_0), why="")
                for path, row, _ in case[:MOST_TOUCHES]
            ]
            for number, case in enumerate(batch)
        }
        alike = likenesses(touches)
        pairs += [
            ((alike.get((one, other), 0.0),), not changed[one].isdisjoint(changed[other]))
            for one in range(len(batch))
            for other in range(one + 1, len(batch))
        ]
    slope, at_0 = fit_logistic(pairs)
    print(f"LIKENESS = {slope:.2f}\nLIKENESS_AT_0 = {at_0:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
