"""Money is set aside before an attempt starts and counted when it has ended; what does not fit is not started."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.decide.budget import day_of
from app.decide.context import Pool
from app.decide.policy import Policy
from app.events import AttemptGone
from shared.models import Usage, VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.decisions import POLICY, Desk

PAID = replace(POLICY, attempt_cost_usd=2.0)


def planned(policy: Policy, issues: int = 4, **settings: object) -> Desk:
    """A batch of independent issues."""
    desk = Desk(policy)
    desk.plan(*(desk.issue(number) for number in range(1, issues + 1)), settings=RepositorySettings.model_validate(settings))
    return desk


def spent(desk: Desk) -> float:
    """By the orchestration's ended attempts."""
    return next(iter(desk.state.orchestrations.values())).spent_usd


def test_what_an_attempt_may_cost_is_set_aside_before_it_starts() -> None:
    """$5 hold two attempts of at most $2, however many slots are free; the third says what it waits for."""
    desk = planned(replace(PAID, orchestration_cost_usd=5.0))

    assert desk.running == [1, 2]
    assert desk.task(3).held_by == (
        "this orchestration's budget: $4.00 of $5.00 (SHOAL_ORCHESTRATION_COST_USD) spent or reserved,"
        " and an attempt may cost $2.00 (SHOAL_ATTEMPT_COST_USD)"
    )


def test_what_was_not_used_is_there_for_the_next() -> None:
    """The first one cost fifty cents: now the third fits, and its line is gone."""
    desk = planned(replace(PAID, orchestration_cost_usd=5.0))
    desk.finish(1, pull=11, usage=Usage(cost_usd=0.5))

    assert (desk.running, spent(desk), desk.task(3).held_by) == ([2, 3], 0.5, "")


def test_a_cost_that_nobody_knows_counts_as_all_that_was_set_aside() -> None:
    """So does that of a runner that vanished; one that never began cost nothing."""
    desk = planned(replace(PAID, orchestration_cost_usd=100.0), issues=3)
    desk.claim(1)
    desk.tell(AttemptGone(repository_id=1, attempt=desk.task(1).attempt, reason="its runner process died"))
    assert spent(desk) == 2

    desk.tell(AttemptGone(repository_id=1, attempt=desk.task(2).attempt, reason="it could not be started"))
    assert spent(desk) == 2

    desk.finish(3, pull=13, agent_seconds=60)
    assert spent(desk) == 4


def test_an_attempt_whose_agent_never_ran_costs_nothing() -> None:
    """A set-up that failed has asked no model."""
    desk = planned(replace(PAID, orchestration_cost_usd=4.0), issues=1)
    desk.finish(1, VerdictName.SETUP_FAILED)

    assert spent(desk) == 0


def test_an_orchestration_that_can_pay_for_nothing_more_is_over() -> None:
    """Not before its last attempt has ended, which might have left something; then the limit is named."""
    desk = planned(replace(PAID, orchestration_cost_usd=4.5), issues=3)
    desk.finish(1, pull=11, usage=Usage(cost_usd=1.9))
    assert desk.task(3).status == "waiting"

    desk.finish(2, pull=12, usage=Usage(cost_usd=1.9))

    verdict = desk.task(3).verdict
    assert verdict is not None
    assert (verdict.name, verdict.limit) == (VerdictName.LIMIT_REACHED, "orchestration_cost_usd")
    assert "$3.80 of $4.50" in verdict.reason
    assert {o.status for o in desk.state.orchestrations.values()} == {"done"}


def test_the_days_budget_is_shared_by_all_repositories_and_comes_back_tomorrow() -> None:
    """Others have used most of it: one attempt fits, the rest waits for midnight (UTC) and has no verdict."""
    desk = Desk(replace(PAID, day_cost_usd=10.0))
    desk.pool = Pool(cost_today_usd=7.0)
    desk.plan(desk.issue(1), desk.issue(2))
    assert desk.running == [1]
    desk.finish(1, pull=11, usage=Usage(cost_usd=1.5))
    assert not desk.running
    assert "the budget of today (UTC): $8.50 of $10.00 (SHOAL_DAY_COST_USD)" in desk.task(2).held_by

    desk.pool = Pool()
    desk.wait(timedelta(days=1).total_seconds())

    assert desk.running == [2]


def test_a_repository_that_asks_for_less_gets_more_attempts_for_the_money() -> None:
    """Its own `max_cost_usd` is what is set aside."""
    assert planned(replace(PAID, orchestration_cost_usd=2.0), max_cost_usd=0.5).running == [1, 2, 3, 4]
    assert planned(replace(PAID, orchestration_cost_usd=2.0), max_cost_usd=50).running == [1]


def test_an_agent_that_calls_no_model_needs_no_budget() -> None:
    """Nothing is set aside for it."""
    free = replace(POLICY, orchestration_cost_usd=0.01, day_cost_usd=0.01)

    assert planned(free).running == [1, 2, 3, 4]


def test_a_missing_review_that_no_money_is_left_for_takes_nothing_back() -> None:
    """The pull request stands, and so does its verdict."""
    desk = planned(replace(PAID, orchestration_cost_usd=3.0), issues=1)
    attempt = desk.task(1).attempt
    desk.publish(1)
    desk.tell(AttemptGone(repository_id=1, attempt=attempt, reason="its runner process died"))
    desk.settle(1, attempt, pull=11)

    verdict = desk.task(1).verdict
    assert verdict is not None
    assert (verdict.name, desk.task(1).attempts) == (VerdictName.SUCCEEDED, 1)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_spent_and_reserved_never_exceed_a_budget(data: st.DataObject) -> None:
    """Whatever attempts cost, whichever end first, vanish or are refused, on whatever day."""
    policy = replace(
        POLICY,
        slots=data.draw(st.integers(1, 6)),
        attempt_cost_usd=data.draw(st.floats(0.01, 3)),
        orchestration_cost_usd=data.draw(st.none() | st.floats(0.01, 12)),
        day_cost_usd=data.draw(st.none() | st.floats(0.01, 12)),
    )
    desk = planned(policy, issues=6)
    for _ in range(12):
        _within_budgets(desk, policy)
        if not desk.running or data.draw(st.booleans()):
            desk.wait(data.draw(st.sampled_from([1.0, 70.0, 7200.0, 86400.0])))
            continue
        issue = data.draw(st.sampled_from(desk.running))
        reserved = desk.state.attempts[desk.task(issue).attempt].reserved_usd
        if data.draw(st.booleans()):
            desk.claim(issue)
            desk.tell(AttemptGone(repository_id=1, attempt=desk.task(issue).attempt, reason="gone"))
        else:
            cost = data.draw(st.none() | st.floats(0, reserved))
            verdict = data.draw(st.sampled_from([VerdictName.AGENT_FAILED, VerdictName.PROVIDER_LIMIT]))
            desk.finish(issue, verdict, usage=Usage(cost_usd=cost), agent_seconds=1)
    _within_budgets(desk, policy)


def _within_budgets(desk: Desk, policy: Policy) -> None:
    ever = list(desk.state.attempts.values())
    days = {day: sum(a.counts_usd for a in ever if a.day == day) for day in {a.day for a in ever} | {day_of(desk.now)}}
    assert sum(days.values()) <= (policy.orchestration_cost_usd or float("inf")) + 1e-4
    assert max(days.values()) <= (policy.day_cost_usd or float("inf")) + 1e-4
    reserved = sum(attempt.reserved_usd for attempt in ever if attempt.settled_usd is None)
    assert abs(spent(desk) + reserved - sum(days.values())) < 1e-6, "nothing is lost or counted twice"


def test_a_repository_may_spend_less_on_an_orchestration_than_the_operator_would() -> None:
    """The smaller budget counts, whoever said it, and is named."""
    generous = replace(PAID, orchestration_cost_usd=100.0)
    desk = planned(generous, max_orchestration_cost_usd=4.5, max_cost_usd=1.5)

    assert (desk.running, budget(desk)) == ([1, 2, 3], 4.5)
    assert desk.task(4).held_by == (
        "this orchestration's budget: $4.50 of $4.50 (`max_orchestration_cost_usd` in `.github/shoal.yml`) spent or reserved,"
        " and an attempt may cost $1.50 (`max_cost_usd` in `.github/shoal.yml`)"
    )
    assert planned(PAID, max_orchestration_cost_usd=2).running == [1]
    assert budget(planned(replace(PAID, orchestration_cost_usd=3.0), max_orchestration_cost_usd=50)) == 3


def test_the_tokens_of_an_orchestration_are_reserved_like_money() -> None:
    """What each attempt may take is set aside, what it did not take goes to the next, and an empty budget is an end."""
    desk = planned(POLICY, issues=4, max_tokens=1000, max_orchestration_tokens=2500)
    assert desk.running == [1, 2]
    assert desk.task(3).held_by == (
        "this orchestration's budget: 2,000 of 2,500 tokens (`max_orchestration_tokens` in `.github/shoal.yml`) spent or reserved,"
        " and an attempt may take 1,000 (`max_tokens` in `.github/shoal.yml`)"
    )

    desk.finish(1, pull=11, usage=Usage(input_tokens=300, output_tokens=150), agent_seconds=1)
    assert (desk.running, desk.task(3).held_by) == ([2, 3], "")

    desk.finish(2, pull=12, usage=Usage(input_tokens=900, output_tokens=90), agent_seconds=1)
    desk.finish(3, pull=13, usage=Usage(input_tokens=900, output_tokens=90), agent_seconds=1)
    verdict = desk.task(4).verdict
    assert verdict is not None
    assert (verdict.name, verdict.limit) == (VerdictName.LIMIT_REACHED, "orchestration_tokens")


def test_an_agent_without_a_model_takes_no_tokens() -> None:
    """As wired for prepared changes and plain commands."""
    free = replace(POLICY, attempt_cost_usd=0, attempt_tokens=0)

    assert planned(free, max_tokens=1000, max_orchestration_tokens=1000, max_orchestration_cost_usd=0.01).running == [1, 2, 3, 4]


def budget(desk: Desk) -> float | None:
    """What the orchestration may cost, as its report shows it."""
    return next(iter(desk.state.orchestrations.values())).budget_usd
