"""Forgets what ended long ago: the attempts and documents of a batch; the newest task of an issue stays, for its branch does."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from app.decide.state import AttemptStatus, Orchestration, OrchestrationStatus, Task
from app.store.schema import attempts, documents, orchestrations, tasks

# Batches at a time: whoever waits to write waits for no more than these.
_MOST = 100


def forget(connection: Connection, before: datetime) -> int:
    """How many batches were forgotten; one with anything that may still go on is not touched."""
    old = select(attempts.c.orchestration).where(
        attempts.c.status == AttemptStatus.ENDED,
        attempts.c.created_at < before.timestamp(),
        attempts.c.day < before.date().isoformat(),
    )
    found = [name for name in connection.scalars(old.distinct().limit(_MOST)) if _is_over(connection, name, before)]
    for name in found:
        connection.execute(delete(attempts).where(attempts.c.orchestration == name))
        connection.execute(delete(documents).where(documents.c.orchestration == name))
        _forget_tasks(connection, name)
    return len(found)


def _is_over(connection: Connection, name: str, before: datetime) -> bool:
    data = connection.scalar(select(orchestrations.c.data).where(orchestrations.c.id == name))
    if data is None:
        return True
    orchestration = Orchestration.model_validate_json(data)
    if orchestration.status is not OrchestrationStatus.DONE or orchestration.ended_at is None or orchestration.ended_at >= before:
        return False
    of_it = connection.scalars(select(tasks.c.data).where(tasks.c.orchestration == name))
    running = select(func.count()).where(attempts.c.orchestration == name, attempts.c.status != AttemptStatus.ENDED)
    return not connection.scalar(running) and not any(Task.model_validate_json(data).open for data in of_it)


def _forget_tasks(connection: Connection, name: str) -> None:
    """Those that a newer generation has replaced; a batch of which no task is left goes with them."""
    newer = tasks.alias()
    replaced = (
        select(newer.c.issue)
        .where(
            newer.c.repository_id == tasks.c.repository_id, newer.c.issue == tasks.c.issue, newer.c.generation > tasks.c.generation
        )
        .exists()
    )
    connection.execute(delete(tasks).where(tasks.c.orchestration == name, replaced))
    if not connection.scalar(select(func.count()).where(tasks.c.orchestration == name)):
        connection.execute(delete(orchestrations).where(orchestrations.c.id == name))
