"""What came out of a rehearsal against what should have: pure, so that a wrong verdict cannot hide."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.demo.sample import Expected
from app.report.status import AppStatus, CheckState, OrchestrationNumbers, OrchestrationState, TaskState
from shared.models import VerdictName

_BRANCH = re.compile(r"shoal/(\d+)[.-]")


@dataclass(frozen=True, slots=True)
class PullSeen:
    """A pull request as GitHub shows it; `conclusion` is its Shoal check's, None while there is none that is completed."""

    number: int
    branch: str
    draft: bool
    url: str
    conclusion: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One set of tasks, whatever number of orchestrations it took; the numbers are the largest one's."""

    numbers: OrchestrationNumbers
    tasks: tuple[TaskState, ...]
    checks: tuple[CheckState, ...]


def outcome(status: AppStatus) -> Outcome | None:
    """None while there is no orchestration."""
    if not status.orchestrations:
        return None
    tasks = {task.issue: task for one in status.orchestrations for task in one.tasks}
    return Outcome(
        numbers=max(status.orchestrations, key=lambda one: len(one.tasks)).orchestration,
        tasks=tuple(tasks[issue] for issue in sorted(tasks)),
        checks=tuple(check for one in status.orchestrations for check in one.check_runs),
    )


def is_over(status: AppStatus, issues: Iterable[int]) -> bool:
    """Every issue has its verdict, and every pull request a concluded check that tells the end and not the way to it."""
    found = outcome(status)
    if found is None or any(one.status != "done" for one in status.orchestrations):
        return False
    ended = {task.issue for task in found.tasks if task.status == "done"}
    return ended.issuperset(issues) and all(_is_told(one) for one in status.orchestrations)


def _is_told(one: OrchestrationState) -> bool:
    done = sum(task.verdict is VerdictName.SUCCEEDED for task in one.tasks)
    told = {check.head_sha for check in one.check_runs if f"{done} of {len(one.tasks)} done" in check.title}
    heads = {task.head_sha for task in one.tasks if task.pull_request is not None}
    return heads <= told and all(check.conclusion is not None for check in one.check_runs)


def differences(wanted: Mapping[int, Expected], tasks: Sequence[TaskState], pulls: Sequence[PullSeen]) -> tuple[str, ...]:
    """One line for each expectation that was not met, by what GitHub shows and not only by what the app says."""
    verdicts = {task.issue: task.verdict for task in tasks}
    opened: defaultdict[int, list[PullSeen]] = defaultdict(list)
    for pull in pulls:
        if match := _BRANCH.match(pull.branch):
            opened[int(match[1])].append(pull)
    lines: list[str] = []
    for issue, one in sorted(wanted.items()):
        if verdicts.get(issue) is not one.verdict:
            lines.append(f"#{issue}: expected {one.verdict}, got {verdicts.get(issue) or 'no verdict'}")
        lines += [f"#{issue}: {line}" for line in _pull_differences(one, opened[issue])]
    return tuple(lines)


def _pull_differences(wanted: Expected, pulls: Sequence[PullSeen]) -> list[str]:
    if len(pulls) != int(wanted.pull_request):
        return [f"expected {'one pull request' if wanted.pull_request else 'no pull request'}, found {len(pulls)}"]
    return [
        line
        for pull in pulls
        for line in (
            f"expected {_draft(wanted.draft)}, found {_draft(pull.draft)}" if pull.draft != wanted.draft else "",
            f"the check on pull request #{pull.number} is not concluded" if pull.conclusion is None else "",
        )
        if line
    ]


def _draft(draft: bool) -> str:
    return "a draft" if draft else "a pull request ready for review"
