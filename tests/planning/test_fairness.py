"""Slots between repositories."""

from hypothesis import given
from hypothesis import strategies as st

from app.planning.fairness import Demand, fair_shares

_DEMANDS = st.lists(
    st.builds(Demand, st.integers(1, 30), st.integers(0, 6), st.integers(0, 9), st.floats(0, 100)),
    max_size=8,
    unique_by=lambda demand: demand.repository_id,
)


def test_who_wants_little_gets_it_and_the_rest_is_even() -> None:
    """One task beside two long queues on seven slots: 1, 3, 3; what is over goes to who waits longest."""
    assert fair_shares(7, [Demand(1, 0, 1), Demand(2, 4, 9), Demand(3, 0, 9)]) == {1: 1, 2: 3, 3: 3}
    assert fair_shares(5, [Demand(1, 0, 9, since=20.0), Demand(2, 0, 9, since=10.0)]) == {1: 2, 2: 3}
    assert fair_shares(8, [Demand(1, 2, 3)]) == {1: 5}
    assert fair_shares(0, [Demand(1, 0, 3)]) == {1: 0}


@given(demands=_DEMANDS, slots=st.integers(0, 40))
def test_nothing_idles_nobody_gets_more_than_it_wants_and_nobody_could_be_given_more_from_the_rich(
    demands: list[Demand], slots: int
) -> None:
    """Max-min fairness; the order of the repositories does not matter."""
    shares = fair_shares(slots, demands)
    wanted = {demand.repository_id: demand.held + demand.waiting for demand in demands}
    assert sum(shares.values()) == min(slots, sum(wanted.values()))
    for key, share in shares.items():
        assert share <= wanted[key]
        if share < wanted[key]:
            assert all(other <= share + 1 for other in shares.values())
    assert fair_shares(slots, demands[::-1]) == shares
