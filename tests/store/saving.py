"""Puts what a desk has decided into a database."""

from sqlalchemy import Connection

from app.decide.draft import Decision
from app.store import rows
from tests.support.decisions import Desk


def save(connection: Connection, desk: Desk) -> None:
    """Everything that the desk has decided so far."""
    state = desk.state
    written = (tuple(state.orchestrations.values()), tuple(state.tasks.values()), tuple(state.attempts.values()))
    rows.save(connection, state.repository, Decision(state, True, *written, actions=(), refusal=""))
