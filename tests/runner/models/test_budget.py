"""The budget alone: whatever comes in whatever order, nothing is spent twice and nothing is lost."""

import math

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from runner.models.budget import Budget, Exhausted, Need, Reservation, Spent
from shared.models import AttemptLimits

TURNS, TOKENS, COST = 30, 100_000, 1.0


class Budgeting(RuleBasedStateMachine):
    """Calls begin, end, break off and are refused, many at once."""

    held: Bundle[tuple[Reservation, Need]] = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(AttemptLimits(turns=TURNS, tokens=TOKENS, cost_usd=COST), Spent())
        self.open = 0
        self.true: list[Spent] = []

    @rule(
        target=held,
        need=st.builds(
            Need,
            st.integers(0, 60_000),
            st.integers(1, 128_000),
            st.integers(1, 20_000),
            st.floats(0, 2e-5),
            st.floats(0, 1e-4),
            st.integers(1, 4),
        ),
    )
    def begin(self, need: Need) -> tuple[Reservation, Need] | object:
        before = self.budget.spent
        found = self.budget.reserve(need)
        assert self.budget.spent == before
        if isinstance(found, Reservation):
            self.open += 1
            assert need.least_needed() <= found.output <= need.output
            return found, need
        if found is None:
            assert self.open > 0, "who waits must wait for somebody"
        else:
            assert isinstance(found, Exhausted)
            assert found.limit in {"turns", "tokens", "cost_usd"}
        return None, need

    @rule(pair=consumes(held), share=st.floats(0, 1), is_lost=st.booleans(), again=st.booleans())
    def end(self, pair: tuple[Reservation | None, Need], share: float, *, is_lost: bool, again: bool) -> None:
        found, _ = pair
        if found is None:
            return
        worst = found.amount
        true = Spent() if is_lost else Spent(1, math.floor(worst.tokens * share), worst.cost * share)
        self.budget.settle(found, true)
        if again:
            self.budget.settle(found, true)
        self.open -= 1
        self.true.append(true)

    @invariant()
    def nothing_beyond_the_limits(self) -> None:
        spent, reserved = self.budget.spent, self.budget.reserved()
        assert spent.turns + reserved.turns <= TURNS
        assert spent.tokens + reserved.tokens <= TOKENS
        assert spent.cost + reserved.cost <= COST + 1e-9

    @invariant()
    def nothing_lost(self) -> None:
        assert self.budget.spent.tokens == sum(each.tokens for each in self.true)
        assert math.isclose(self.budget.spent.cost, math.fsum(each.cost for each in self.true), abs_tol=1e-9)
        assert len(self.budget.under_way) == self.open

    def teardown(self) -> None:
        for found in tuple(self.budget.under_way):
            self.budget.settle(found, Spent())
        assert self.budget.reserved() == Spent()


TestBudgeting = Budgeting.TestCase


def test_a_wish_is_lowered_to_what_is_left() -> None:
    """But not below what makes sense."""
    budget = Budget(AttemptLimits(tokens=1000), Spent())
    held = budget.reserve(Need(100, 5000, 256))
    assert isinstance(held, Reservation)
    assert held.output == 900
    assert budget.reserve(Need(100, 5000, 256)) is None
    budget.settle(held, Spent(1, 700))
    refused = budget.reserve(Need(100, 5000, 256))
    assert isinstance(refused, Exhausted)
    assert refused.message == "shoal: the attempt's limit of 1000 tokens is used up (700 spent, this call may take 356)"


def test_without_limits_everything_fits() -> None:
    """Null is as much as it likes."""
    found = Budget(AttemptLimits(), Spent()).reserve(Need(10**9, 10**9, 1, 1.0, 1.0))
    assert isinstance(found, Reservation)
    assert found.output == 10**9
