"""What repositories share, as one of them may know it: slots, money, pauses, who else waits, and how pressed a machine is."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from app.decide.budget import day_of
from app.decide.context import Held, Pool, Reservation
from app.decide.room import OF_THE_POOL
from app.decide.state import Task
from app.planning.capacity import PRESSURE, SHARE, SLOTS, Throttle
from app.planning.estimate import CPU_P90, MEMORY_MIB_P90
from app.planning.fairness import Demand
from app.store import operator
from app.store.database import upsert
from app.store.schema import attempts, repositories, tasks, throttles

_WANTS_A_SLOT = (SLOTS, SHARE, PRESSURE)


def pool(connection: Connection, repository_id: int, now: datetime, patience: timedelta, host: str = "") -> Pool:
    """For a decision of this repository; `host` is the machine whose pressure counts."""
    paused = select(func.max(tasks.c.not_before)).where(tasks.c.not_before.is_not(None), tasks.c.repository_id != repository_id)
    until = connection.scalar(paused)
    columns = (attempts.c.repository_id, attempts.c.probe, attempts.c.created_at, attempts.c.memory_mib, attempts.c.cpu)
    holding = connection.execute(select(*columns).where(attempts.c.holds_slot.is_(True))).all()
    others = [row for row in holding if row.repository_id != repository_id]
    spent = select(func.sum(attempts.c.cost_usd)).where(attempts.c.day == day_of(now))
    return Pool(
        slots_held=len(holding),
        cost_today_usd=connection.scalar(spent) or 0.0,
        paused_until=datetime.fromtimestamp(until, UTC) if until is not None else None,
        probing=any(row.probe for row in others),
        mode=operator.mode(connection),
        demands=_demands(connection, repository_id, [row.repository_id for row in others]),
        held=tuple(Held(datetime.fromtimestamp(row.created_at, UTC), row.memory_mib, row.cpu) for row in others),
        reserved=_reservation(connection, repository_id, (now - patience).timestamp()),
        throttle=throttle(connection, host),
    )


def waiting_by_limit(connection: Connection) -> dict[str, int]:
    """How many tasks of all repositories wait for want of what."""
    query = select(tasks.c.lacks, func.count()).where(tasks.c.lacks != "").group_by(tasks.c.lacks).order_by(tasks.c.lacks)
    return {row[0]: row[1] for row in connection.execute(query)}


def throttle(connection: Connection, host: str) -> Throttle | None:
    """As it was left, also by an app that has died."""
    data = connection.scalar(select(throttles.c.data).where(throttles.c.host == host))
    return Throttle.model_validate_json(data) if data else None


def set_throttle(connection: Connection, host: str, now_is: Throttle) -> None:
    """Stands until the next change, also over restarts."""
    upsert(connection, throttles, {"host": host, "data": now_is.model_dump_json()})


def _demands(connection: Connection, repository_id: int, holders: Collection[int]) -> tuple[Demand, ...]:
    query = select(tasks.c.repository_id, func.count(), func.min(tasks.c.ready_since)).where(
        tasks.c.lacks.in_(_WANTS_A_SLOT), tasks.c.repository_id != repository_id
    )
    waiting = {row[0]: (row[1], row[2] or 0.0) for row in connection.execute(query.group_by(tasks.c.repository_id))}
    keys = sorted({*waiting, *holders})
    held = list(holders)
    return tuple(Demand(key, held.count(key), *waiting.get(key, (0, 0.0))) for key in keys)


def _reservation(connection: Connection, repository_id: int, latest: float) -> Reservation | None:
    query = (
        select(tasks.c.data, repositories.c.full_name)
        .join(repositories)
        .where(tasks.c.lacks.in_(OF_THE_POOL), tasks.c.ready_since <= latest, tasks.c.repository_id != repository_id)
    )
    row = connection.execute(query.order_by(tasks.c.ready_since, tasks.c.repository_id, tasks.c.issue).limit(1)).one_or_none()
    if row is None:
        return None
    task = Task.model_validate_json(row.data)
    use = (task.estimate.memory_mib_p90, task.estimate.cpu_p90) if task.estimate else (MEMORY_MIB_P90, CPU_P90)
    return Reservation(f"{row.full_name}#{task.issue}", task.ready_since or datetime.fromtimestamp(latest, UTC), *use)
