"""The attempt's budget: a request's worst case is set aside before it goes out, and settled when the truth is known."""

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from shared.models import AttemptLimits, Usage

LimitName = Literal["turns", "tokens", "cost_usd"]

# Rounding must never make what was set aside larger than the limit.
_HAIR = 1e-12


class Need(NamedTuple):
    """A request before it goes out: `output` tokens are wished for, fewer than `least` make no sense; prices per token."""

    input: int
    output: int
    least: int
    input_price: float = 0
    output_price: float = 0
    answers: int = 1

    def least_needed(self) -> int:
        return min(self.output, self.least)


class Spent(NamedTuple):
    """What something cost, or may cost."""

    turns: int = 0
    tokens: int = 0
    cost: float = 0


@dataclass(frozen=True, eq=False)
class Reservation:
    """Holds its place in the budget until it is settled; `output` is the limit that the request must carry."""

    amount: Spent
    output: int


class Exhausted(NamedTuple):
    """The budget is used up; `message` is what the agent is told."""

    limit: LimitName
    message: str


@dataclass
class Budget:
    """Not thread-safe: the proxy's one loop owns it. Reserved sums are added up anew, so that nothing can drift."""

    limits: AttemptLimits
    spent: Spent
    under_way: set[Reservation] = field(default_factory=set)

    @property
    def bounds_output(self) -> bool:
        """Whether the length of an answer matters."""
        return self.limits.tokens is not None or self.limits.cost_usd is not None

    def reserve(self, need: Need) -> Reservation | Exhausted | None:
        """None: not now, but it may fit when a request that is under way costs less than its worst case."""
        if exhausted := self._exhausted(need):
            return exhausted
        reserved = self.reserved()
        output = self._fits(need, reserved)
        if output < need.least_needed() or not self._has_turn(reserved):
            return None
        held = Reservation(_worst(need, output), output)
        self.under_way.add(held)
        return held

    def settle(self, held: Reservation, true: Spent) -> None:
        """Takes the true figure for the worst case; a second time changes nothing."""
        if held in self.under_way:
            self.under_way.remove(held)
            self.spent = _sum((self.spent, true))

    def reserved(self) -> Spent:
        return _sum(tuple(held.amount for held in self.under_way))

    def _exhausted(self, need: Need) -> Exhausted | None:
        """Whether it would not fit even if everything under way cost nothing."""
        limits, spent = self.limits, self.spent
        if not self._has_turn(Spent()):
            return _exhausted("turns", f"limit of {limits.turns} model calls is used up")
        least = _worst(need, need.least_needed())
        if limits.tokens is not None and spent.tokens + least.tokens > limits.tokens:
            return _exhausted(
                "tokens", f"limit of {limits.tokens} tokens is used up ({spent.tokens} spent, this call may take {least.tokens})"
            )
        if limits.cost_usd is not None and self._fits(need, Spent()) < need.least_needed():
            so_far = f"(${spent.cost:.2f} spent, this call may cost ${least.cost:.2f})"
            return _exhausted("cost_usd", f"cost limit of ${limits.cost_usd:.2f} is used up {so_far}")
        return None

    def _has_turn(self, reserved: Spent) -> bool:
        return self.limits.turns is None or self.spent.turns + reserved.turns < self.limits.turns

    def _fits(self, need: Need, reserved: Spent) -> int:
        """How many tokens of output (of each answer) still fit, at most the wished ones."""
        fits = need.output
        if self.limits.tokens is not None:
            left = self.limits.tokens - self.spent.tokens - reserved.tokens - need.input
            fits = min(fits, left // need.answers)
        if self.limits.cost_usd is not None:
            left_cost = self.limits.cost_usd - math.fsum((self.spent.cost, reserved.cost, need.input * need.input_price)) - _HAIR
            price = need.output_price * need.answers
            affordable = min(left_cost / price, need.output) if price else need.output
            fits = min(fits, math.floor(affordable) if left_cost >= 0 else -1)
        return fits


def spent_before(usage: Usage) -> Spent:
    """What an earlier process of the same attempt used."""
    return Spent(usage.turns, usage.input_tokens + usage.output_tokens, usage.cost_usd or 0)


def _worst(need: Need, output: int) -> Spent:
    tokens = output * need.answers
    return Spent(1, need.input + tokens, need.input * need.input_price + tokens * need.output_price)


def _sum(amounts: tuple[Spent, ...]) -> Spent:
    return Spent(
        sum(each.turns for each in amounts), sum(each.tokens for each in amounts), math.fsum(each.cost for each in amounts)
    )


def _exhausted(limit: LimitName, text: str) -> Exhausted:
    return Exhausted(limit, f"shoal: the attempt's {text}")
