"""The trail: who asked for what, and what was written for it; rows are added and, after a long time, forgotten, never changed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from app.store.schema import audit


def put(connection: Connection, now: datetime, repository_id: int | None, kind: str, entry: Mapping[str, object]) -> None:
    """One more line."""
    row = {"at": now.timestamp(), "repository_id": repository_id, "kind": kind, "data": json.dumps(entry)}
    connection.execute(audit.insert().values(row))


def lines(connection: Connection, since: datetime, after: int, most: int) -> list[tuple[int, str]]:
    """The next lines of the export, each with its id."""
    query = select(audit).where(audit.c.at >= since.timestamp(), audit.c.id > after).order_by(audit.c.id).limit(most)
    return [(row.id, _line(row.at, row.repository_id, row.kind, row.data)) for row in connection.execute(query)]


def _line(at: float, repository_id: int | None, kind: str, data: str) -> str:
    head = {"at": datetime.fromtimestamp(at, UTC).isoformat(), "repository_id": repository_id, "kind": kind}
    return json.dumps({**head, **json.loads(data)}) + "\n"


def prune(connection: Connection, before: datetime) -> None:
    """Forgets what is older than the operator wants to keep."""
    connection.execute(delete(audit).where(audit.c.at < before.timestamp()))
