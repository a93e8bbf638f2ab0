"""Money: what an attempt may cost is set aside before it starts, and what it did cost is counted when it has ended."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from app.decide.draft import Draft
from app.decide.state import Attempt, AttemptStatus, Task, TaskStatus
from shared.models import Verdict, VerdictName

# Sums of floats: a thousandth of a cent is nobody's money.
_NOTHING = 1e-5


class Shortage(NamedTuple):
    """A budget into which another attempt does not fit."""

    limit: Literal["orchestration_cost_usd", "day_cost_usd"]
    used: float
    budget: float
    needed: float

    @property
    def words(self) -> str:
        """Which, how much, and the settings."""
        whose = "this orchestration's budget" if self.limit == "orchestration_cost_usd" else "the budget of today (UTC)"
        return (
            f"{whose}: ${self.used:.2f} of ${self.budget:.2f} (SHOAL_{self.limit.upper()}) spent or reserved,"
            f" and an attempt may cost ${self.needed:.2f} (SHOAL_ATTEMPT_COST_USD)"
        )


def reservation(draft: Draft, task: Task) -> float:
    """What an attempt at the task may cost at most; nothing for agents that call no model, or without a limit."""
    asked = draft.orchestrations[task.orchestration].settings.max_cost_usd
    limit = draft.context.policy.attempt_cost_usd
    return 0.0 if limit is None else min(limit, asked or limit)


def day_of(now: datetime) -> str:
    """The day, in UTC, on whose budget an attempt that starts now is counted."""
    return now.astimezone(UTC).date().isoformat()


def shortage(draft: Draft, task: Task) -> Shortage | None:
    """None: another attempt at the task fits into every budget."""
    needed, policy = reservation(draft, task), draft.context.policy
    if not needed:
        return None
    if policy.orchestration_cost_usd is not None:
        used = used_by(draft, task.orchestration)
        if used + needed > policy.orchestration_cost_usd + _NOTHING:
            return Shortage("orchestration_cost_usd", used, policy.orchestration_cost_usd, needed)
    if policy.day_cost_usd is not None:
        used = _used_today(draft)
        if used + needed > policy.day_cost_usd + _NOTHING:
            return Shortage("day_cost_usd", used, policy.day_cost_usd, needed)
    return None


def used_by(draft: Draft, orchestration: str) -> float:
    """Spent by its attempts that have ended, reserved by the others."""
    open_ones = (a for a in draft.attempts.values() if a.orchestration == orchestration and a.status is not AttemptStatus.ENDED)
    return draft.orchestrations[orchestration].spent_usd + sum(attempt.counts_usd for attempt in open_ones)


def _used_today(draft: Draft) -> float:
    """Over all repositories; of this one the draft knows better than the pool."""
    today = day_of(draft.context.now)
    before = sum(attempt.counts_usd for attempt in draft.before.attempts.values() if attempt.day == today)
    now = sum(attempt.counts_usd for attempt in draft.attempts.values() if attempt.day == today)
    return draft.context.pool.cost_today_usd - before + now


def settled(attempt: Attempt) -> float:
    """What an attempt that is over counts with: what it says that it cost; as long as that is unknown, all that it could have."""
    report = attempt.report if attempt.status is AttemptStatus.FINISHED else None
    never_asked = attempt.claimed_at is None or (report is not None and report.agent_seconds == 0)
    if report is not None and report.usage.cost_usd is not None:
        return report.usage.cost_usd
    return 0.0 if never_asked else attempt.reserved_usd


def hold_or_end(draft: Draft) -> None:
    """Every waiting task knows which budget it waits for; one that no running attempt can still leave room for is over."""
    for task in [task for task in draft.tasks.values() if task.status is TaskStatus.WAITING]:
        short = shortage(draft, task)
        if short is not None and short.limit == "orchestration_cost_usd" and not _is_at_work(draft, task.orchestration):
            _end(draft, task, short)
        elif task.held_by != (words := short.words if short else ""):
            draft.change_task(task.issue, held_by=words)


def _is_at_work(draft: Draft, orchestration: str) -> bool:
    busy = {TaskStatus.RUNNING, TaskStatus.SETTLING}
    return any(task.orchestration == orchestration and task.status in busy for task in draft.tasks.values())


def _end(draft: Draft, task: Task, short: Shortage) -> None:
    """What is published keeps its verdict: only its review was not worth more money."""
    verdict = Verdict(name=VerdictName.LIMIT_REACHED, reason=short.words, limit=short.limit)
    draft.conclude(task.issue, task.published.report.verdict if task.published else verdict, held_by="")
