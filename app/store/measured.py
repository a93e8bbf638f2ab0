"""What attempts took: a lean row each, kept when everything else about them is forgotten."""

from sqlalchemy import Connection, select

from app.decide.state import Attempt, AttemptStatus, Task
from app.planning.estimate import Past
from app.store.database import upsert
from app.store.schema import measured
from shared.models import Kind, VerdictName

# Others ended before the work was done, or did not begin it.
_WHOLE_WAY = (VerdictName.SUCCEEDED, VerdictName.TESTS_FAILED)
# Older ones tell of other agents and other code.
_MOST = 200


def keep(connection: Connection, attempt: Attempt, task: Task) -> None:
    """Remembers an attempt that has ended with a report; one that reviewed or added to what was there says nothing of a task."""
    report = attempt.report
    part_of_a_task = task.published is not None or attempt.follow_up
    if attempt.status is not AttemptStatus.ENDED or report is None or attempt.ended_at is None or part_of_a_task:
        return
    row = {
        "attempt": attempt.id,
        "repository_id": attempt.repository_id,
        "kind": task.kind.value,
        "verdict": report.verdict.name.value,
        "minutes": attempt.seconds / 60,
        "memory_mib": max((phase.peak_memory_mib for phase in report.phases), default=0.0),
        "cost_usd": report.usage.cost_usd,
        "ended_at": attempt.ended_at.timestamp(),
    }
    upsert(connection, measured, row)


def latest(connection: Connection, repository_id: int) -> tuple[Past, ...]:
    """The newest attempts of a repository that went their whole way."""
    query = select(measured.c.kind, measured.c.minutes, measured.c.memory_mib).where(
        measured.c.repository_id == repository_id, measured.c.verdict.in_(_WHOLE_WAY)
    )
    rows = connection.execute(query.order_by(measured.c.ended_at.desc()).limit(_MOST))
    return tuple(Past(Kind(row.kind), row.minutes, row.memory_mib) for row in rows)
