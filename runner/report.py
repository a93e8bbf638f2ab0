"""PURE: what an attempt says of itself, made from its state."""

from runner import pull_request_text, verdict
from runner.state import State
from shared.models import AttemptBrief, AttemptReport, Verdict, VerdictName

_UNFINISHED = Verdict(name=VerdictName.INTERNAL_ERROR, reason="the attempt has not come to its end")


def make(brief: AttemptBrief, state: State) -> AttemptReport:
    """With its final verdict as far as it is known, so that the app can open the pull request itself if we die."""
    tests = evidence(state)
    report = AttemptReport(
        verdict=state.verdict or tests or _UNFINISHED,
        phases=(*state.done, *([state.ended_in] if state.ended_in else []), *state.skipped),
        base_sha=state.base_sha,
        head_sha=state.head_sha,
        changes=state.changes,
        tests_before=state.tests_before,
        tests_after=state.tests_after,
        isolation=state.isolation,
        agent=brief.agent.name,
        plan_text=state.plan_text,
        review_text=state.review_text,
        review_posted=state.review_posted,
        draft=tests is not None and tests.name is not VerdictName.SUCCEEDED,
        pull_request=state.pull_request,
        agent_seconds=round(state.agent_seconds, 3),
    )
    if not state.head_sha:
        return report
    title, body = pull_request_text.title(brief), pull_request_text.body(brief, report)
    return report.model_copy(update={"pull_request_title": title, "pull_request_body": body})


def evidence(state: State) -> Verdict | None:
    """What the test runs say; None while there are not both."""
    if state.tests_before is None or state.tests_after is None:
        return None
    return verdict.final(state.tests_before, state.tests_after)
