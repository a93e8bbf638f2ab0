"""This process among the apps of one database: it says that it lives, and knows whether it leads."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from app.store import replicas
from app.store.database import Database
from app.store.replicas import Replica


@dataclass
class Membership:
    """The eldest living one ticks and sweeps; two that both believe it for a moment only do so twice."""

    clock: Callable[[], datetime]
    lease: timedelta
    me: Replica = field(default_factory=lambda: Replica(uuid4().hex, socket.gethostname()))
    leads: bool = False

    async def join(self, database: Database) -> bool:
        """True when nobody else is alive."""
        alone = await database.write(lambda c: replicas.join(c, self.me, self.clock(), self.lease))
        await self.renew(database)
        return alone

    async def renew(self, database: Database) -> None:
        """To be called several times in a lease."""
        self.leads = await database.write(lambda c: replicas.renew(c, self.me, self.clock(), self.lease))

    async def leave(self, database: Database) -> None:
        """At the end."""
        self.leads = False
        await database.write(lambda c: replicas.leave(c, self.me))
