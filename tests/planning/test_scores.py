"""What the figures of a replay mean, on batches that can be counted by hand."""

import pytest

from app.planning.scores import average_precision, best_f1, calibration_error, found_at, judged_pairs


def test_recall_and_precision_at_a_place() -> None:
    """One of two changed files is among the first five."""
    assert found_at(["a", "b", "c", "d", "e", "f"], {"b", "f"}, 5) == (0.5, 0.2)


def test_pairs_are_judged_by_the_files_that_both_changed() -> None:
    """Of three tasks two share a file; a pair without prediction has probability 0."""
    assert judged_pairs([{"a"}, {"a", "b"}, {"c"}], {(0, 1): 0.8}) == [(0.8, True), (0.0, False), (0.0, False)]


@pytest.mark.parametrize(
    ("judged", "precision", "f1"),
    [
        ([(0.9, True), (0.8, True), (0.1, False)], 1.0, 1.0),
        ([(0.9, False), (0.8, True)], 0.5, 2 / 3),
        ([(1.0, True), (1.0, False), (1.0, False), (1.0, False)], 0.25, 0.4),
        ([(0.0, True), (0.0, False)], 0.5, 0.0),
        ([], 0.0, 0.0),
    ],
)
def test_ranking_is_judged_with_ties_together(judged: list[tuple[float, bool]], precision: float, f1: float) -> None:
    """Everything alike has the precision of chance; what has no probability is never predicted."""
    assert average_precision(judged) == pytest.approx(precision)
    assert best_f1(judged) == pytest.approx(f1)


def test_calibration_is_the_gap_between_said_and_happened() -> None:
    """Half of what was given 0.5 happened: no gap; all of it: one of 0.5."""
    assert calibration_error([(0.5, True), (0.5, False)]) == 0
    assert calibration_error([(0.5, True), (0.5, True)]) == 0.5
    assert calibration_error([]) == 0
