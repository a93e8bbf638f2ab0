"""Who else works on this database: a row per app process, renewed while it lives; what a dead one had taken is free again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from app.store.schema import outbox, replicas


@dataclass(frozen=True)
class Replica:
    """One app process; `host` is the machine whose runners it can see."""

    id: str
    host: str


def join(connection: Connection, me: Replica, now: datetime, lease: timedelta) -> bool:
    """Enters; True when nobody else is alive, so that whatever was under way belonged to the dead."""
    if connection.dialect.name == "sqlite":
        # Its file is locked for one process: whoever else is noted has died.
        connection.execute(delete(replicas))
    connection.execute(replicas.insert().values(id=me.id, host=me.host, joined_at=now.timestamp(), seen_at=now.timestamp()))
    renew(connection, me, now, lease)
    return connection.scalar(select(replicas.c.id).where(replicas.c.id != me.id).limit(1)) is None


def renew(connection: Connection, me: Replica, now: datetime, lease: timedelta) -> bool:
    """Says that we live and buries who has not said so for a lease; True when we are the eldest, who does what one must do."""
    mine = update(replicas).where(replicas.c.id == me.id).values(seen_at=now.timestamp())
    if connection.execute(mine).rowcount == 0:  # we were silent for so long that another one has buried us
        connection.execute(replicas.insert().values(id=me.id, host=me.host, joined_at=now.timestamp(), seen_at=now.timestamp()))
    connection.execute(delete(replicas).where(replicas.c.seen_at < (now - lease).timestamp()))
    _release_what_nobody_holds(connection)
    return connection.scalar(select(replicas.c.id).order_by(replicas.c.joined_at, replicas.c.id).limit(1)) == me.id


def leave(connection: Connection, me: Replica) -> None:
    """An orderly end: nobody has to wait for the lease."""
    connection.execute(delete(replicas).where(replicas.c.id == me.id))
    _release_what_nobody_holds(connection)


def _release_what_nobody_holds(connection: Connection) -> None:
    """It is done again, which its effect can bear."""
    living = select(replicas.c.id)
    abandoned = update(outbox).where(outbox.c.status == "taken", outbox.c.taken_by.not_in(living))
    connection.execute(abandoned.values(status="new", taken_by=""))
