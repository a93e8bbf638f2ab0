"""Stays: a boat in a berth from arrival to departure."""

from dataclasses import dataclass
from datetime import date, timedelta

from tidewater.boats import Boat


@dataclass(frozen=True)
class Stay:
    """`power` is in kilowatt hours, `deposit` in cents."""

    boat: Boat
    arrival: date
    departure: date
    power: int = 0
    deposit: int = 0

    def __post_init__(self):
        if self.departure <= self.arrival:
            raise ValueError(f"{self.boat.name}: departure must be after arrival")


def nights(stay):
    """The day before each night, in order."""
    return [stay.arrival + timedelta(days=number) for number in range((stay.departure - stay.arrival).days)]


def overlap(one, other):
    """Whether two stays share a night."""
    return one.arrival < other.departure and other.arrival < one.departure
