"""Fair between repositories: who wants little gets that, and the rest is shared evenly among those who want more."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """What one repository has and wants: slots held, tasks that only wait for room, and since when the first of them does."""

    repository_id: int
    held: int
    waiting: int = 0
    since: float = 0.0


def fair_shares(slots: int, demands: Collection[Demand]) -> dict[int, int]:
    """Slots for each repository, one by one to whoever has fewest; among equals who waits longest, then the lower id.

    Together they are all slots or all that is wanted, so nothing idles for fairness' sake; nothing that runs is ever taken away.
    """
    shares = {demand.repository_id: 0 for demand in demands}
    wanted = {demand.repository_id: demand.held + demand.waiting for demand in demands}
    order = {demand.repository_id: (demand.since, demand.repository_id) for demand in demands}
    for _ in range(min(slots, sum(wanted.values()))):
        open_ = [key for key, share in shares.items() if share < wanted[key]]
        shares[min(open_, key=lambda key: (shares[key], order[key]))] += 1
    return shares
