"""Phase 2: the issue must still be what was approved."""

from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from shared.github import issue_hash
from shared.models import PhaseName, VerdictName

NAME = PhaseName.ISSUE


def run(work: Work) -> Outcome:
    issue = work.brief.issue
    if issue.hash != issue_hash(issue.title, issue.body):
        raise AttemptEnds(VerdictName.EDITED_AFTER_APPROVAL, "the text that was handed over is not the text that was approved")
    with work.meter.step("approval asked for"):
        answer = work.app.issue()
    if not answer.unchanged:
        reason = answer.reason or "the issue was edited after it was approved"
        raise AttemptEnds(VerdictName.EDITED_AFTER_APPROVAL, f"{reason}; label it again to approve the new text")
    return Outcome()


def missing(work: Work) -> str:
    return "" if work.state.issue_hash == work.brief.issue.hash else "another text was checked"
