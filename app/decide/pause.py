"""A model's provider that refuses for a while: its tasks wait together, one goes first, and none of it is a failure."""

from datetime import datetime, timedelta

from app.decide.draft import Draft
from app.decide.state import Attempt, AttemptStatus, Task, TaskStatus
from shared.models import PhaseName, PhaseResult, Verdict, VerdictName

# Minutes until the next try where the provider named no time, by the number of refusals in a row.
_MINUTES = (1, 2, 5, 15, 30, 60)
# A provider that always says "at once" is not believed for ever: from here on the minutes above are the least.
_BELIEVED = 2
_GIVEN_UP = timedelta(hours=24)
# One that has worked for so long is being answered.
_ANSWERED = timedelta(minutes=5)
_ASKS_A_MODEL = {PhaseName.RESEARCH, PhaseName.IMPLEMENTATION}
_NEEDS_A_MODEL = {
    VerdictName.SUCCEEDED,
    VerdictName.NO_CHANGE,
    VerdictName.TESTS_FAILED,
    VerdictName.UNSAFE_DIFF,
    VerdictName.AGENT_FAILED,
    VerdictName.HELD,
}


def paused(draft: Draft, attempt: Attempt, verdict: Verdict) -> bool:
    """Puts the task of a refused attempt back; False when it was refused for so long that the verdict must stand."""
    now, task = draft.context.now, draft.tasks[attempt.issue]
    count, since = task.pauses + 1, task.paused_since or now
    until = now + _wait(task.issue, count, verdict.retry_seconds)
    if until > since + _GIVEN_UP:
        return False
    note = f"paused until {until:%H:%M} UTC: {verdict.reason}"
    changes = {"pauses": count, "paused_since": since, "not_before": until}
    draft.change_task(task.issue, status=TaskStatus.WAITING, attempt="", note=note, **changes)
    return True


def _wait(issue: int, count: int, told: float | None) -> timedelta:
    """Spread by up to a tenth, so that not everybody comes back in the same second; never before the time that was told."""
    spread = (issue * 7919 % 201 - 100) / 1000
    own = 60.0 * _MINUTES[min(count, len(_MINUTES)) - 1] * (1 + spread)
    if told is None:
        return timedelta(seconds=own)
    asked = max(1.0, told) * (1 + abs(spread))
    return timedelta(seconds=asked if count <= _BELIEVED else max(asked, own))


def phase_proves(draft: Draft, attempt: Attempt, result: PhaseResult) -> None:
    """A phase that asked the model and passed: it answers again."""
    if result.name in _ASKS_A_MODEL and result.status == "passed":
        _answered(draft, attempt)


def look_at_probes(draft: Draft) -> None:
    """Whoever has been at work for a while was answered."""
    for attempt in list(draft.attempts.values()):
        working = attempt.status is AttemptStatus.CLAIMED and attempt.claimed_at is not None
        if attempt.probe and working and draft.context.now - (attempt.claimed_at or draft.context.now) >= _ANSWERED:
            _answered(draft, attempt)


def ended_otherwise(draft: Draft, attempt: Attempt, verdict: Verdict) -> None:
    """A verdict that no attempt can get without its model being answered."""
    if verdict.name in _NEEDS_A_MODEL and not attempt.releases:
        _answered(draft, attempt)


def _answered(draft: Draft, attempt: Attempt) -> None:
    """Nobody waits for the provider any more; a refusal from here on is the first of a new row."""
    fresh = {"pauses": 0, "paused_since": None, "not_before": None}
    draft.change_task(attempt.issue, **fresh)
    if not attempt.probe:
        return
    draft.change_attempt(attempt.id, probe=False)
    for task in waiting_for_provider(draft):
        draft.change_task(task.issue, **fresh, note="")


def waiting_for_provider(draft: Draft) -> list[Task]:
    """Whose provider refused last, the one that may come back first in front."""
    found = [(task.not_before, task.issue) for task in draft.tasks.values() if task.waits_for_provider and task.not_before]
    return [draft.tasks[issue] for _, issue in sorted(found)]


def held_back(draft: Draft) -> bool:
    """Nothing is started before the provider may be asked again, nor while the one that asks first is out."""
    until: list[datetime] = [task.not_before for task in waiting_for_provider(draft) if task.not_before]
    pool = draft.context.pool
    if pool.paused_until is not None:
        until.append(pool.paused_until)
    probing = pool.probing or any(attempt.probe and attempt.holds_slot for attempt in draft.attempts.values())
    return probing or any(draft.context.now < moment for moment in until)


def must_probe(draft: Draft) -> bool:
    """Whether the next attempt goes alone, to see whether the provider answers."""
    return draft.context.pool.paused_until is not None or bool(waiting_for_provider(draft))
