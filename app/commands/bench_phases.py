"""How long the phases took, beside the bands that the reference gives for its own."""

from collections.abc import Sequence
from statistics import median
from typing import Literal, NamedTuple, TypedDict

from app.commands.console import print_table
from shared.models import AttemptReport, PhaseName


class _Band(NamedTuple):
    """Seconds from and to, as the reference's performance analysis has them (`WorkflowManager Performance Profile`)."""

    name: str
    phases: tuple[PhaseName, ...]
    least: float
    most: float


_BANDS = (
    _Band("1-3 set-up", (PhaseName.SETUP, PhaseName.ISSUE, PhaseName.BRANCH), 30, 60),
    _Band("4 research", (PhaseName.RESEARCH,), 60, 300),
    _Band("5 implementation", (PhaseName.IMPLEMENTATION,), 300, 1800),
    _Band("6 testing", (PhaseName.TESTING,), 60, 300),
    _Band("7 documentation", (PhaseName.DOCUMENTATION,), 60, 180),
    _Band("8 pull request", (PhaseName.PULL_REQUEST,), 30, 60),
    _Band("9 review", (PhaseName.REVIEW,), 120, 600),
)


class PhaseFigures(TypedDict):
    """One row; seconds. `place` is where the median lies to the band; null figures: no attempt ran these phases."""

    phases: str
    attempts: int
    median_seconds: float | None
    longest_seconds: float | None
    reference_least: float
    reference_most: float
    place: Literal["below", "within", "above", ""]


def compared(reports: Sequence[AttemptReport]) -> list[PhaseFigures]:
    """Of the attempts in which a phase took any time; one that came after the attempt's end took none."""
    return [_row(band, reports) for band in _BANDS]


def show(slots: int, figures: Sequence[PhaseFigures]) -> None:
    """As a table for people."""
    lines = [
        (
            f["phases"],
            str(f["attempts"]),
            _seconds(f["median_seconds"]),
            _seconds(f["longest_seconds"]),
            f"{f['reference_least']:.0f} to {f['reference_most']:.0f}",
            f["place"],
        )
        for f in figures
    ]
    print_table(
        f"Phases beside the reference's bands, {slots} at a time", ("phases", "tasks", "median s", "longest s", "band s", ""), lines
    )


def _row(band: _Band, reports: Sequence[AttemptReport]) -> PhaseFigures:
    took = [seconds for report in reports if (seconds := _took(band, report)) is not None]
    middle = median(took) if took else None
    return PhaseFigures(
        phases=band.name,
        attempts=len(took),
        median_seconds=middle,
        longest_seconds=max(took, default=None),
        reference_least=band.least,
        reference_most=band.most,
        place="" if middle is None else "below" if middle < band.least else "above" if middle > band.most else "within",
    )


def _took(band: _Band, report: AttemptReport) -> float | None:
    ran = [phase.seconds for phase in report.phases if phase.name in band.phases and phase.seconds > 0]
    return sum(ran) if ran else None


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
