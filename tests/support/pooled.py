"""Several repositories that share a pool, through a real database; nothing but decisions."""

from dataclasses import dataclass

from sqlalchemy import Connection

from app.decide.context import Context
from app.decide.decide import decide
from app.decide.policy import Policy
from app.decide.state import Repository, State
from app.events import AnyEvent
from app.store import pool, rows
from tests.support.decisions import Desk


@dataclass
class PooledDesk(Desk):
    """Knows of the others what the database tells, as the loop does it."""

    connection: Connection | None = None

    def tell(self, event: AnyEvent) -> str:
        assert self.connection is not None
        shared = pool.pool(self.connection, self.state.repository.id, self.now, self.policy.patience, "here")
        decision = decide(self.state, event, Context(self.now, self.policy, shared, self.machine, self.writes_left))
        rows.save(self.connection, decision.state.repository, decision)
        return self.decided(decision)


def desks(connection: Connection, policy: Policy, *names: str) -> list[PooledDesk]:
    """One repository for each name."""
    states = [State(Repository(id=number, full_name=name, installation_id=9)) for number, name in enumerate(names, start=1)]
    return [PooledDesk(policy, state, connection=connection) for state in states]
