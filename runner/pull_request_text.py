"""PURE: the words of a pull request; whatever an agent or an issue wrote is shown as a quotation that can do nothing."""

import re
from collections.abc import Sequence

from runner.verdict import told
from shared.github import COMMENT_LIMIT, cut, marker
from shared.messages import AttemptBrief, FollowUp
from shared.models import AttemptReport, FileChange, Finding, TestRun

_ZERO_WIDTH = "\u200b"
_FILES_SHOWN = 30
# Says that a draft is ours to end: one that a person made has not got it.
DRAFT_NOTE = "> [!WARNING]\n> Draft: "


def title(brief: AttemptBrief) -> str:
    return harmless(" ".join(brief.issue.title.split()))[:250] or f"Issue {brief.issue.number}"


def commit_message(brief: AttemptBrief) -> str:
    """The issue's title may neither close another issue nor switch the repository's CI off."""
    first = re.sub(r"\[(?=skip |ci skip|no ci|actions skip)", f"[{_ZERO_WIDTH}", title(brief), flags=re.IGNORECASE)
    return f"{first[:200]}\n\nCloses #{brief.issue.number}\n"


def follow_up_message(brief: AttemptBrief, wanted: FollowUp) -> str:
    what = "Mend what the CI found" if wanted.source == "ci" else f"Do what {harmless(wanted.asked_by)} asked for"
    return f"{what} in #{brief.issue.number}\n"


def body(brief: AttemptBrief, report: AttemptReport) -> str:
    """Everything a reviewer needs to judge the change without reading logs."""
    issue = brief.issue.number
    parts = [
        marker("pull-request", f"{brief.repository.id}:{issue}"),
        f"Closes #{issue}",
        *_stacked(brief.stacked_on),
        *_warning(report),
        _evidence(report),
        _files(report.changes),
        _details("The plan", report.plan_text),
        _made(brief, report),
    ]
    return cut("\n\n".join(part for part in parts if part) + "\n", COMMENT_LIMIT - 100, "\n\n(cut: too long for GitHub)\n")


def review(brief: AttemptBrief, text: str, findings: Sequence[Finding] = ()) -> str:
    """A review's body; the marker lets us find it again."""
    rows = [
        f"- {_place(finding)}{'**must be fixed**: ' if finding.must_fix else ''}{harmless(finding.text)}" for finding in findings
    ]
    listed = ["### Findings\n\n" + "\n".join(rows)] if rows else []
    parts = [review_marker(brief), "A separate pass of the agent read this diff and says:", quoted(text), *listed]
    return cut("\n\n".join(parts), COMMENT_LIMIT - 100, "\n\n(cut: too long for GitHub)\n")


def answer(brief: AttemptBrief, text: str) -> str:
    """The body of the answer to our review."""
    parts = [answer_marker(brief), "Answer to the review above:", quoted(text)]
    return cut("\n\n".join(parts), COMMENT_LIMIT - 100, "\n\n(cut: too long for GitHub)\n")


def review_marker(brief: AttemptBrief) -> str:
    return marker("review", _subject(brief))


def answer_marker(brief: AttemptBrief) -> str:
    return marker("review-answer", _subject(brief))


def _subject(brief: AttemptBrief) -> str:
    """A follow-up is reviewed by itself."""
    added_to = f":{brief.follow_up.head_sha[:12]}" if brief.follow_up else ""
    return f"{brief.repository.id}:{brief.issue.number}{added_to}"


def harmless(text: str) -> str:
    """Pings nobody, closes nothing, hides nothing, and cannot be taken for one of our markers."""
    without_html = re.sub(r"<(?=[A-Za-z/!?])", f"<{_ZERO_WIDTH}", text)
    without_pings = re.sub(r"([@#])(?=\w)", rf"\1{_ZERO_WIDTH}", without_html)
    without_short_links = re.sub(r"\b(GH-)(?=\d)", rf"\1{_ZERO_WIDTH}", without_pings, flags=re.IGNORECASE)
    # "Fixes https://github.com/o/r/issues/1" closes as well as "Fixes #1".
    return re.sub(r"(https?:)(?=//)", rf"\1{_ZERO_WIDTH}", without_short_links)


def quoted(text: str) -> str:
    """Harmless Markdown inside a block quote, so that nobody takes it for ours."""
    return "\n".join(f"> {line}".rstrip() for line in harmless(text).splitlines())


def _place(finding: Finding) -> str:
    if not finding.path:
        return ""
    return f"`{_code(finding.path)}:{finding.line}` " if finding.line else f"`{_code(finding.path)}` "


def _stacked(numbers: tuple[int, ...]) -> list[str]:
    if not numbers:
        return []
    return [f"Stacked on {', '.join(f'#{number}' for number in numbers)}: merge that first."]


def _warning(report: AttemptReport) -> list[str]:
    return [f"{DRAFT_NOTE}{harmless(report.verdict.reason)}"] if report.draft else []


def _evidence(report: AttemptReport) -> str:
    rows = ["### Evidence", "", "| | before | after |", "|---|---|---|"]
    before, after = report.tests_before, report.tests_after
    rows.append(f"| tests | {_cell(before)} | {_cell(after)} |")
    if after:
        rows += [
            f"| command | `{_code(after.command)}` | `{_code(after.command)}` |",
            f"| read from | {before.source if before else ''} | {after.source} |",
        ]
    rows += [
        f"| `{_code(now.command)}` | {_cell(_same(now, report.checks_before))} | {_cell(now)} |" for now in report.checks_after
    ]
    if after and after.flaky:
        rows += ["", "Flaky, green when run again: " + ", ".join(f"`{_code(name)}`" for name in after.flaky[:20])]
    if after and after.failing:
        rows += ["", "Failing: " + ", ".join(f"`{_code(name)}`" for name in after.failing[:20])]
    return "\n".join(rows)


def _same(run: TestRun, others: tuple[TestRun, ...]) -> TestRun | None:
    return next((other for other in others if other.command == run.command), None)


def _cell(run: TestRun | None) -> str:
    return f"{'green' if run.exit_code == 0 else 'red'}: {told(run)}, {run.seconds:.1f} s" if run else "not run"


def _files(changes: tuple[FileChange, ...]) -> str:
    rows = [f"### {len(changes)} file{'s' * (len(changes) != 1)} changed", "", "| file | + | - |", "|---|---|---|"]
    rows += [f"| `{_code(change.path)}` | {change.added} | {change.removed} |" for change in changes[:_FILES_SHOWN]]
    if len(changes) > _FILES_SHOWN:
        rows += ["", f"and {len(changes) - _FILES_SHOWN} more"]
    return "\n".join(rows)


def _details(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{quoted(text)}\n\n</details>" if text else ""


def _made(brief: AttemptBrief, report: AttemptReport) -> str:
    link = f" ([details]({brief.details_url}))" if brief.details_url else ""
    notes = "".join(f"\n- {harmless(note)}" for note in report.notes)
    cost = f"; cost: ${report.usage.cost_usd:.2f}" if report.usage.cost_usd is not None else ""
    return (
        f"Made by Shoal with the agent `{report.agent}` in attempt {brief.number}{link}; isolation: {report.isolation}{cost}. "
        f"Nobody has read it yet: the review is yours.{notes and chr(10) + notes}"
    )


def _code(text: str) -> str:
    return re.sub(r"[`|\r\n]", " ", text)
