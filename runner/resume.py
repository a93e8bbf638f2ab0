"""What an earlier attempt at this task proved, as far as it still verifies: from this disk, else from what the app keeps of it."""

from collections.abc import Sequence

from runner import hold, publish, rescue, worktree
from runner import state as states
from runner.endings import AttemptEnds
from runner.evidence import Evidence
from runner.phase import Phase, Work
from runner.phases import setup
from runner.state import Change, State
from shared.messages import HeldWork, Published
from shared.models import AttemptReport, PhaseName, PhaseResult, Step, Usage, VerdictName

_KEPT = Step(name="kept from an earlier attempt", seconds=0, cached=True)


def earlier_work(work: Work, phases: Sequence[Phase]) -> State | None:
    """Becomes `work.state` when it answers the very same question; anything else is rescued and put away."""
    state = states.load(work.folder.state)
    # Under another isolation the files belong to another user.
    if state is None or not state.fits(work.brief) or state.isolation != work.state.isolation:
        rescue.put_away(work)
        return None
    state.ended_in, state.skipped, state.verdict = None, [], None
    state.usage, state.agent_seconds = Usage(), 0
    work.state = state
    proven = []
    for phase in phases:
        result = next((result for result in state.done if result.name == phase.NAME), None)
        if result is None or phase.missing(work):
            break
        proven.append(result)
    if not proven:
        rescue.put_away(work)
        work.state = _fresh(work)
        return None
    state.done = [result.model_copy(update={"steps": (_KEPT,)}) for result in proven]
    if not state.has_done(PhaseName.PULL_REQUEST):  # what was said of another change is not said of this one
        state.review_text, state.findings, state.review_posted = "", (), False
        state.fix_begun, state.fix, state.review_answer, state.answer_posted = False, None, "", False
    return state


def from_published(work: Work, published: Published) -> None:
    """An attempt that died after its pull request, maybe on another machine: only the review is left to do."""
    report, state = published.report, work.state
    opened = PhaseResult(name=PhaseName.PULL_REQUEST, status="passed", seconds=0, reason=f"#{published.pull_request}")
    state.done = [result for result in report.phases if result.name not in {PhaseName.PULL_REQUEST, PhaseName.REVIEW}]
    state.done.append(opened)
    state.before, state.change = _before(report), _change(report)
    state.plan_text, state.pull_request = report.plan_text, published.pull_request
    state.review_text, state.findings, state.notes = report.review_text, report.findings, list(report.notes)
    state.review_posted, state.review_answer = report.review_posted, report.review_answer
    if report.verdict.name is VerdictName.UNSAFE_DIFF:  # it is a draft for these
        state.needs_person = tuple(report.verdict.detail.splitlines())
    setup.bring_commits(work)
    publish.open_quarantine(work.folder)
    state.test_command, state.test_source = setup.test_command(work)
    setup.make_checkout(work)
    worktree.restore(work, report.head_sha)


def from_held(work: Work, held: HeldWork) -> None:
    """What a person has let out, as the app kept it: the commit is proven to be that one, and only publishing is left to do."""
    work.state = _fresh(work)
    report, state = held.report, work.state
    state.done = [result for result in report.phases if result.name not in {PhaseName.PULL_REQUEST, PhaseName.REVIEW}]
    state.before, state.change, state.plan_text = _before(report), _change(report), report.plan_text
    state.review_text, state.findings, state.notes = report.review_text, report.findings, list(report.notes)
    try:
        setup.bring_commits(work)
    except AttemptEnds as ends:
        reason = f"what the held work builds on cannot be had any more ({ends.verdict.reason}); `/shoal retry` does the work anew"
        raise AttemptEnds(VerdictName.PUBLISH_FAILED, reason, ends.verdict.detail) from ends
    publish.open_quarantine(work.folder)
    hold.take_back(work, held)


def _fresh(work: Work) -> State:
    return states.fresh(work.brief).model_copy(update={"isolation": work.state.isolation})


def _before(report: AttemptReport) -> Evidence | None:
    return Evidence(tests=report.tests_before, checks=report.checks_before) if report.tests_before else None


def _change(report: AttemptReport) -> Change:
    after = Evidence(tests=report.tests_after, checks=report.checks_after) if report.tests_after else None
    return Change(snapshot_sha=report.head_sha, head_sha=report.head_sha, files=report.changes, after=after)
