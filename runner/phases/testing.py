"""Phase 6: the repository's own tests on the very commit that may leave; red is evidence, it is never passed over."""

from runner import agent, prompt, publish, testing, verdict
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.phases import implementation
from shared.models import PhaseName, TestRun

NAME = PhaseName.TESTING


def run(work: Work) -> Outcome:
    state = work.state
    before = _before(state.tests_before)
    after = testing.run_tests(work, state.snapshot_sha)
    note = ""
    if verdict.new_failures(before, after) and not state.repaired:
        state.repaired = True
        try:
            after = _repaired(work, after) or after
        except AttemptEnds as ends:  # the red run stands, and the draft shows it
            note = f"; the repair pass failed: {ends.verdict.reason}"
    state.tests_after = after
    reason = verdict.final(before, after).reason + note
    return Outcome("failed" if verdict.new_failures(before, after) else "passed", reason)


def missing(work: Work) -> str:
    if work.state.tests_after is None:
        return "the tests did not run"
    return "" if publish.holds(work.folder, work.state.head_sha) else "the tested commit is gone"


def _repaired(work: Work, red: TestRun) -> TestRun | None:
    """One bounded pass of the agent on its own red tests; None when it cannot do that."""
    told = prompt.repair(prompt.request_of(work.brief, work.state.test_command), red, left=0)
    answer = agent.play(work, Pass.REPAIR, told)
    if answer is None:
        return None
    implementation.record(work, answer.printed)
    return testing.run_tests(work, work.state.snapshot_sha)


def _before(run: TestRun | None) -> TestRun:
    if run is None:
        raise AssertionError("set-up was verified, so there is a baseline")
    return run
