"""Whether the operator lets new work start: one row, seen by every app on this database."""

from datetime import datetime

from sqlalchemy import Connection, select

from app.decide.operator_mode import OperatorMode
from app.store.database import upsert
from app.store.schema import operator


def mode(connection: Connection) -> OperatorMode:
    """Without a word, work goes on."""
    return OperatorMode(connection.scalar(select(operator.c.mode)) or OperatorMode.RUNNING)


def set_mode(connection: Connection, wanted: OperatorMode, now: datetime) -> None:
    """Stands until the next word, also over restarts."""
    upsert(connection, operator, {"id": 1, "mode": wanted.value, "since": now.timestamp()})
