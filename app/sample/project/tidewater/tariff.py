"""What a night costs, by season and length of the boat."""

from dataclasses import dataclass

from tidewater.money import cents

POWER_PER_KWH = cents("0.45")


@dataclass(frozen=True)
class Season:
    """Fees in cents; the months in which they hold."""

    name: str
    months: tuple
    basic: int
    per_metre: int


LOW = Season("low", (11, 12, 1, 2, 3), cents("6.00"), cents("0.90"))
HIGH = Season("high", (4, 5, 6, 7, 8, 9, 10), cents("9.00"), cents("1.40"))
SEASONS = (LOW, HIGH)


def season_of(day):
    """The season of a day."""
    return next(season for season in SEASONS if day.month in season.months)


def night_price(day, length):
    """Price of one night in cents."""
    season = season_of(day)
    return season.basic + round(season.per_metre * length)
