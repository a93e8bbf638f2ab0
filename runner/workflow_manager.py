"""The loop: one attempt through the nine phases, each run, verified, saved and reported, in this order."""

import threading
import time
import traceback
from collections.abc import Sequence

import structlog

from runner import report, rescue, sandbox
from runner import state as states
from runner import verdict as verdicts
from runner.app_client import AppClient
from runner.endings import AttemptEnds, Fenced, Interrupted
from runner.folder import TaskFolder, held
from runner.phase import Meter, Outcome, Phase, Work
from runner.phases import branch, documentation, implementation, issue, pull_request, research, review, setup, testing
from shared.errors import FatalError
from shared.log import redact
from shared.models import AttemptBrief, PhaseResult, Verdict, VerdictName

PHASES: Sequence[Phase] = (setup, issue, branch, research, implementation, testing, documentation, pull_request, review)
_log = structlog.get_logger()


def run_attempt(brief: AttemptBrief, folder: TaskFolder, app: AppClient, stop: threading.Event) -> None:
    """Works until the attempt has a verdict, and tells the app; raises Fenced when the attempt is not ours any more."""
    with held(folder):
        key = f"{brief.repository.id}/{brief.branch}"
        sandbox.end_leftovers(folder.home, folder.check_home)
        chosen = sandbox.choose(brief.isolation, key, folder.work_dir)
        work = Work(brief, folder, states.fresh(brief), chosen, app, stop)
        work.state = _earlier_work(work) or work.state
        work.state.isolation = chosen.level if not chosen.why else f"{chosen.level} ({chosen.why})"
        work.state.verdict = _go_through(work, PHASES)
        _save_last(work)
        _log.info("verdict", name=work.state.verdict.name, reason=work.state.verdict.reason)
        tokens_revoked = 0 < work.tokens_granted == work.tokens_revoked
        patience = {"patience": 2.0} if stop.is_set() else {}
        app.finish(report.make(brief, work.state), tokens_revoked=tokens_revoked, **patience)


def _go_through(work: Work, phases: Sequence[Phase]) -> Verdict:
    verdict: Verdict | None = None
    for phase in phases:
        if verdict is not None:
            skipped = PhaseResult(name=phase.NAME, status="skipped", seconds=0, reason=f"the attempt ended before: {verdict.name}")
            work.state.skipped.append(skipped)
        elif work.state.has_done(phase.NAME):
            _log.info("phase was done before", phase=phase.NAME)
        else:
            verdict = _run_phase(work, phase)
    return (
        verdict or report.evidence(work.state) or Verdict(name=VerdictName.INTERNAL_ERROR, reason="no test evidence was recorded")
    )


def _run_phase(work: Work, phase: Phase) -> Verdict | None:
    """None when the attempt goes on; an error that nobody foresaw is a verdict too, and its words are shown."""
    _log.info("phase", phase=phase.NAME)
    work.meter = Meter()
    begun = time.monotonic()
    work.app.entered(phase.NAME)
    try:
        work.raise_if_stopped()
        outcome = _verified(work, phase)
        result = _result(work, phase, begun, outcome)
        work.state.done.append(result)
        states.save(work.state, work.folder.state)
    except AttemptEnds as ends:
        if work.stop.is_set():
            return _cancelled(work, phase, begun)
        work.state.ended_in = _result(work, phase, begun, Outcome("failed", ends.verdict.reason))
        work.app.report_phase(work.state.ended_in)
        return ends.verdict
    except (Fenced, FatalError):
        raise
    except Exception as error:  # noqa: BLE001 whatever broke, the attempt must end with a verdict that people see
        if work.stop.is_set():
            return _cancelled(work, phase, begun)
        _log.exception("phase broke", phase=phase.NAME)
        work.state.ended_in = _result(work, phase, begun, Outcome("failed", "the runner broke"))
        return _broken(phase, error)
    except Interrupted:
        return _cancelled(work, phase, begun)
    work.app.report_phase(result)
    return None


def _broken(phase: Phase, error: Exception) -> Verdict:
    words = redact(traceback.format_exc())[-8000:]
    if verdicts.says_disk_full(words):
        reason = f"the runner could not go on in {phase.NAME}: {verdicts.MAKE_ROOM}"
        return Verdict(name=VerdictName.LIMIT_REACHED, reason=reason, detail=words)
    reason = f"the runner broke in {phase.NAME}: {type(error).__name__}"
    return Verdict(name=VerdictName.INTERNAL_ERROR, reason=reason, detail=words)


def _save_last(work: Work) -> None:
    """A verdict that cannot be saved must still be told: a full disk is a reason that people have to read."""
    try:
        states.save(work.state, work.folder.state)
    except OSError as error:
        _log.warning("the state cannot be saved", error=str(error))


def _cancelled(work: Work, phase: Phase, begun: float) -> Verdict:
    reason = work.app.stop_reason or "stopped"
    work.state.ended_in = _result(work, phase, begun, Outcome("failed", reason))
    return Verdict(name=VerdictName.CANCELLED, reason=reason)


def _verified(work: Work, phase: Phase) -> Outcome:
    outcome = phase.run(work)
    if what := phase.missing(work):
        raise AttemptEnds(VerdictName.INTERNAL_ERROR, f"{phase.NAME} did not leave what it must: {what}")
    return outcome


def _result(work: Work, phase: Phase, begun: float, outcome: Outcome) -> PhaseResult:
    return PhaseResult(
        name=phase.NAME,
        status=outcome.status,
        seconds=round(time.monotonic() - begun, 3),
        reason=outcome.reason,
        cpu_seconds=round(work.meter.cpu_seconds, 3),
        peak_memory_mib=round(work.meter.peak_memory_mib, 1),
    )


def _earlier_work(work: Work) -> states.State | None:
    """What an earlier attempt at this task proved, as far as it still verifies; anything else is rescued and put away."""
    state = states.load(work.folder.state)
    if state is None or not state.fits(work.brief):
        rescue.put_away(work, state)
        return None
    state.ended_in, state.skipped, state.verdict = None, [], None
    work.state = state
    proven = []
    for phase in PHASES:
        result = next((result for result in state.done if result.name == phase.NAME), None)
        if result is None or phase.missing(work):
            break
        proven.append(result)
    state.done = proven
    return state
