"""What models cost: a table that ages, and how a model's name finds its line in it."""

from collections.abc import Mapping
from typing import NamedTuple

from runner.models.shapes import Counted

SOURCE = "public list prices as collected by github.com/Wei-Shaw/model-price-repo (from LiteLLM), f9ff147"
AS_OF = "2026-07-24"

# Beyond so many tokens of input some models cost double.
_LONG_CONTEXT = 200_000
_HOUR_FACTOR = 2.0


class Price(NamedTuple):
    """US dollars per million tokens; `long_factor` multiplies all of them for a long context."""

    input: float
    output: float
    # Where a provider has no price of its own for these, they cost what input costs.
    cached: float | None = None
    cache_write: float | None = None
    long_factor: float = 1

    def cost(self, counted: Counted, factor: float = 1) -> float:
        """US dollars for these tokens."""
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.cache_write is None else self.cache_write
        plain = max(0, counted.input - counted.cached - counted.written - counted.written_hour)
        millionths = plain * self.input + counted.cached * cached + counted.written * written
        millionths += counted.written_hour * self.input * _HOUR_FACTOR + counted.output * self.output
        return millionths * factor * self._for_context(counted.input) / 1e6

    def worst_input(self, tokens: int, factor: float = 1, *, hour: bool = False) -> float:
        """US dollars per token of a request with so many: none of them cached, all of them written to the cache."""
        written = self.input * _HOUR_FACTOR if hour else self.cache_write or 0
        return max(self.input, written) * factor * self._for_context(tokens) / 1e6

    def worst_output(self, input_tokens: int, factor: float = 1) -> float:
        """US dollars per token of the answer to a request with so many."""
        return self.output * factor * self._for_context(input_tokens) / 1e6

    def _for_context(self, input_tokens: int) -> float:
        return self.long_factor if input_tokens > _LONG_CONTEXT else 1


PRICES: Mapping[str, Price] = {
    "claude-fable-5": Price(10, 50, 1, 12.5),
    "claude-mythos-5": Price(10, 50, 1, 12.5),
    "claude-opus-5": Price(5, 25, 0.5, 6.25),
    "claude-opus-4-8": Price(5, 25, 0.5, 6.25),
    "claude-opus-4-7": Price(5, 25, 0.5, 6.25),
    "claude-opus-4-6": Price(5, 25, 0.5, 6.25),
    "claude-opus-4-5": Price(5, 25, 0.5, 6.25),
    "claude-opus-4": Price(15, 75, 1.5, 18.75),
    "claude-3-opus": Price(15, 75, 1.5, 18.75),
    "claude-sonnet-5": Price(2, 10, 0.2, 2.5),
    "claude-sonnet-4-6": Price(3, 15, 0.3, 3.75),
    "claude-sonnet-4": Price(3, 15, 0.3, 3.75, long_factor=2),
    "claude-3-7-sonnet": Price(3, 15, 0.3, 3.75),
    "claude-haiku-4-5": Price(1, 5, 0.1, 1.25),
    "claude-3-5-haiku": Price(0.8, 4, 0.08, 1),
    "claude-3-haiku": Price(0.25, 1.25, 0.03, 0.3),
    "gpt-5.6": Price(5, 30, 0.5, 6.25, long_factor=2),
    "gpt-5.6-luna": Price(1, 6, 0.1, 1.25, long_factor=2),
    "gpt-5.6-terra": Price(2.5, 15, 0.25, 3.125, long_factor=2),
    "gpt-5.5": Price(5, 30, 0.5, long_factor=2),
    "gpt-5.5-pro": Price(30, 180, 3, long_factor=2),
    "gpt-5.4": Price(2.5, 15, 0.25, long_factor=2),
    "gpt-5.4-mini": Price(0.75, 4.5, 0.075),
    "gpt-5.4-nano": Price(0.2, 1.25, 0.02),
    "gpt-5.4-pro": Price(30, 180, 3, long_factor=2),
    "gpt-5.3": Price(1.75, 14, 0.175),
    "gpt-5.2": Price(1.75, 14, 0.175),
    "gpt-5.2-pro": Price(21, 168),
    "gpt-5.1": Price(1.25, 10, 0.125),
    "gpt-5.1-codex-mini": Price(0.25, 2, 0.025),
    "gpt-5": Price(1.25, 10, 0.125),
    "gpt-5-mini": Price(0.25, 2, 0.025),
    "gpt-5-nano": Price(0.05, 0.4, 0.005),
    "gpt-5-pro": Price(15, 120),
    "gpt-4.1": Price(2, 8, 0.5),
    "gpt-4.1-mini": Price(0.4, 1.6, 0.1),
    "gpt-4.1-nano": Price(0.1, 0.4, 0.025),
    "gpt-4o": Price(2.5, 10, 1.25),
    "gpt-4o-mini": Price(0.15, 0.6, 0.075),
    "o3": Price(2, 8, 0.5),
    "o3-mini": Price(1.1, 4.4, 0.55),
    "o3-pro": Price(20, 80),
    "o4-mini": Price(1.1, 4.4, 0.275),
    "gemini-3.6-flash": Price(1.5, 7.5, 0.15),
    "gemini-3.5-flash": Price(1.5, 9, 0.15),
    "gemini-3.5-flash-lite": Price(0.3, 2.5, 0.03),
    "gemini-3.1-pro": Price(2, 12, 0.2, long_factor=2),
    "gemini-3.1-flash-lite": Price(0.25, 1.5, 0.025),
    "gemini-3-pro": Price(2, 12, 0.2, long_factor=2),
    "gemini-3-flash": Price(0.5, 3, 0.05),
    "gemini-2.5-pro": Price(1.25, 10, 0.125, long_factor=2),
    "gemini-2.5-flash": Price(0.3, 2.5, 0.03),
    "gemini-2.5-flash-lite": Price(0.1, 0.4, 0.01),
}


def find_price(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of the longest name that `model` is or goes on from (`gpt-5` is `gpt-5-2025-08-07` but not `gpt-5.5`)."""
    name = model.rsplit("/", maxsplit=1)[-1].lower()
    fitting = [known for known in prices if name == known or (name.startswith(known) and name[len(known)] in "-@:")]
    return prices[max(fitting, key=len)] if fitting else None


def dearest(prices: Mapping[str, Price]) -> Price:
    """What a model of unknown price is counted at: nothing costs more than this, in any of its parts."""
    known = list(prices.values())
    return Price(
        input=max(price.input for price in known),
        output=max(price.output for price in known),
        cache_write=max(price.cache_write or 0 for price in known),
        long_factor=max(price.long_factor for price in known),
    )
