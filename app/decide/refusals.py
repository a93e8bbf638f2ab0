"""How often strangers are answered: each issue once for a thing, and a repository not more than twenty times in an hour."""

from datetime import timedelta
from typing import Literal

from app.decide.draft import Draft
from app.decide.state import Task

PER_HOUR = 20
_HOUR = timedelta(hours=1)


def may_answer(draft: Draft, task: Task, what: Literal["label", "command"]) -> bool:
    """Whether this refusal is told; who is refused again and again would else make us write again and again."""
    now = draft.context.now
    lately = tuple(at for at in draft.repository.refusals if now - at < _HOUR)
    if what in task.refused or len(lately) >= PER_HOUR:
        return False
    draft.repository = draft.repository.model_copy(update={"refusals": (*lately, now)})
    draft.tasks[task.issue] = task.model_copy(update={"refused": (*task.refused, what)})
    return True
