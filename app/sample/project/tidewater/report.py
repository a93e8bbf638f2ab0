"""Reports over many stays."""

from tidewater.berths import occupancy
from tidewater.invoice import build_invoice
from tidewater.stays import nights


def nights_between(stays, first, last):
    """Nights taken from the first day to the last one."""
    return sum(1 for stay in stays for day in nights(stay) if first <= day < last)


def occupancy_between(stays, berths, first, last):
    """Share of the nights on offer that were taken in a period."""
    return occupancy(nights_between(stays, first, last), berths, (last - first).days)


def turnover_between(stays, first, last):
    """Sum of the invoices of all stays that began in the period, in cents."""
    return sum(build_invoice(stay).total for stay in stays if first <= stay.arrival <= last)
