"""Phase 6: the repository's own tests on the very commit that may leave; red is evidence, it is never passed over."""

from runner import agent, prompt, publish, testing, verdict
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.evidence import Evidence
from runner.phase import Outcome, Work
from runner.phases import implementation
from runner.state import Change, commit_of
from shared.models import PhaseName, TestRun, VerdictName

NAME = PhaseName.TESTING


def run(work: Work) -> Outcome:
    state = work.state
    before = baseline(work)
    change = _tested(work, commit_of(state))
    note = ""
    while _is_red(before, change) and state.repairs < work.brief.settings.repair_passes:
        state.repairs += 1
        work.save()
        try:
            mended = _repaired(work, change)
        except AttemptEnds as ends:  # the red run stands, and the draft shows it
            if ends.verdict.name is VerdictName.PROVIDER_LIMIT:
                state.repairs -= 1
                raise
            note = f"; repair pass {state.repairs} failed: {ends.verdict.reason}"
            break
        if mended is None:
            break
        change = mended
    state.change = change
    reason = verdict.final(before, _evidence(change)).reason + note
    repaired = f"; repair passes: {state.repairs}" if state.repairs and not note else ""
    return Outcome("failed" if _is_red(before, change) else "passed", reason + repaired)


def missing(work: Work) -> str:
    change = work.state.change
    if change is None or change.after is None:
        return "the tests did not run"
    return "" if publish.holds(work.folder, change.head_sha) else "the tested commit is gone"


def baseline(work: Work) -> Evidence:
    """What the tests said before anything was changed."""
    if work.state.before is None:
        raise AssertionError("set-up was verified, so there is a baseline")
    return work.state.before


def _tested(work: Work, change: Change) -> Change:
    return change.model_copy(update={"after": testing.gather(work, change.snapshot_sha, baseline(work))})


def _repaired(work: Work, red: Change) -> Change | None:
    """One pass of the agent on its own red tests; None when it cannot do that, or left everything as it was."""
    evidence = _evidence(red)
    failing = [evidence.tests, *(check for check in evidence.checks if check.exit_code)]
    left = work.brief.settings.repair_passes - work.state.repairs
    answer = agent.play(work, Pass.REPAIR, lambda told: prompt.repair(told, _worst(failing), left))
    if answer is None:
        return None
    change = implementation.record(work, answer.printed)
    return None if change.head_sha == red.head_sha else _tested(work, change)


def _worst(runs: list[TestRun]) -> TestRun:
    """The first that is red: tests before checks."""
    return next((run for run in runs if run.exit_code != 0), runs[0])


def _is_red(before: Evidence, change: Change) -> bool:
    return verdict.final(before, _evidence(change)).name is not VerdictName.SUCCEEDED


def _evidence(change: Change) -> Evidence:
    if change.after is None:
        raise AssertionError("the change was tested a moment ago")
    return change.after
