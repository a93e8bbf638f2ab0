"""Events on their way in: one durable row each, keyed so that the same one twice is one."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.store.database import storable
from app.store.schema import inbox


def put(connection: Connection, *, key: str, source: str, kind: str, body: str, now: datetime, status: str = "new") -> bool:
    """False when the key is already there."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"key": key, "source": source, "kind": kind, "body": body, "status": status, "received_at": now.timestamp()}
    new = dialect.insert(inbox).values(row).on_conflict_do_nothing(index_elements=["key"]).returning(inbox.c.id)
    return connection.scalar(new) is not None  # not by rowcount, which is unknown on Postgres


def waiting(connection: Connection, most: int) -> list[tuple[int, str, str, str]]:
    """The oldest rows that were not looked at: id, source, kind, body."""
    query = select(inbox.c.id, inbox.c.source, inbox.c.kind, inbox.c.body).where(inbox.c.status == "new").order_by(inbox.c.id)
    return [(row.id, row.source, row.kind, row.body) for row in connection.execute(query.limit(most))]


def mark(connection: Connection, row_id: int, status: str, error: str = "") -> None:
    """`done`, `ignored`, or `poison` with the error."""
    connection.execute(update(inbox).where(inbox.c.id == row_id).values(status=status, error=storable(error)))


def prune(connection: Connection, before: datetime) -> int:
    """Forgets rows that are done and older than any redelivery; poison stays for the operator."""
    query = delete(inbox).where(inbox.c.status.in_(("done", "ignored")), inbox.c.received_at < before.timestamp())
    return connection.execute(query).rowcount
