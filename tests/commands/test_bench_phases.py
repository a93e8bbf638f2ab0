"""How long the phases took, beside the reference's bands."""

import pytest

from app.commands import bench_phases, bench_rehearsal
from shared.models import AttemptReport, PhaseName, PhaseResult, Verdict, VerdictName


def report(**seconds: float) -> AttemptReport:
    phases = tuple(PhaseResult(name=PhaseName(name), status="passed", seconds=took) for name, took in seconds.items())
    return AttemptReport(
        verdict=Verdict(name=VerdictName.SUCCEEDED, reason="done"), phases=phases, base_sha="a" * 40, isolation="none"
    )


def test_a_phase_is_placed_beside_its_band() -> None:
    """The first three count together; the median is what is placed; who did not run a phase says nothing about it."""
    slow = report(setup=20, issue=5, branch=10, research=400, implementation=299, review=600)
    quick = report(setup=10, issue=5, branch=10, research=2, implementation=1, review=0)
    found = {row["phases"]: row for row in bench_phases.compared([slow, slow, quick])}
    assert {name: (row["attempts"], row["median_seconds"], row["place"]) for name, row in found.items()} == {
        "1-3 set-up": (3, 35, "within"),
        "4 research": (3, 400, "above"),
        "5 implementation": (3, 299, "below"),
        "6 testing": (0, None, ""),
        "7 documentation": (0, None, ""),
        "8 pull request": (0, None, ""),
        "9 review": (2, 600, "within"),
    }
    assert found["4 research"]["longest_seconds"] == 400


def test_the_bands_are_all_of_the_phases_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    """None is left out, and people see band and place in one table."""
    every = report(**{str(name): 200 for name in PhaseName})
    rows = bench_phases.compared([every])
    assert [row["attempts"] for row in rows] == [1] * 7
    bench_phases.show(1, rows)
    shown = capsys.readouterr().out
    assert "300 to 1800" in shown
    assert "above" in shown


@pytest.mark.slow
def test_the_rehearsal_tells_how_long_each_phase_took() -> None:
    """Measured from the attempts that the app itself recorded; one of the eight tasks ends before its tests, as it should."""
    [figures] = bench_rehearsal.rehearsal_figures(think_seconds=0, slots=(4,))
    attempts = {row["phases"]: row["attempts"] for row in figures["phases"]}
    assert attempts.pop("7 documentation") > 0, "it may take less than a millisecond"
    assert list(attempts.values()) == [8, 8, 8, 7, 7, 7]
    assert all(row["median_seconds"] and row["median_seconds"] <= (row["longest_seconds"] or 0) for row in figures["phases"])
