"""How well files and conflicts are predicted on a repository's own history, beside simpler planners."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from app.commands.console import print_table
from app.facts.index import read_index
from app.facts.replay import MOST_FILES, WINDOW, Window, windows
from app.planning.conflicts import conflict_probabilities, is_regenerated
from app.planning.evidence import MOST_TOUCHES, touched_files
from app.planning.likely import Analyst, wanted
from app.planning.scores import Judged, average_precision, best_f1, calibration_error, found_at, judged_pairs, mean
from shared.errors import UserError
from shared.issue_text import read_issue
from shared.models import Touch

_PLANNERS = ("shoal", "similar text", "paths", "everything conflicts", "nothing conflicts")
Ranked = Mapping[int, Sequence[Touch]]  # by place in the batch


class Scores(TypedDict):
    """Of one planner: null where it predicts no such thing, or no probability."""

    recall_at_5: float | None
    recall_at_10: float | None
    precision_at_5: float | None
    average_precision: float
    best_f1: float
    calibration_error: float | None
    calibration_error_of_touches: float | None


class RepositoryFigures(TypedDict):
    """One repository: what was replayed, and how each planner did."""

    repository: str
    windows: int
    issues: int
    pairs: int
    conflicting: float
    seconds: float
    planners: dict[str, Scores]


@dataclass
class _Tally:
    """Of one planner over all windows."""

    at_5: list[tuple[float, float]] = field(default_factory=list)
    at_10: list[tuple[float, float]] = field(default_factory=list)
    pairs: list[Judged] = field(default_factory=list)
    touches: list[Judged] = field(default_factory=list)

    def add(self, ranked: Ranked, window: Window, conflicts: Mapping[tuple[int, int], float]) -> None:
        for place, changed in enumerate(window.changed):
            paths = [touch.path for touch in ranked.get(place, ())]
            self.at_5.append(found_at(paths, changed, 5))
            self.at_10.append(found_at(paths, changed, 10))
            self.touches += [(touch.probability, touch.path in changed) for touch in ranked.get(place, ())]
        self.pairs += judged_pairs(window.changed, conflicts)

    def scores(self, planner: str) -> Scores:
        files, probable = not planner.endswith("conflicts"), planner != "similar text"
        return Scores(
            recall_at_5=_rounded(mean(recall for recall, _ in self.at_5)) if files else None,
            recall_at_10=_rounded(mean(recall for recall, _ in self.at_10)) if files else None,
            precision_at_5=_rounded(mean(precision for _, precision in self.at_5)) if files else None,
            average_precision=_rounded(average_precision(self.pairs)),
            best_f1=_rounded(best_f1(self.pairs)),
            calibration_error=_rounded(calibration_error(self.pairs)) if probable else None,
            calibration_error_of_touches=_rounded(calibration_error(self.touches)) if files and probable else None,
        )


def planning_quality(repositories: Sequence[Path], count: int) -> list[RepositoryFigures]:
    """A row for each repository, and their mean as the last."""
    rows = [_replayed(repository, count) for repository in repositories]
    return [*rows, _mean_of(rows)] if len(rows) > 1 else rows


def _replayed(repository: Path, count: int) -> RepositoryFigures:
    begun = time.perf_counter()
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    seen = 0
    for window in windows(repository, count):
        seen += 1
        for planner, (ranked, conflicts) in _predictions(window).items():
            tallies[planner].add(ranked, window, conflicts)
    if not seen:
        raise UserError(
            f"{repository} has too few changes to replay: {WINDOW} of 1 to {MOST_FILES} files with parents are the least"
        )
    ours = tallies["shoal"].pairs
    return RepositoryFigures(
        repository=_name(repository),
        windows=seen,
        issues=len(tallies["shoal"].at_5),
        pairs=len(ours),
        conflicting=_rounded(mean(float(happened) for _, happened in ours)),
        seconds=round(time.perf_counter() - begun, 1),
        planners={planner: tallies[planner].scores(planner) for planner in _PLANNERS},
    )


def _predictions(window: Window) -> dict[str, tuple[Ranked, Mapping[tuple[int, int], float]]]:
    texts = [read_issue(issue) for issue in window.issues]
    analyst = Analyst(read_index(window.base, wanted(texts)))
    ours = {place: analyst.touches(text) for place, text in enumerate(texts)}
    named = {place: _counted(touched_files(text, window.base.tree)) for place, text in enumerate(texts)}
    similar = {place: _counted(analyst.similar(text)) for place, text in enumerate(texts)}
    everything = {(one, other): 1.0 for other in range(len(texts)) for one in range(other)}
    return {
        "shoal": ({place: _counted(touches) for place, touches in ours.items()}, conflict_probabilities(ours)),
        "similar text": (similar, conflict_probabilities(similar)),
        "paths": (named, conflict_probabilities(named)),
        "everything conflicts": ({}, everything),
        "nothing conflicts": ({}, {}),
    }


def _counted(touches: Sequence[Touch]) -> list[Touch]:
    """Changelogs and lock files are left out of the truth, so of what is judged too."""
    return [touch for touch in touches if not is_regenerated(touch.path)][:MOST_TOUCHES]


def _name(repository: Path) -> str:
    """A folder's name tells nothing of the machine; for `owner+name/repo` and `name/.git` the one above does."""
    place = repository.resolve()
    return place.parent.name if place.name in {"repo", ".git"} else place.name


def _mean_of(rows: Sequence[RepositoryFigures]) -> RepositoryFigures:
    def over(planner: str, figure: str) -> float | None:
        values = [row["planners"][planner][figure] for row in rows]  # type: ignore[literal-required]
        return None if None in values else _rounded(mean(values))

    return RepositoryFigures(
        repository="mean",
        windows=sum(row["windows"] for row in rows),
        issues=sum(row["issues"] for row in rows),
        pairs=sum(row["pairs"] for row in rows),
        conflicting=_rounded(mean(row["conflicting"] for row in rows)),
        seconds=round(sum(row["seconds"] for row in rows), 1),
        planners={name: Scores(**{figure: over(name, figure) for figure in Scores.__annotations__}) for name in _PLANNERS},  # type: ignore[typeddict-item]
    )


def _rounded(value: float) -> float:
    return round(value, 3)


def show(rows: Sequence[RepositoryFigures]) -> None:
    """One table: our planner by repository, then every planner's mean."""
    columns = [
        "Repository",
        "Planner",
        "Issues",
        "Recall@5",
        "Recall@10",
        "Precision@5",
        "AP of pairs",
        "F1",
        "ECE pairs",
        "ECE files",
    ]
    lines = [_line(row, "shoal") for row in rows] + [_line(rows[-1], planner) for planner in _PLANNERS[1:]]
    print_table("Planning: prediction on the repositories' own histories", columns, lines)


def _line(row: RepositoryFigures, planner: str) -> tuple[object, ...]:
    scores = row["planners"][planner].values()
    return (row["repository"], planner, row["issues"], *("-" if value is None else f"{value:.3f}" for value in scores))
