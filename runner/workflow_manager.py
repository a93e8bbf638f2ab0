"""The loop: one attempt through the nine phases, each run, verified, saved and reported, in this order."""

import threading
import time
from collections.abc import Sequence

import structlog

from runner import agent, pool, reaper, report, rescue, sandbox
from runner import state as states
from runner import verdict as verdicts
from runner.app_client import AppClient
from runner.endings import AttemptEnds, Fenced
from runner.folder import TaskFolder, held
from runner.phase import Meter, Outcome, Phase, Work
from runner.phases import branch, documentation, implementation, issue, pull_request, research, review, setup, testing
from shared.errors import FatalError
from shared.models import AttemptBrief, PhaseResult, Verdict, VerdictName

PHASES: Sequence[Phase] = (setup, issue, branch, research, implementation, testing, documentation, pull_request, review)
_NO_EVIDENCE = Verdict(name=VerdictName.INTERNAL_ERROR, reason="no test evidence was recorded")
_log = structlog.get_logger()


def run_attempt(brief: AttemptBrief, folder: TaskFolder, app: AppClient, stop: threading.Event) -> None:
    """Works until the attempt has a verdict, and tells the app; raises Fenced when the attempt is not ours any more."""
    with held(folder):
        sandbox.end_leftovers(folder.home, folder.check_home)
        chosen = sandbox.choose(brief.isolation, pool.take(folder), folder.work_dir)
        work = Work(brief, folder, states.fresh(brief), chosen, app, stop)
        work.state.isolation = _isolation(work)
        work.state = _earlier_work(work) or work.state
        work.state.verdict = _go_through(work, PHASES)
        _save(work, "its last word")  # a full disk must not keep the verdict from being told
        _log.info("verdict", name=work.state.verdict.name, reason=work.state.verdict.reason)
        tokens_revoked = 0 < work.tokens_granted == work.tokens_revoked
        patience = {"patience": 2.0} if stop.is_set() else {}
        app.finish(report.make(brief, work.state), tokens_revoked=tokens_revoked, **patience)
        reaper.clear_up(work)


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
    return verdict or report.evidence(work.state) or _NO_EVIDENCE


def _run_phase(work: Work, phase: Phase) -> Verdict | None:
    """None when the attempt goes on: the phase's artefact is verified, and on disk it is known to be."""
    _log.info("phase", phase=phase.NAME)
    work.meter = Meter()
    begun = time.monotonic()
    work.app.entered(phase.NAME)
    outcome, verdict = _outcome(work, phase)
    result = PhaseResult(
        name=phase.NAME,
        status=outcome.status,
        seconds=round(time.monotonic() - begun, 3),
        reason=outcome.reason,
        cpu_seconds=round(work.meter.cpu_seconds, 3),
        peak_memory_mib=round(work.meter.peak_memory_mib, 1),
    )
    if verdict is None:
        work.state.done.append(result)
        verdict = _save(work, phase.NAME)
    else:
        work.state.ended_in = result
    work.app.report_phase(result)
    return verdict


def _outcome(work: Work, phase: Phase) -> tuple[Outcome, Verdict | None]:
    """Every error is a verdict too, foreseen or not; only those that take the right to speak for the attempt travel on."""
    try:
        work.raise_if_stopped()
        outcome = phase.run(work)
        what = phase.missing(work)
    except (Fenced, FatalError):
        raise
    except Exception as error:  # noqa: BLE001 whatever broke, the attempt must end with a verdict that people see
        verdict = _verdict(work, phase, error)
        return Outcome("failed", verdict.reason), verdict
    if what:
        reason = f"{phase.NAME} did not leave what it must: {what}"
        return Outcome("failed", reason), Verdict(name=VerdictName.INTERNAL_ERROR, reason=reason)
    return outcome, None


def _verdict(work: Work, phase: Phase, error: Exception) -> Verdict:
    if work.stop.is_set():  # whatever failed then, failed because we were told to end
        return Verdict(name=VerdictName.CANCELLED, reason=work.app.stop_reason or "stopped")
    if isinstance(error, AttemptEnds):
        return error.verdict
    _log.error("phase broke", phase=phase.NAME, exc_info=error)
    return verdicts.of_error(error, phase.NAME)


def _save(work: Work, where: str) -> Verdict | None:
    try:
        work.save()
    except OSError as error:
        return verdicts.of_error(error, where)
    return None


def _isolation(work: Work) -> str:
    """As every report shows it."""
    level = f"{work.sandbox.level} ({work.sandbox.why})" if work.sandbox.why else work.sandbox.level
    return f"{level}, agent with network" if agent.has_network(work.brief) else level


def _earlier_work(work: Work) -> states.State | None:
    """What an earlier attempt at this task proved, as far as it still verifies; anything else is rescued and put away."""
    state = states.load(work.folder.state)
    # Under another isolation the files belong to another user.
    if state is None or not state.fits(work.brief) or state.isolation != work.state.isolation:
        rescue.put_away(work)
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
