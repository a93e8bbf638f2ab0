"""What an attempt teaches the next estimates, and how wrong the one before it was."""

from typing import NamedTuple

from app.decide.state import Attempt, AttemptStatus, Task
from shared.models import VerdictName

# Others ended before the work was done, or did not begin it.
WHOLE_WAY = (VerdictName.SUCCEEDED, VerdictName.TESTS_FAILED)


class Lesson(NamedTuple):
    """Memory is the greatest peak of its phases, `cpu` the share of a core over all of them; predicted 0: nobody had said."""

    verdict: VerdictName
    minutes: float
    memory_mib: float
    cpu: float
    cost_usd: float | None
    predicted_minutes: float
    predicted_memory_mib: float


def lesson_of(attempt: Attempt, task: Task) -> Lesson | None:
    """None from one that did not end with a report, or that only reviewed, published or added to what was there."""
    report = attempt.report
    part_of_a_task = task.published is not None or attempt.follow_up or attempt.releases
    if attempt.status is not AttemptStatus.ENDED or report is None or attempt.ended_at is None or part_of_a_task:
        return None
    seconds = sum(phase.seconds for phase in report.phases)
    return Lesson(
        verdict=report.verdict.name,
        minutes=attempt.seconds / 60,
        memory_mib=max((phase.peak_memory_mib for phase in report.phases), default=0.0),
        cpu=sum(phase.cpu_seconds for phase in report.phases) / seconds if seconds > 0 else 0.0,
        cost_usd=report.usage.cost_usd,
        predicted_minutes=task.estimate.minutes_p50 if task.estimate else 0.0,
        predicted_memory_mib=task.estimate.memory_mib_p90 if task.estimate else 0.0,
    )
