"""What repositories share, as one of them may know it: slots, money, pauses, who else waits, and how pressed a machine is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, case, func, select

from app.decide.budget import day_of
from app.decide.context import Held, Pool, Reservation
from app.decide.room import OF_THE_POOL
from app.decide.state import Task
from app.planning.capacity import PRESSURE, SHARE, SLOTS, Throttle
from app.planning.estimate import CPU_P90, MEMORY_MIB_P90
from app.planning.fairness import Demand
from app.store import operator
from app.store.database import upsert
from app.store.schema import attempts, tasks, throttles

_WANTS_A_SLOT = tasks.c.lacks.in_((SLOTS, SHARE, PRESSURE))
_OTHERS = tasks.c.repository_id != bindparam("me")

# Asked with every event, so they are put together once.
_PAUSED = select(func.max(tasks.c.not_before)).where(tasks.c.not_before.is_not(None), _OTHERS)
_HOLDING = select(attempts.c.repository_id, attempts.c.probe, attempts.c.created_at, attempts.c.memory_mib, attempts.c.cpu).where(
    attempts.c.holds_slot.is_(True)
)
_SPENT = select(func.sum(attempts.c.cost_usd)).where(attempts.c.day == bindparam("day"))
# Of each other repository: how many of its tasks want a slot and since when, and since when any waits for what all share.
_WAITING = (
    select(
        tasks.c.repository_id,
        func.sum(case((_WANTS_A_SLOT, 1), else_=0)).label("wanting"),
        func.min(case((_WANTS_A_SLOT, tasks.c.ready_since))).label("since"),
        func.min(tasks.c.ready_since).label("oldest"),
    )
    .where(tasks.c.lacks.in_(OF_THE_POOL), _OTHERS)
    .group_by(tasks.c.repository_id)
)
_OLDEST = (
    select(tasks.c.data)
    .where(tasks.c.lacks.in_(OF_THE_POOL), _OTHERS)
    .order_by(tasks.c.ready_since, tasks.c.repository_id, tasks.c.issue)
    .limit(1)
)
_THROTTLE = select(throttles.c.data).where(throttles.c.host == bindparam("host"))


def pool(connection: Connection, repository_id: int, now: datetime, patience: timedelta, host: str = "") -> Pool:
    """For a decision of this repository; `host` is the machine whose pressure counts."""
    me = {"me": repository_id}
    until = connection.scalar(_PAUSED, me)
    holding = connection.execute(_HOLDING).all()
    others = [row for row in holding if row.repository_id != repository_id]
    waiting = connection.execute(_WAITING, me).all()
    overdue = any(row.oldest is not None and row.oldest <= (now - patience).timestamp() for row in waiting)
    return Pool(
        slots_held=len(holding),
        cost_today_usd=connection.scalar(_SPENT, {"day": day_of(now)}) or 0.0,
        paused_until=datetime.fromtimestamp(until, UTC) if until is not None else None,
        probing=any(row.probe for row in others),
        mode=operator.mode(connection),
        demands=_demands([row.repository_id for row in others], {row.repository_id: (row.wanting, row.since) for row in waiting}),
        held=tuple(Held(datetime.fromtimestamp(row.created_at, UTC), row.memory_mib, row.cpu) for row in others),
        reserved=_reservation(connection, me) if overdue else None,
        throttle=throttle(connection, host),
    )


def waiting_by_limit(connection: Connection) -> dict[str, int]:
    """How many tasks of all repositories wait for want of what."""
    query = select(tasks.c.lacks, func.count()).where(tasks.c.lacks != "").group_by(tasks.c.lacks).order_by(tasks.c.lacks)
    return {row[0]: row[1] for row in connection.execute(query)}


def throttle(connection: Connection, host: str) -> Throttle | None:
    """As it was left, also by an app that has died; none for no machine."""
    data = connection.scalar(_THROTTLE, {"host": host}) if host else None
    return Throttle.model_validate_json(data) if data else None


def set_throttle(connection: Connection, host: str, now_is: Throttle) -> None:
    """Stands until the next change, also over restarts."""
    upsert(connection, throttles, {"host": host, "data": now_is.model_dump_json()})


def _demands(holders: Sequence[int], waiting: Mapping[int, tuple[int, float | None]]) -> tuple[Demand, ...]:
    found = []
    for key in sorted({*waiting, *holders}):
        wanting, since = waiting.get(key, (0, None))
        found.append(Demand(key, holders.count(key), int(wanting), since or 0.0))
    return tuple(found)


def _reservation(connection: Connection, me: dict[str, int]) -> Reservation | None:
    data = connection.scalar(_OLDEST, me)
    task = Task.model_validate_json(data) if data else None
    if task is None or task.ready_since is None:
        return None
    use = (task.estimate.memory_mib_p90, task.estimate.cpu_p90) if task.estimate else (MEMORY_MIB_P90, CPU_P90)
    return Reservation(task.ready_since, *use)
