"""Who waits for whom."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.planning.graph import cycles, downstream, ordering, reduced

GRAPHS = st.dictionaries(st.integers(1, 8), st.sets(st.integers(1, 8), max_size=3), max_size=8)


def reachable(after: dict[int, set[int]], start: int) -> set[int]:
    """Everything that `start` waits for, found the slow way."""
    found: set[int] = set()
    stack = [start]
    while stack:
        new = {node for node in after.get(stack.pop(), set()) if node in after} - found
        found |= new
        stack += new
    return found


@settings(max_examples=100, deadline=None)
@given(after=GRAPHS)
def test_circles_are_exactly_what_waits_for_itself(after: dict[int, set[int]]) -> None:
    """Groups of nodes that reach each other, and no other node."""
    groups = cycles(after)
    assert {node for group in groups for node in group} == {node for node in after if node in reachable(after, node)}
    for group in groups:
        assert all(other in reachable(after, node) for node in group for other in group)


@settings(max_examples=100, deadline=None)
@given(after=GRAPHS)
def test_order_is_reachability(after: dict[int, set[int]]) -> None:
    """Two nodes are ordered when one waits for the other through any chain."""
    acyclic = {node: {other for other in before if other < node} for node, before in after.items()}
    are_ordered = ordering(acyclic)
    for one in acyclic:
        for other in acyclic:
            assert are_ordered(one, other) == (other in reachable(acyclic, one) or one in reachable(acyclic, other))


def test_what_waits_for_a_refused_one_is_held_up_with_its_direct_causes() -> None:
    """1 is refused: 2 waits for it, 3 for 2 and 1, 4 for nobody."""
    assert downstream({1: [], 2: [1], 3: [2, 1], 4: []}, {1}) == {2: [1], 3: [1, 2]}


def test_a_long_chain_needs_no_recursion() -> None:
    """Five thousand in a row, and then a circle of them."""
    chain = {number: [number - 1] for number in range(1, 5001)}
    assert cycles(chain) == []
    chain[1] = [5000]
    assert len(cycles(chain)[0]) == 5000


@settings(max_examples=100, deadline=None)
@given(after=GRAPHS)
def test_the_reduction_keeps_who_waits_for_whom(after: dict[int, set[int]]) -> None:
    """Every order stays, and no predecessor is kept that another one implies."""
    straight = {node: {earlier for earlier in before if earlier < node} for node, before in after.items()}
    kept = reduced(straight)
    whole, small = ordering(straight), ordering(kept)
    assert all(whole(one, other) == small(one, other) for one in after for other in after)
    assert all(not small(one, other) for before in kept.values() for one in before for other in before)
