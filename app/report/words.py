"""The words and colours for each verdict, phase and state: one table that a person can read."""

import re
from dataclasses import dataclass
from typing import Literal

from app.report.markdown import plain
from app.report.view import OrchestrationView, TaskView
from shared.models import PhaseName, Verdict, VerdictName

Conclusion = Literal["success", "failure", "neutral", "action_required"]
Standing = Literal["done", "needs you", "blocked", "cancelled", "running", "waiting"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a verdict is called, how its check is concluded, whom it leaves with what to do."""

    label: str
    conclusion: Conclusion
    standing: Standing
    go_on: str


_NAME = re.compile(r"[a-z_]+")
_RETRY = "press **Retry failed**, or take the label off the issue and put it on again"

MEANINGS: dict[VerdictName, Meaning] = {
    VerdictName.SUCCEEDED: Meaning("Succeeded", "success", "done", "review the pull request and merge it"),
    VerdictName.NO_CHANGE: Meaning(
        "Nothing changed",
        "neutral",
        "needs you",
        "close the issue if it is solved already; else say in it what is missing and label it again",
    ),
    VerdictName.TESTS_FAILED: Meaning(
        "Tests failed", "failure", "needs you", f"look at the draft pull request and mend it there, or {_RETRY}"
    ),
    VerdictName.SETUP_FAILED: Meaning(
        "Set-up failed", "failure", "needs you", f"mend `setup_command` or `test_command` in `.github/shoal.yml`, then {_RETRY}"
    ),
    VerdictName.AGENT_FAILED: Meaning("Agent failed", "failure", "needs you", f"read the agent's last words here, then {_RETRY}"),
    VerdictName.LIMIT_REACHED: Meaning(
        "Limit reached", "failure", "needs you", f"make the issue smaller, or raise the named limit, then {_RETRY}"
    ),
    VerdictName.PROVIDER_LIMIT: Meaning(
        "Model unavailable",
        "neutral",
        "needs you",
        f"the model's provider refused for too long: see its status and your quota there, then {_RETRY}",
    ),
    VerdictName.UNSAFE_DIFF: Meaning(
        "Unsafe change",
        "action_required",
        "needs you",
        f"do the named change yourself or change the issue so that it is not needed, then {_RETRY}",
    ),
    VerdictName.EDITED_AFTER_APPROVAL: Meaning(
        "Edited after approval",
        "action_required",
        "needs you",
        "read the issue as it is now and put the label on again to approve it",
    ),
    VerdictName.BRANCH_MOVED: Meaning(
        "Branch moved",
        "action_required",
        "needs you",
        "somebody else's commits are on the branch and stay: go on there, or delete the branch and label the issue again",
    ),
    VerdictName.HELD: Meaning(
        "Waiting to be published",
        "action_required",
        "needs you",
        "say `/shoal publish` on the issue or press **Publish**, and the pull request is opened; `/shoal cancel` throws it away",
    ),
    VerdictName.PUBLISH_FAILED: Meaning("Publishing failed", "failure", "needs you", f"see what GitHub answered, then {_RETRY}"),
    VerdictName.BLOCKED: Meaning("Blocked", "neutral", "blocked", "it starts by itself once what it waits for has succeeded"),
    VerdictName.NOT_PLANNED: Meaning(
        "Not planned", "action_required", "needs you", "mend the issue as the plan's problems say and label it again"
    ),
    VerdictName.CANCELLED: Meaning("Cancelled", "neutral", "cancelled", "put the label on again when it should be done after all"),
    VerdictName.LOST: Meaning("Lost", "failure", "needs you", f"see to its runners, then {_RETRY}"),
    VerdictName.INTERNAL_ERROR: Meaning(
        "Internal error", "failure", "needs you", f"this is a fault in Shoal: give its operator the text below; {_RETRY}"
    ),
}

PHASE_NUMBER: dict[PhaseName, int] = {name: number for number, name in enumerate(PhaseName, start=1)}
_STANDINGS: tuple[Standing, ...] = ("needs you", "running", "waiting", "blocked", "cancelled")


def phase_words(phase: PhaseName) -> str:
    """Such as `phase 5 of 9 (implementation)`."""
    return f"phase {PHASE_NUMBER[phase]} of {len(PHASE_NUMBER)} ({phase_name(phase)})"


def phase_name(phase: PhaseName) -> str:
    """Such as `pull request`."""
    return phase.value.replace("_", " ")


def standing(task: TaskView) -> Standing:
    """The one group in which a task is counted."""
    if task.verdict and task.status == "done":
        return MEANINGS[task.verdict.name].standing
    if task.status == "running":
        return "running"
    return "needs you" if task.waits_for_person else "waiting"


def progress(view: OrchestrationView) -> str:
    """Such as `3 of 4 done, 1 needs you`."""
    groups = [standing(task) for task in view.tasks]
    parts = [f"{groups.count('done')} of {len(groups)} done"]
    counts = [(group, groups.count(group)) for group in _STANDINGS]
    parts += [f"{count} {'need you' if group == 'needs you' and count > 1 else group}" for group, count in counts if count]
    return ", ".join(parts)


def task_state(task: TaskView) -> str:
    """A few words of Markdown on where a task stands."""
    if task.verdict and task.status == "done":
        return f"**{MEANINGS[task.verdict.name].label}**{limit_words(task.verdict)}: {plain(task.verdict.reason)}"
    if task.status == "running":
        return f"Running, {phase_words(task.phase)}" if task.phase else "Running"
    if task.status == "settling":
        return "Settling: waiting until the last attempt can no longer write"
    return f"Waiting for {plain(task.waiting_for)}" if task.waiting_for else "Waiting"


def limit_words(verdict: Verdict) -> str:
    """Which limit it was, by its name."""
    return f" (`{verdict.limit}`)" if _NAME.fullmatch(verdict.limit) else ""


def counted(number: int, noun: str) -> str:
    """Such as `1 task`, `2 tasks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def minutes(seconds: float) -> str:
    """Minutes with one decimal, such as `3.4`."""
    return f"{seconds / 60:.1f}"


def duration(seconds: float) -> str:
    """Such as `41 s` or `3 min 20 s`."""
    whole = round(seconds)
    return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"
