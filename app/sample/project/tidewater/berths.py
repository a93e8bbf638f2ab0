"""Berths: who fits where."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Berth:
    """Longest boat and depth in metres."""

    number: int
    length: float
    depth: float


def fits(berth, boat):
    """Whether the boat can lie there, with a hand of water under the keel."""
    return boat.length <= berth.length and boat.draught + 0.3 <= berth.depth


def best_berth(berths, boat, taken=()):
    """The smallest free berth that fits, so that long berths stay free for long boats; None when there is none."""
    free = [berth for berth in berths if berth.number not in taken and fits(berth, boat)]
    return min(free, key=lambda berth: (berth.length, berth.number), default=None)


def occupancy(nights_taken, berths, days):
    """Share of the nights on offer that were taken, 0 to 1."""
    on_offer = len(berths) * days
    return nights_taken / on_offer if on_offer else 0.0
