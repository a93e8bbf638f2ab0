"""What a job of GitHub Actions shows of one attempt, outputs and summary, and what it cleans up after one."""

import os
from collections.abc import Mapping

from runner.pull_request_text import harmless
from shared.job import JOB, Job
from shared.messages import AttemptBrief
from shared.models import AttemptReport, PhaseResult, VerdictName
from shared.tree import end_trees, marked

# As the check run concludes them; every other verdict is a failure.
CONCLUSIONS: Mapping[VerdictName, str] = {
    VerdictName.SUCCEEDED: "success",
    VerdictName.NO_CHANGE: "neutral",
    VerdictName.PROVIDER_LIMIT: "neutral",
    VerdictName.BLOCKED: "neutral",
    VerdictName.CANCELLED: "neutral",
    VerdictName.UNSAFE_DIFF: "action_required",
    VerdictName.EDITED_AFTER_APPROVAL: "action_required",
    VerdictName.BRANCH_MOVED: "action_required",
    VerdictName.HELD: "action_required",
    VerdictName.NOT_PLANNED: "action_required",
}


def tell(job: Job, brief: AttemptBrief, report: AttemptReport) -> None:
    """The verdict for the next steps and for whoever opens the run's page."""
    job.put(
        verdict=report.verdict.name,
        conclusion=CONCLUSIONS.get(report.verdict.name, "failure"),
        pull_request=str(report.pull_request or ""),
        branch=brief.branch,
    )
    job.summarise(summary(brief, report))


def summary(brief: AttemptBrief, report: AttemptReport) -> str:
    """Markdown in which nothing of the issue's or the agent's words is more than words."""
    verdict = report.verdict
    pull = f"pull request #{report.pull_request} from `{brief.branch}`" if report.pull_request else "no pull request"
    rows = [_row(phase) for phase in report.phases]
    return "\n".join(
        [
            f"## Shoal: issue #{brief.issue.number}, attempt {brief.number}",
            "",
            f"**{verdict.name}**{f': {harmless(verdict.reason)}' if verdict.reason else ''}, {pull}.",
            "",
            "| phase | how it ended | seconds | |",
            "|---|---|--:|---|",
            *rows,
            "",
            *(line for phase in report.phases if (line := _stages(phase))),
            "",
            *(f"- {harmless(note)}" for note in report.notes),
        ]
    )


def clean_up() -> int:
    """Ends every process of this very job; what is left when a runner was killed instead of told."""
    left = marked(os.environ[JOB], JOB) if os.environ.get(JOB) else []
    end_trees(left)
    return len(left)


def _stages(phase: PhaseResult) -> str:
    """What the phase's time went into."""
    words = [f"{harmless(step.name)} {step.seconds:.1f} s{' (kept)' if step.cached else ''}" for step in phase.steps]
    words += [f"{phase.saved_seconds:.1f} s saved by running side by side"] if phase.saved_seconds >= 0.05 else []
    return f"- {phase.name.replace('_', ' ')}: {', '.join(words)}" if words else ""


def _row(phase: PhaseResult) -> str:
    reason = harmless(" ".join(phase.reason.split()))[:300].replace("|", "\\|")
    return f"| {phase.name.replace('_', ' ')} | {phase.status} | {phase.seconds:.1f} | {reason} |"
