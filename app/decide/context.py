"""What a decision may know beside its own repository, as arguments: the time, the pool that all share, and the machine."""

from dataclasses import dataclass
from datetime import datetime

from app.decide.operator_mode import OperatorMode
from app.decide.policy import Policy
from app.planning.capacity import NO_LIMIT, Machine, Throttle
from app.planning.fairness import Demand


@dataclass(frozen=True)
class Held:
    """What another repository's attempt holds."""

    created_at: datetime
    memory_mib: float
    cpu: float


@dataclass(frozen=True)
class Reservation:
    """Another repository's task that has waited longer than patience allows, longest of all: what it needs is kept for it."""

    since: datetime
    memory_mib: float
    cpu: float


@dataclass(frozen=True)
class Pool:
    """What repositories share. The provider's refusals are those of the others only: a repository knows its own."""

    slots_held: int = 0
    # Spent and reserved by all attempts that were started today.
    cost_today_usd: float = 0
    paused_until: datetime | None = None
    probing: bool = False
    mode: OperatorMode = OperatorMode.RUNNING
    # Of the other repositories: who holds and wants slots, what their attempts hold, for whom room is kept.
    demands: tuple[Demand, ...] = ()
    held: tuple[Held, ...] = ()
    reserved: Reservation | None = None
    # As the pressure on the machine has it; None: not measured.
    throttle: Throttle | None = None


@dataclass(frozen=True)
class Context:
    """Everything else a decision may know: the time and the pool's room, as arguments."""

    now: datetime
    policy: Policy
    pool: Pool = Pool()
    machine: Machine = NO_LIMIT
    # How many comments, checks and pull requests GitHub will still take from this installation now.
    writes_left: float = float("inf")
