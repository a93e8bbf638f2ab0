"""Invoices: what a stay costs, line by line."""

from dataclasses import dataclass

from tidewater.money import written
from tidewater.stays import nights
from tidewater.tariff import POWER_PER_KWH, night_price, season_of


@dataclass(frozen=True)
class Line:
    """One line; the amount is in cents."""

    text: str
    amount: int


@dataclass(frozen=True)
class Invoice:
    """All lines of one stay."""

    boat: str
    lines: tuple

    @property
    def total(self):
        """The sum of all lines, in cents."""
        return sum(line.amount for line in self.lines)


def build_invoice(stay):
    """The invoice of a stay: nights by season, then power."""
    lines = []
    days = nights(stay)
    seasons = []
    for day in days:
        name = season_of(day).name
        if name not in seasons:
            seasons.append(name)
    for name in seasons:
        prices = [night_price(day, stay.boat.length) for day in days if season_of(day).name == name]
        word = "night" if len(prices) == 1 else "nights"
        lines.append(Line(f"{len(prices)} {word}, {name} season", sum(prices)))

    if stay.power:
        lines.append(Line(f"Shore power, {stay.power} kWh", stay.power * POWER_PER_KWH))

    return Invoice(stay.boat.name, tuple(lines))


def as_text(invoice):
    """An invoice for the printer, 48 characters wide."""
    rows = [f"{line.text:<36}{written(line.amount):>12}" for line in invoice.lines]
    return "\n".join([invoice.boat, *rows, "-" * 48, f"{'Total':<36}{written(invoice.total):>12}"])
