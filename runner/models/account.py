"""What an attempt has used of its models and what it still may: prices, budget and trouble in one place, without any network."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from runner.models.budget import Budget, Exhausted, Need, Reservation, Spent, spent_before
from runner.models.meter import Meter
from runner.models.prices import Price, dearest, find_price
from runner.models.shapes import Ask, Body, Counted, Refused, pictures
from runner.models.trouble import Seen, Trouble, recognise
from shared.models import AttemptLimits, Usage

# What a request that states no limit may be answered with.
_MOST_OUTPUT = 128_000
_TOKENS_PER_PICTURE = 5_000
# Tokens per byte of a request: what is assumed at first, the bounds of what is learned, and from how many bytes on.
_FIRST_DENSITY, _LEAST_DENSITY, _MOST_DENSITY, _TELLING_BYTES = 0.5, 0.25, 1.0, 4096
_LEARNED_MARGIN = 1.2


class Weighed(NamedTuple):
    """A request with its price; `text_bytes` and `pictures` are what its input was estimated from."""

    ask: Ask
    need: Need
    price: Price
    text_bytes: int
    pictures: int
    streams: bool


class Account:
    """Owned by the proxy's one loop; other threads only read its frozen values."""

    def __init__(self, prices: Mapping[str, Price], limits: AttemptLimits, before: Usage) -> None:
        self._prices = prices
        self._dearest = dearest(prices)
        self._density = _FIRST_DENSITY
        self._seen_density = 0.0
        self._notes: dict[str, None] = {}
        self._at_pass = Usage(cost_usd=0)
        self.budget = Budget(limits, spent_before(before))
        self.usage = Usage(cost_usd=0)
        self.trouble: Trouble | None = None
        self.refused_key = ""
        self.limit_hit = ""
        self.on_limit: Callable[[str], None] = lambda _name: None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    @property
    def pass_usage(self) -> Usage:
        now, then = self.usage, self._at_pass
        known = now.cost_usd is not None and then.cost_usd is not None
        return Usage(
            turns=now.turns - then.turns,
            input_tokens=now.input_tokens - then.input_tokens,
            cached_tokens=now.cached_tokens - then.cached_tokens,
            output_tokens=now.output_tokens - then.output_tokens,
            cost_usd=(now.cost_usd or 0) - (then.cost_usd or 0) if known else None,
            network_bytes=now.network_bytes - then.network_bytes,
        )

    def begin_pass(self) -> None:
        self._at_pass = self.usage
        self.trouble = None
        self.refused_key = ""

    def weigh(self, ask: Ask, body: Body, size: int, *, hour_cache: bool) -> Weighed:
        """What a request may cost at most, as well as its bytes tell."""
        sizes = list(pictures(body)) if self.budget.bounds_output else []
        text = max(0, size - sum(sizes))
        tokens = math.ceil(text * self._density) + len(sizes) * _TOKENS_PER_PICTURE
        price = self._price(ask.model)
        need = Need(
            tokens,
            ask.output or _MOST_OUTPUT,
            ask.least,
            price.worst_input(tokens, ask.factor, hour=hour_cache),
            price.worst_output(tokens, ask.factor),
            ask.answers,
        )
        return Weighed(ask, need, price, text, len(sizes), bool(body.get("stream")))

    def reserve(self, weighed: Weighed) -> Reservation | None:
        """None: to be asked again when something else is settled; raises Refused when the budget is used up."""
        found = self.budget.reserve(weighed.need)
        if isinstance(found, Exhausted):
            is_first = not self.limit_hit
            self.limit_hit = self.limit_hit or found.limit
            if is_first:
                self.on_limit(found.limit)
            raise Refused(400, found.message)
        return found

    def settle(self, held: Reservation, weighed: Weighed, meter: Meter | None, *, answered: bool, ended: bool) -> None:
        """Counts what an exchange used: `answered` when the provider began to, `ended` when it came to its end.

        A `meter` without an answer: it was sent off and given up.
        """
        if meter is None:
            self.budget.settle(held, Spent())
            return
        counted = meter.counted if ended and meter.counted.final else self._estimate(held, weighed, meter, answered=answered)
        cost = weighed.price.cost(counted, weighed.ask.factor)
        self.budget.settle(held, Spent(1, counted.input + counted.output, cost))
        known = self.usage.cost_usd is not None and self._knows_cost(weighed.ask.model)
        self.usage = self.usage.model_copy(
            update={
                "turns": self.usage.turns + 1,
                "input_tokens": self.usage.input_tokens + counted.input,
                "cached_tokens": self.usage.cached_tokens + counted.cached,
                "output_tokens": self.usage.output_tokens + counted.output,
                "cost_usd": (self.usage.cost_usd or 0) + cost if known else None,
            }
        )
        self._learn(weighed, meter.counted)

    def passed(self, size: int) -> None:
        """Bytes went by."""
        self.usage = self.usage.model_copy(update={"network_bytes": self.usage.network_bytes + size})

    def worked(self) -> None:
        """A call that generates was answered well."""
        self.trouble = None
        self.refused_key = ""

    def failed(self, status: int, headers: Mapping[str, str], words: str) -> Seen:
        """A call that generates was answered with an error; `status` 0: not at all."""
        seen = recognise(status, headers, words, datetime.now(UTC)) if status else Seen("provider", Trouble(0, None, words))
        self.trouble = seen.trouble if seen.kind == "provider" else None
        self.refused_key = f"{status}: {seen.trouble.words}" if seen.kind == "key" else ""
        return seen

    def _estimate(self, held: Reservation, weighed: Weighed, meter: Meter, *, answered: bool) -> Counted:
        """For an answer that broke off: what it said, and for the rest what it may have been."""
        most = held.output * weighed.ask.answers
        output = min(meter.output_estimate(), most) if answered or weighed.streams else most
        said = meter.counted
        # The request's input is told first; where it was not, its estimate stands.
        return said._replace(input=said.input or weighed.need.input, output=max(said.output, output))

    def _price(self, model: str) -> Price:
        if found := find_price(model, self._prices):
            return found
        counts = self.budget.limits.cost_usd is not None
        so = "its calls are counted at the dearest known one" if counts else "so the cost is not known either"
        self._notes[f"The price of the model {model[:80]!r} is not known, {so}."] = None
        return self._dearest

    def _knows_cost(self, model: str) -> bool:
        return self.budget.limits.cost_usd is not None or find_price(model, self._prices) is not None

    def _learn(self, weighed: Weighed, counted: Counted) -> None:
        """How dense this attempt's requests are; only ever grows, from its first answer on."""
        if weighed.text_bytes >= _TELLING_BYTES and counted.input:
            seen = (counted.input - weighed.pictures * _TOKENS_PER_PICTURE) / weighed.text_bytes
            self._seen_density = max(self._seen_density, seen)
            self._density = min(_MOST_DENSITY, max(_LEAST_DENSITY, self._seen_density * _LEARNED_MARGIN))
