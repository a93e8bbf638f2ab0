"""PURE: what an attempt says of itself, made from its state."""

from runner import pull_request_text, verdict
from runner.state import State
from shared.messages import AttemptBrief
from shared.models import AttemptReport, Verdict, VerdictName

_UNFINISHED = Verdict(name=VerdictName.INTERNAL_ERROR, reason="the attempt has not come to its end")


def make(brief: AttemptBrief, state: State) -> AttemptReport:
    """With its final verdict as far as it is known, so that the app can open the pull request itself if we die."""
    told = conclusion(state)
    before, after = state.before, state.change.after if state.change else None
    report = AttemptReport(
        verdict=state.verdict or told or _UNFINISHED,
        phases=(*state.done, *([state.ended_in] if state.ended_in else []), *state.skipped),
        base_sha=state.base_sha,
        head_sha=state.change.head_sha if state.change else "",
        changes=state.change.files if state.change else (),
        tests_before=before.tests if before else None,
        tests_after=after.tests if after else None,
        checks_before=before.checks if before else (),
        checks_after=after.checks if after else (),
        isolation=state.isolation,
        agent=brief.agent.name,
        plan_text=state.plan_text,
        review_text=state.review_text,
        findings=state.findings,
        review_posted=state.review_posted,
        review_answer=state.review_answer,
        draft=told is not None and told.name is not VerdictName.SUCCEEDED,
        pull_request=state.pull_request,
        agent_seconds=round(state.agent_seconds, 3),
        usage=state.usage,
        notes=tuple(state.notes),
    )
    if not report.head_sha:
        return report
    title, body = pull_request_text.title(brief), pull_request_text.body(brief, report)
    return report.model_copy(update={"pull_request_title": title, "pull_request_body": body})


def conclusion(state: State) -> Verdict | None:
    """What the evidence says about the change as it is; None while there is not all of it."""
    if state.before is None or state.change is None or state.change.after is None:
        return None
    tests = verdict.final(state.before, state.change.after)
    if state.needs_person and tests.name is VerdictName.SUCCEEDED:
        more = f" and {len(state.needs_person) - 1} more" if len(state.needs_person) > 1 else ""
        reason = f"a person must look at the draft: {state.needs_person[0]}{more}"
        return Verdict(name=VerdictName.UNSAFE_DIFF, reason=reason, detail="\n".join(state.needs_person))
    return tests
