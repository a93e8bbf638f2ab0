"""Prices: which line a model's name finds, and what its tokens cost by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.models.prices import AS_OF, PRICES, Price, dearest, find_price
from runner.models.shapes import Counted


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("anthropic/claude-opus-4-1", "claude-opus-4"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("gpt-5-codex", "gpt-5"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("gpt-5.1-codex-max", "gpt-5.1"),
        ("models/gemini-2.5-flash-lite", "gemini-2.5-flash-lite"),
        ("claude-haiku-4-5@20251001", "claude-haiku-4-5"),
    ],
)
def test_the_longest_fitting_name_wins(model: str, line: str) -> None:
    """Dates and variants go on after it."""
    assert find_price(model, PRICES) == PRICES[line]


@pytest.mark.parametrize("model", ["gpt-5.9", "gpt-55", "claude-next", "", "o33"])
def test_a_newer_model_is_not_taken_for_an_older_one(model: str) -> None:
    """Its price is not known, and that is what is said."""
    assert find_price(model, PRICES) is None


def test_each_kind_of_token_has_its_price() -> None:
    """Plain, read from the cache, written to it for five minutes or for an hour, and the answer."""
    price = Price(input=10, output=100, cached=1, cache_write=12)
    counted = Counted(input=1111, cached=1000, written=100, written_hour=10, output=5)
    assert price.cost(counted) == pytest.approx((1 * 10 + 1000 * 1 + 100 * 12 + 10 * 20 + 5 * 100) / 1e6)
    assert price.cost(counted, factor=2) == pytest.approx(2 * price.cost(counted))


def test_a_long_context_costs_more_where_the_provider_says_so() -> None:
    """Beyond 200,000 tokens."""
    price = Price(input=1, output=1, long_factor=2)
    assert price.cost(Counted(input=200_001)) == pytest.approx(2 * 200_001 / 1e6)
    assert price.cost(Counted(input=200_000)) == pytest.approx(200_000 / 1e6)


@given(
    st.sampled_from(sorted(PRICES)),
    st.lists(st.integers(0, 10**6), min_size=5, max_size=5),
    st.booleans(),
)
def test_the_worst_case_is_never_less_than_the_truth(model: str, counts: list[int], hour: bool) -> None:
    """However the tokens of a request are divided; and nothing known costs more than the dearest."""
    plain, cached, written, written_hour, output = counts
    counted = Counted(plain + cached + written + written_hour * hour, cached, written, written_hour * hour, output)
    for price in (PRICES[model], dearest(PRICES)):
        worst = counted.input * price.worst_input(counted.input, hour=hour) + output * price.worst_output(counted.input)
        assert PRICES[model].cost(counted) <= worst * (1 + 1e-9)


def test_the_table_says_how_old_it_is() -> None:
    """And holds no line that costs nothing."""
    assert AS_OF.startswith("20")
    assert all(price.input > 0 and price.output >= price.input for price in PRICES.values())
