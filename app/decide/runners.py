"""Runners of GitHub Actions as a limit: those that are online and idle, looked at again for as long as somebody waits."""

from datetime import timedelta
from math import inf

from app.actions import ReadRunners
from app.decide.draft import Draft
from app.decide.state import AttemptStatus, RunnersSeen
from app.events import RunnersRead

_LOOK_AGAIN = timedelta(seconds=30)
# What was seen earlier than this counts no more; and an answer is waited for so long before slots alone are believed.
_STALE = timedelta(minutes=2)
_PATIENCE = timedelta(seconds=20)


def runners_read(draft: Draft, event: RunnersRead) -> None:
    """Those at work for us will be idle again for us."""
    ours = sum(attempt.status is AttemptStatus.CLAIMED for attempt in draft.attempts.values())
    seen = RunnersSeen(at=draft.context.now, online=event.online, for_us=event.idle + ours)
    draft.repository = draft.repository.model_copy(update={"runners": seen})


def ask_for_runners(draft: Draft) -> None:
    """To be called while a task is ready: where runners are counted, somebody goes and counts them."""
    asked = draft.repository.runners_asked_at
    if draft.context.policy.counts_runners and (asked is None or draft.context.now - asked >= _LOOK_AGAIN):
        draft.repository = draft.repository.model_copy(update={"runners_asked_at": draft.context.now})
        draft.act(ReadRunners(repository_id=draft.repository.id, labels=_labels(draft)))


def _labels(draft: Draft) -> tuple[str, ...]:
    """As the newest plan has read them: what is dispatched runs by the workflow file of the default branch, which is as new."""
    planned = [one for one in draft.orchestrations.values() if one.base_sha]
    return max(planned, key=lambda one: (one.created_at, one.id)).settings.runner_labels if planned else ()


def free_runners(draft: Draft) -> float:
    """For how many more attempts there are runners; no limit where they cannot be counted, none before the first count."""
    seen, asked, now = draft.repository.runners, draft.repository.runners_asked_at, draft.context.now
    if not draft.context.policy.counts_runners:
        return inf
    if seen is None or now - seen.at > _STALE:
        answer_is_due = asked is not None and (seen is None or asked > seen.at) and now - asked < _PATIENCE
        return 0.0 if answer_is_due else inf
    if seen.online is None:
        return inf
    return float(seen.for_us - sum(attempt.holds_slot for attempt in draft.attempts.values()))


def runners_words(draft: Draft) -> str:
    """What there is of them; nothing is told before they were counted, which takes a moment."""
    seen = draft.repository.runners
    if seen is None:
        return ""
    return "a runner with the wanted labels: none is online" if not seen.online else f"an idle runner ({seen.online} online)"
