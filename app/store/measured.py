"""What attempts took: a lean row each, kept when everything else about them is forgotten."""

from sqlalchemy import Connection, select

from app.decide.lesson import WHOLE_WAY, lesson_of
from app.decide.state import Attempt, Task
from app.planning.estimate import Past
from app.store.database import upsert
from app.store.schema import measured
from shared.models import Kind, VerdictName

# Older ones tell of other agents and other code.
_MOST = 200


def keep(connection: Connection, attempt: Attempt, task: Task) -> None:
    """Remembers an attempt that has ended with a report."""
    lesson = lesson_of(attempt, task)
    if lesson is None or attempt.ended_at is None:
        return
    row = {
        "attempt": attempt.id,
        "repository_id": attempt.repository_id,
        "kind": task.kind.value,
        **lesson._asdict(),
        "verdict": lesson.verdict.value,
        "ended_at": attempt.ended_at.timestamp(),
    }
    upsert(connection, measured, row)


def latest(connection: Connection, repository_id: int) -> tuple[Past, ...]:
    """The newest attempts of a repository that went their whole way."""
    query = select(measured).where(measured.c.repository_id == repository_id, measured.c.verdict.in_(WHOLE_WAY))
    rows = connection.execute(query.order_by(measured.c.ended_at.desc()).limit(_MOST))
    return tuple(
        Past(
            Kind(row.kind),
            row.minutes,
            row.memory_mib,
            row.cpu,
            row.verdict == VerdictName.SUCCEEDED,
            row.predicted_minutes,
            row.cost_usd,
        )
        for row in rows
    )
