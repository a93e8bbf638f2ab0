"""Estimates: what was measured here, drawn towards what is known beforehand."""

from hypothesis import given
from hypothesis import strategies as st

from app.planning.estimate import MEMORY_MIB_P90, MINUTES_P50, History, Past, estimate
from shared.models import Kind

_PAST = st.builds(Past, st.sampled_from(Kind), st.floats(0, 600), st.floats(0, 50_000))


def test_without_history_the_prior_counts_and_says_so() -> None:
    """Attempts of another kind tell nothing."""
    bug = estimate(Kind.BUG, History((Past(Kind.FEATURE, 90, 900),)))

    assert (bug.minutes_p50, bug.minutes_p90, bug.memory_mib_p90) == (18, 31.5, MEMORY_MIB_P90)
    assert bug.source == "prior"


def test_five_attempts_count_as_much_as_the_prior() -> None:
    """Half of 4 and half of 18 minutes; the source names how many there were."""
    bug = estimate(Kind.BUG, History((Past(Kind.BUG, 4, 300),) * 5, memory_mib=1000))

    assert (bug.minutes_p50, bug.memory_mib_p90) == (11, 650)
    assert bug.source == "prior and 5 attempts here"


def test_little_experience_is_not_trusted_with_the_memory() -> None:
    """Four attempts that needed little could have been the small ones; those that were not measured do not count."""
    few = (Past(Kind.BUG, 4, 300),) * 4

    assert estimate(Kind.BUG, History(few, memory_mib=1000)).memory_mib_p90 == 1000
    assert estimate(Kind.BUG, History((*few, Past(Kind.BUG, 4, 0)), memory_mib=1000)).memory_mib_p90 == 1000
    assert estimate(Kind.BUG, History(few[:1])).source == "prior and 1 attempt here"


@given(st.lists(_PAST, max_size=40), st.sampled_from(Kind))
def test_an_estimate_lies_between_prior_and_experience(past: list[Past], kind: Kind) -> None:
    """Whatever was measured, in whatever order; P90 is never below P50."""
    made = estimate(kind, History(tuple(past)))
    seen = [attempt.minutes for attempt in past if attempt.kind is kind]

    assert min([*seen, MINUTES_P50[kind]]) - 0.01 <= made.minutes_p50 <= max([*seen, MINUTES_P50[kind]]) + 0.01
    assert made.minutes_p50 <= made.minutes_p90
    assert estimate(kind, History(tuple(reversed(past)))) == made
