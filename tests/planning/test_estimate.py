"""Estimates: what was measured here, drawn towards what is known beforehand."""

import random
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.planning.estimate import MEMORY_MIB_P90, MINUTES_P50, History, Past, estimate, typical_error
from shared.models import Kind

_PAST = st.builds(
    Past, st.sampled_from(Kind), st.floats(0, 600), st.floats(0, 50_000), st.floats(0, 16), st.booleans(), st.floats(0, 600)
)


def test_without_history_the_prior_counts_and_says_so() -> None:
    """Attempts of another kind tell nothing."""
    bug = estimate(Kind.BUG, History((Past(Kind.FEATURE, 90, 900),)))

    assert (bug.minutes_p50, bug.minutes_p90, bug.memory_mib_p90) == (18, 31.5, MEMORY_MIB_P90)
    assert bug.source == "prior"


def test_five_attempts_count_as_much_as_the_prior() -> None:
    """The middle, by factors, of 4 and 18 minutes, and of 300 and 1000 MiB; the source names how many there were."""
    bug = estimate(Kind.BUG, History((Past(Kind.BUG, 4, 300, 0.1),) * 5, memory_mib=1000))

    assert (bug.minutes_p50, bug.memory_mib_p90) == (8.485, 615.029)
    assert 0.1 < bug.cpu_p90 < 0.25
    assert bug.source == "prior and 5 attempts here"


@pytest.mark.parametrize("outlier", [600.0, 2 / 60])
def test_one_absurd_attempt_wrecks_no_estimate(outlier: float) -> None:
    """Ten hours or two seconds: nine usual ones beside it keep the estimate, and alone it moves it little."""
    usual = tuple(Past(Kind.BUG, minutes, 300) for minutes in (17, 18, 19, 20, 21, 22, 23, 24, 25))
    before, after = (estimate(Kind.BUG, History(past)) for past in (usual, (*usual, Past(Kind.BUG, outlier, 300))))
    alone = estimate(Kind.BUG, History((Past(Kind.BUG, outlier, 300),)))

    assert after.minutes_p50 == pytest.approx(before.minutes_p50, rel=0.05)
    assert after.minutes_p90 == pytest.approx(before.minutes_p90, rel=0.1)
    assert 18 / 3 < alone.minutes_p50 < 18 * 2
    huge = (*usual, Past(Kind.BUG, 20, 60_000, 8))
    assert estimate(Kind.BUG, History(huge)).memory_mib_p90 == pytest.approx(
        estimate(Kind.BUG, History(usual)).memory_mib_p90, rel=0.1
    )


def test_only_successful_attempts_tell_of_minutes_and_all_of_what_they_used() -> None:
    """One with failing tests ended because its rounds of repair were used up."""
    failed = tuple(Past(Kind.BUG, 170, 4000, 0.9, succeeded=False) for _ in range(10))
    made = estimate(Kind.BUG, History(failed))

    assert (made.minutes_p50, made.minutes_p90, made.source) == (18, 31.5, "prior")
    assert made.memory_mib_p90 > 3000
    assert made.cpu_p90 > 0.5


@pytest.mark.parametrize("cost", [1.7e308, 5e-324])
def test_a_claim_without_bounds_breaks_no_estimate(cost: float) -> None:
    """A runner says what its attempt cost; the plan of the next ones is made all the same."""
    made = estimate(Kind.BUG, History((Past(Kind.BUG, 20, 300, cost_usd=cost),)))

    assert made.cost_usd_p90 is not None
    assert 0 <= made.cost_usd_p90 < 1e12


def test_predictions_are_held_against_what_came() -> None:
    """By factors, both directions alike; the source tells it once there are three."""
    past = tuple(Past(Kind.BUG, minutes, 0, predicted_minutes=20) for minutes in (10, 40, 30))

    assert typical_error(past) == pytest.approx(2)
    assert typical_error(past[:2]) is None
    assert estimate(Kind.BUG, History(past)).source == "prior and 3 attempts here; earlier predictions wrong by a factor of 2.0"


@pytest.mark.parametrize("many", [20, 200])
def test_nine_of_ten_end_within_p90_once_there_is_experience(many: int) -> None:
    """On made-up repositories whose tasks take 3 minutes with a spread of their own: 85 to 95 of a hundred."""
    chance = random.Random(many)
    within = []
    for _ in range(200):
        minutes = [chance.lognormvariate(log(3), 0.6) for _ in range(many + 1)]
        made = estimate(Kind.BUG, History(tuple(Past(Kind.BUG, one, 0) for one in minutes[1:])))
        within.append(minutes[0] <= made.minutes_p90)
    assert 0.85 <= sum(within) / len(within) <= 0.98


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


def test_without_a_known_cost_none_is_predicted() -> None:
    """Nobody knows a price beforehand; an agent that is not paid for tells of none either."""
    for past in ((), (Past(Kind.BUG, 4, 300),), (Past(Kind.BUG, 4, 300, cost_usd=0.0),)):
        made = estimate(Kind.BUG, History(past))
        assert (made.cost_usd_p50, made.cost_usd_p90, made.costs_known) == (None, None, 0)


def test_cost_is_learned_by_kind_and_drawn_towards_what_all_kinds_cost_here() -> None:
    """Bugs cost $1 and features $4 here: each nearer its own the more there are, documentation in between; P90 is above P50."""
    past = (*(Past(Kind.BUG, 4, 0, cost_usd=1.0),) * 5, *(Past(Kind.FEATURE, 9, 0, cost_usd=4.0),) * 5)
    costs = {kind: estimate(kind, History(past)) for kind in (Kind.BUG, Kind.DOCS, Kind.FEATURE)}
    bug, docs, feature = (costs[kind].cost_usd_p50 or 0 for kind in costs)
    assert 1 < bug < docs < feature < 4
    assert docs == pytest.approx(2)
    assert all((one.cost_usd_p90 or 0) > (one.cost_usd_p50 or 0) and one.costs_known == 10 for one in costs.values())
    more = estimate(Kind.BUG, History((*past, *(Past(Kind.BUG, 4, 0, cost_usd=1.0),) * 20)))
    assert 1 <= (more.cost_usd_p50 or 0) < bug


def test_one_attempt_that_cost_a_fortune_moves_the_cost_no_more_than_any_other() -> None:
    """$500 once, or $1.20: the same estimate."""
    usual = tuple(Past(Kind.BUG, 4, 0, cost_usd=cost / 10) for cost in range(6, 15))
    fortune, other = (estimate(Kind.BUG, History((*usual, Past(Kind.BUG, 4, 0, cost_usd=cost)))) for cost in (500.0, 1.6))
    assert fortune.cost_usd_p50 == other.cost_usd_p50
    assert (fortune.cost_usd_p90 or 0) == pytest.approx(other.cost_usd_p90, rel=0.1)
