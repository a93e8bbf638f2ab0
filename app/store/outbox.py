"""Actions on their way out: written with the decision that asked for them, done at least once, one at a time per key."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from app.actions import Action, RefreshReport, SyncReport
from app.store.database import storable
from app.store.replicas import Replica
from app.store.schema import outbox, replicas

# Seconds until the next try; the last one repeats for ever, because nothing may be lost.
_BACKOFF = (0.2, 0.5, 1, 2, 5, 15, 30, 60)


def put(connection: Connection, actions: Iterable[Action], now: datetime) -> None:
    """Asks for actions; one that already waits untouched is not asked for twice."""
    for action in actions:
        key, body = key_of(action), action.model_dump_json()
        # One refresh waits per orchestration, whenever it is due: it writes whatever differs by then.
        alike = outbox.c.kind == action.kind if isinstance(action, RefreshReport) else outbox.c.body == body
        same = select(outbox.c.id).where(outbox.c.status == "new", outbox.c.key == key, alike)
        if connection.scalar(same) is not None:
            continue
        due = max(now, action.not_before) if isinstance(action, RefreshReport) else now
        connection.execute(
            outbox.insert().values(
                repository_id=action.repository_id,
                key=key,
                kind=str(getattr(action, "kind", "")),
                body=body,
                status="new",
                next_at=due.timestamp(),
                created_at=now.timestamp(),
                place=action.place,
            )
        )


def key_of(action: Action) -> str:
    """What must not be done twice at once."""
    if isinstance(action, SyncReport | RefreshReport):
        return f"report:{action.orchestration}"
    fields = action.model_dump()
    subject = (
        fields.get("attempt")
        or fields.get("orchestration")
        or fields.get("issue")
        or fields.get("check")
        or fields.get("external_id")
    )
    return f"{fields.get('kind')}:{action.repository_id}:{subject}"


def take(connection: Connection, me: Replica, now: datetime, most: int) -> list[tuple[int, str, str, int]]:
    """Marks due rows as taken by us: id, key, body, tries. A key that anybody is at, and its second row, wait their turn."""
    somewhere = select(replicas.c.id).union(select(replicas.c.host))
    ours = or_(outbox.c.place.in_(("", me.id, me.host)), outbox.c.place.not_in(somewhere))
    query = select(outbox.c.id, outbox.c.key, outbox.c.body, outbox.c.tries).where(
        outbox.c.status == "new", outbox.c.next_at <= now.timestamp(), ours
    )
    taken: list[tuple[int, str, str, int]] = []
    keys = set(connection.scalars(select(outbox.c.key).where(outbox.c.status == "taken")))
    for row in connection.execute(query.order_by(outbox.c.id).limit(most * 4)):
        if row.key in keys or len(taken) >= most:
            continue
        keys.add(row.key)
        taken.append((row.id, row.key, row.body, row.tries))
    marked = update(outbox).where(outbox.c.id.in_([row[0] for row in taken]))
    connection.execute(marked.values(status="taken", taken_by=me.id))
    return taken


def done(connection: Connection, me: Replica, row_id: int, error: str = "") -> bool:
    """Ends a row; with `error` it ended because nothing will ever help. False when it is no longer ours."""
    values = {"status": "failed" if error else "done", "error": storable(error)}
    return _end(connection, me, row_id, values)


def try_later(
    connection: Connection, me: Replica, row_id: int, tries: int, now: datetime, after: timedelta | None, error: str
) -> bool:
    """Puts a row back; the wait is the other side's wish or grows with the tries. False when it is no longer ours."""
    wait = after or timedelta(seconds=_BACKOFF[min(tries, len(_BACKOFF) - 1)])
    values = {"status": "new", "tries": tries + 1, "next_at": (now + wait).timestamp(), "error": storable(error)}
    return _end(connection, me, row_id, values)


def wake(connection: Connection, repository_id: int, now: datetime) -> None:
    """What waited for GitHub there need not wait any longer."""
    waiting = update(outbox).where(outbox.c.repository_id == repository_id, outbox.c.status == "new", outbox.c.tries > 0)
    connection.execute(waiting.values(next_at=now.timestamp(), tries=0))


def _end(connection: Connection, me: Replica, row_id: int, values: Mapping[str, object]) -> bool:
    ours = update(outbox).where(outbox.c.id == row_id, outbox.c.status == "taken", outbox.c.taken_by == me.id)
    return connection.execute(ours.values(taken_by="", **values)).rowcount == 1


def prune(connection: Connection, before: datetime) -> int:
    """Forgets what was done long ago; failures stay for the operator."""
    return connection.execute(delete(outbox).where(outbox.c.status == "done", outbox.c.created_at < before.timestamp())).rowcount


def is_empty(connection: Connection) -> bool:
    """Nothing waits to be done, and nothing is under way; a refresh to come is no work: the last word never waits for it."""
    open_rows = select(outbox.c.id).where(outbox.c.status.in_(("new", "taken")), outbox.c.kind != "refresh_report")
    return connection.scalar(open_rows.limit(1)) is None
