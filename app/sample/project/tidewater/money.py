"""Amounts of money, in whole cents so that nothing is lost on the way."""

from decimal import ROUND_HALF_UP, Decimal


def cents(amount):
    """Cents of an amount written as text or number: `12.5` is 1250."""
    return int((Decimal(str(amount)) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(amount, percent):
    """`percent` of an amount in cents, rounded half up."""
    return int((Decimal(amount) * Decimal(str(percent)) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def written(amount):
    """An amount in cents as people read it: 123456 is `1,234.56`."""
    sign = "-" if amount < 0 else ""
    euros, rest = divmod(abs(amount), 100)
    return f"{sign}{euros:,}.{rest:02}"
