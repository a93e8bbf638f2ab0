"""What one attempt may use: the operator's word, made tighter by the repository's and never looser."""

from typing import TypeVar

from app.settings import FREE_AGENTS, Settings
from shared.models import AttemptLimits
from shared.repository_settings import RepositorySettings

_Number = TypeVar("_Number", int, float)


def operator_limits(settings: Settings) -> AttemptLimits:
    """As set by SHOAL_* variables."""
    return AttemptLimits(
        minutes=settings.attempt_minutes,
        phase_minutes=settings.attempt_phase_minutes,
        inactive_minutes=settings.attempt_inactive_minutes,
        memory_mib=settings.attempt_memory_mib,
        output_mib=settings.attempt_output_mib,
        disk_free_mib=settings.disk_free_mib,
        turns=settings.attempt_turns,
        tokens=settings.attempt_tokens,
        cost_usd=settings.attempt_cost_usd,
    )


def tightened(operator: AttemptLimits, repository: RepositorySettings) -> AttemptLimits:
    """The smaller of the two, limit by limit."""
    return operator.model_copy(
        update={
            "minutes": _smaller(operator.minutes, repository.max_minutes),
            "memory_mib": _smaller(operator.memory_mib, repository.max_memory_mib),
            "turns": _smaller(operator.turns, repository.max_turns),
            "tokens": _smaller(operator.tokens, repository.max_tokens),
            "cost_usd": _smaller(operator.cost_usd, repository.max_cost_usd),
        }
    )


def not_allowed(operator: Settings, asked: RepositorySettings) -> tuple[str, str] | None:
    """The key of a repository's file that would loosen what the operator chose, and what to do; None when all is within it."""
    agents, models = {operator.agent, *operator.allowed_agents}, {"", operator.agent_model, *operator.allowed_models}
    if asked.agent is not None and asked.agent not in agents:
        return (
            "agent",
            f"`agent`: `{asked.agent}` is not allowed here; choose one of {', '.join(sorted(agents))}, or ask the operator",
        )
    if asked.model not in models:
        known = ", ".join(sorted(models - {""})) or "none but the agent's own"
        return "model", f"`model`: `{asked.model}` is not allowed here; allowed: {known}; leave it out, or ask the operator"
    return None if operator.agent in FREE_AGENTS else _budget_too_small(operator, asked)


def _budget_too_small(operator: Settings, asked: RepositorySettings) -> tuple[str, str] | None:
    """A budget of which no attempt could be reserved: nothing would ever start, and nobody would see why in the file."""
    limits = tightened(operator_limits(operator), asked)
    for key, budget, own, attempt in (
        ("max_orchestration_cost_usd", asked.max_orchestration_cost_usd, "max_cost_usd", limits.cost_usd),
        ("max_orchestration_tokens", asked.max_orchestration_tokens, "max_tokens", limits.tokens),
    ):
        if budget is not None and attempt is None:
            return key, f"`{key}` needs `{own}`: that is what is reserved for each attempt"
        if budget is not None and attempt is not None and attempt > budget:
            return key, f"`{key}`: {budget:,} is less than one attempt may take ({attempt:,}), so nothing would start; set `{own}`"
    return None


def _smaller(first: _Number | None, second: _Number | None) -> _Number | None:
    return min((number for number in (first, second) if number is not None), default=None)
