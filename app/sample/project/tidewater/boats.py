"""Boats and the people they belong to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Boat:
    """Length and draught in metres."""

    name: str
    skipper: str
    length: float
    draught: float = 1.5


def by_skipper(boats):
    """Boats in the order of the skippers' names, then of their own."""
    return sorted(boats, key=lambda boat: (boat.skipper, boat.name))


def find(boats, name):
    """The boat of that name, whatever its case; None when there is none."""
    wanted = name.strip().lower()
    return next((boat for boat in boats if boat.name.lower() == wanted), None)
