"""Money and tokens: what an attempt may take is set aside before it starts, and what it did take is counted when it has ended."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from app.decide.draft import Draft
from app.decide.policy import Policy
from app.decide.state import Attempt, AttemptStatus, Task, TaskStatus
from shared.github import SETTINGS_FILE
from shared.models import Verdict, VerdictName
from shared.repository_settings import RepositorySettings

# Sums of floats: a thousandth of a cent is nobody's money.
_NOTHING = 1e-5
_OF_THE_REPOSITORY = f"`{{}}` in `{SETTINGS_FILE}`"


class Shortage(NamedTuple):
    """A budget into which another attempt does not fit; `words` say which, how much, and the settings."""

    limit: Literal["orchestration_cost_usd", "orchestration_tokens", "day_cost_usd"]
    words: str

    @property
    def comes_back(self) -> bool:
        """Tomorrow's is a new one."""
        return self.limit == "day_cost_usd"


def reservation(draft: Draft, task: Task) -> float:
    """What an attempt at the task may cost at most; nothing for agents that call no model, or without a limit."""
    if task.on_hold is not None:
        return 0.0  # it is only published
    return _least(draft.context.policy.attempt_cost_usd, _settings(draft, task).max_cost_usd) or 0.0


def tokens_reserved(draft: Draft, task: Task) -> int:
    """What an attempt at the task may take of tokens, likewise."""
    if task.on_hold is not None:
        return 0
    return int(_least(draft.context.policy.attempt_tokens, _settings(draft, task).max_tokens) or 0)


def cost_budget(policy: Policy, settings: RepositorySettings) -> float | None:
    """What an orchestration may cost: the operator's word, made tighter by the repository's."""
    return _least(policy.orchestration_cost_usd, settings.max_orchestration_cost_usd)


def day_of(now: datetime) -> str:
    """The day, in UTC, on whose budget an attempt that starts now is counted."""
    return now.astimezone(UTC).date().isoformat()


def shortage(draft: Draft, task: Task) -> Shortage | None:
    """None: another attempt at the task fits into every budget."""
    return _of_the_orchestration(draft, task) or _of_the_day(draft, task) or _of_tokens(draft, task)


def _of_the_orchestration(draft: Draft, task: Task) -> Shortage | None:
    needed, budget = reservation(draft, task), cost_budget(draft.context.policy, _settings(draft, task))
    used = used_by(draft, task.orchestration)
    if not needed or budget is None or used + needed <= budget + _NOTHING:
        return None
    operators = budget == draft.context.policy.orchestration_cost_usd
    setting = "SHOAL_ORCHESTRATION_COST_USD" if operators else _OF_THE_REPOSITORY.format("max_orchestration_cost_usd")
    whole = f"this orchestration's budget: ${used:.2f} of ${budget:.2f} ({setting}) spent or reserved"
    return Shortage("orchestration_cost_usd", f"{whole}, and {_cost_of_another(draft, task)}")


def _of_the_day(draft: Draft, task: Task) -> Shortage | None:
    needed, budget, used = reservation(draft, task), draft.context.policy.day_cost_usd, _used_today(draft)
    if not needed or budget is None or used + needed <= budget + _NOTHING:
        return None
    whole = f"the budget of today (UTC): ${used:.2f} of ${budget:.2f} (SHOAL_DAY_COST_USD) spent or reserved"
    return Shortage("day_cost_usd", f"{whole}, and {_cost_of_another(draft, task)}")


def _of_tokens(draft: Draft, task: Task) -> Shortage | None:
    needed, settings = tokens_reserved(draft, task), _settings(draft, task)
    budget, used = settings.max_orchestration_tokens, tokens_of(draft, task.orchestration)
    if not needed or budget is None or used + needed <= budget:
        return None
    setting = _OF_THE_REPOSITORY.format("max_orchestration_tokens")
    asked = _OF_THE_REPOSITORY.format("max_tokens") if needed == settings.max_tokens else "SHOAL_ATTEMPT_TOKENS"
    whole = f"this orchestration's budget: {used:,} of {budget:,} tokens ({setting}) spent or reserved"
    return Shortage("orchestration_tokens", f"{whole}, and an attempt may take {needed:,} ({asked})")


def _cost_of_another(draft: Draft, task: Task) -> str:
    needed = reservation(draft, task)
    operators = needed == draft.context.policy.attempt_cost_usd
    setting = "SHOAL_ATTEMPT_COST_USD" if operators else _OF_THE_REPOSITORY.format("max_cost_usd")
    return f"an attempt may cost ${needed:.2f} ({setting})"


def _settings(draft: Draft, task: Task) -> RepositorySettings:
    return draft.orchestrations[task.orchestration].settings


def _least(first: float | None, second: float | None) -> float | None:
    return min((number for number in (first, second) if number is not None), default=None)


def used_by(draft: Draft, orchestration: str) -> float:
    """Spent by its attempts that have ended, reserved by the others."""
    return draft.orchestrations[orchestration].spent_usd + sum(attempt.counts_usd for attempt in _open(draft, orchestration))


def tokens_of(draft: Draft, orchestration: str) -> int:
    """Likewise of tokens."""
    return draft.orchestrations[orchestration].spent_tokens + sum(one.counts_tokens for one in _open(draft, orchestration))


def _open(draft: Draft, orchestration: str) -> list[Attempt]:
    return [a for a in draft.attempts.values() if a.orchestration == orchestration and a.status is not AttemptStatus.ENDED]


def _used_today(draft: Draft) -> float:
    """Over all repositories; of this one the draft knows better than the pool."""
    today = day_of(draft.context.now)
    before = sum(attempt.counts_usd for attempt in draft.before.attempts.values() if attempt.day == today)
    now = sum(attempt.counts_usd for attempt in draft.attempts.values() if attempt.day == today)
    return draft.context.pool.cost_today_usd - before + now


class Settled(NamedTuple):
    """What an attempt that is over counts with."""

    usd: float
    tokens: int


def settled(attempt: Attempt) -> Settled:
    """What it says that it took; as long as that is unknown, all that it could have."""
    report = attempt.report if attempt.status is AttemptStatus.FINISHED else None
    if attempt.claimed_at is None or (report is not None and report.agent_seconds == 0 and report.usage.cost_usd is None):
        return Settled(0.0, 0)
    if report is None:
        return Settled(attempt.reserved_usd, attempt.reserved_tokens)
    usage = report.usage
    tokens = usage.input_tokens + usage.output_tokens
    return Settled(attempt.reserved_usd if usage.cost_usd is None else usage.cost_usd, tokens or attempt.reserved_tokens)


def hold_or_end(draft: Draft) -> None:
    """Every waiting task knows which budget it waits for; one that no running attempt can still leave room for is over."""
    for task in [task for task in draft.tasks.values() if task.status is TaskStatus.WAITING]:
        short = shortage(draft, task)
        if short is not None and not short.comes_back and not _is_at_work(draft, task.orchestration):
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
