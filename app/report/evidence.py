"""What was looked at before anybody is asked to merge: tests, checks, review."""

from app.report.markdown import block, code, details, plain
from app.report.view import TaskView
from shared.models import Finding, TestRun

_MOST = 10
_CI_WORDS = {
    "waiting": "CI of this repository: waited for",
    "green": "CI of this repository: green",
    "red": "CI of this repository: **red**",
    "none": "CI of this repository: nothing ran on this commit",
    "unknown": "CI of this repository: it did not end in time; look at the pull request",
}


def test_lines(task: TaskView) -> list[str]:
    """Tests and the repository's other checks, before and after."""
    before, after = task.tests_before, task.tests_after
    lines = [f"Tests: {tests_words(before, after)}"] if before or after else []
    if after and after.failing:
        lines.append(f"Failing: {_names(after.failing)}")
    if after and after.flaky:
        lines.append(f"Flaky: {_names(after.flaky)}; failed once and passed when run again on the same commit")
    earlier = {run.command: run for run in task.checks_before}
    lines += [
        f"Check {code(run.command[:200])}: {_outcome(earlier.get(run.command))} → {_outcome(run)}" for run in task.checks_after
    ]
    return lines


def ci_lines(task: TaskView) -> list[str]:
    """What GitHub says after the pull request: the repository's own CI, and whether the head still fits the default branch."""
    lines = [_CI_WORDS[task.ci.status]] if task.ci else []
    if task.ci:
        lines += [f"Red: {plain(name, 200)}" + (f" ({plain(url, 500)})" if url else "") for name, url in task.ci.red[:_MOST]]
    if task.mergeable is False:
        lines.append("**Conflicts with the default branch** as it is now: rebase it, or ask for that by `/shoal fix`")
    return lines


def tests_words(before: TestRun | None, after: TestRun | None) -> str:
    """Such as `40 passed → 41 passed, 1 failed`."""
    return "–" if before is None and after is None else f"{_counts(before)} → {_counts(after)}"


def review_section(task: TaskView) -> str:
    """The findings, and what was done about them; empty where nobody reviewed."""
    parts = [_finding(finding) for finding in task.findings[:50]]
    if len(task.findings) > 50:
        parts.append(f"- and {len(task.findings) - 50} more")
    answer = ["", "Answer:", "", block(task.review_answer, 4_000)] if task.review_answer.strip() else []
    if not parts and not answer:
        return ""
    must = sum(finding.must_fix for finding in task.findings)
    title = f"Review: {len(task.findings)} finding{'' if len(task.findings) == 1 else 's'}" + (f", {must} to fix" if must else "")
    return details(title, "\n".join([*parts, *answer]), 10_000)


def _finding(finding: Finding) -> str:
    place = code(finding.path[:200]) + (f" line {finding.line}" if finding.line else "") if finding.path else "the whole change"
    return f"- {'**must be fixed**, ' if finding.must_fix else ''}{place}: {plain(finding.text)}"


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(code(name[:200]) for name in names[:_MOST])
    return shown + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _outcome(run: TestRun | None) -> str:
    return "not run" if run is None else "passed" if run.exit_code == 0 else f"failed (exit code {run.exit_code})"


def _counts(tests: TestRun | None) -> str:
    if tests is None:
        return "not run"
    if tests.passed is None:
        return f"exit code {tests.exit_code}"
    return f"{tests.passed} passed" + (f", {tests.failed} failed" if tests.failed else "")
