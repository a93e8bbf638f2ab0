"""The loop: one attempt through the nine phases, each run, verified, saved and reported, in this order."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from runner import agent, plans, pool, reaper, report, resume, sandbox
from runner import state as states
from runner import verdict as verdicts
from runner.app_client import AppClient
from runner.endings import AttemptEnds, Fenced
from runner.folder import TaskFolder, held
from runner.meter import Meter
from runner.models.keys import Keys
from runner.phase import Outcome, Phase, Work
from runner.phases import branch, documentation, implementation, issue, pull_request, research, review, setup, testing
from shared.errors import FatalError
from shared.messages import AttemptBrief
from shared.models import AttemptReport, PhaseName, PhaseResult, Verdict, VerdictName
from shared.repository_settings import RepositorySettings

PHASES: Sequence[Phase] = (setup, issue, branch, research, implementation, testing, documentation, pull_request, review)
_NO_EVIDENCE = Verdict(name=VerdictName.INTERNAL_ERROR, reason="no test evidence was recorded")
_log = structlog.get_logger()


def run_attempt(
    brief: AttemptBrief, folder: TaskFolder, app: AppClient, stop: threading.Event, model_keys: str = ""
) -> AttemptReport:
    """Works until the attempt has a verdict, and tells the app; raises Fenced when the attempt is not ours any more."""
    with held(folder):
        sandbox.end_leftovers(folder.home, folder.check_home)
        chosen = sandbox.choose(brief.isolation, pool.take(folder), folder.work_dir)
        work = Work(brief, folder, states.fresh(brief), chosen, app, stop)
        with _within(work, brief.limits.minutes, "minutes", "the attempt"):
            work.state.verdict = _taken_up(work, model_keys) or _go_through(work, PHASES)
        plans.settle(work)
        _save(work, "its last word")  # a full disk must not keep the verdict from being told
        _log.info("verdict", name=work.state.verdict.name, reason=work.state.verdict.reason)
        patience = {"patience": 2.0} if stop.is_set() and not work.expired else {}
        last_word = report.make(brief, work.state)
        app.finish(last_word, tokens_revoked=tuple(work.tokens_revoked), **patience)
        reaper.clear_up(work)
    return last_word


def phase_minutes(name: PhaseName, settings: RepositorySettings, most: float | None) -> float:
    """The longest that a phase may take: its commands' own limits and room for what lies between them, or the operator's word."""
    tests, agents, repairs = settings.test_minutes, settings.agent_minutes, settings.repair_passes
    longest = {
        PhaseName.SETUP: 4 * tests + 30,
        PhaseName.RESEARCH: agents + 5,
        PhaseName.IMPLEMENTATION: agents + tests + 10,
        PhaseName.TESTING: (1 + repairs) * (4 * tests + agents) + 10,
        PhaseName.DOCUMENTATION: agents + 4 * tests + 10,
        PhaseName.REVIEW: 2 * agents + 4 * tests + 70,
    }
    usual = longest.get(name, 70)  # the app may be away for an hour
    return usual if most is None else min(usual, most)


def _taken_up(work: Work, model_keys: str) -> Verdict | None:
    """The models' keys, and what an earlier attempt left; a verdict when even that breaks."""

    def take_up() -> Outcome:
        try:
            work.keys = Keys.load(model_keys, os.environ)
        except FatalError as error:
            raise AttemptEnds(VerdictName.SETUP_FAILED, str(error)) from error
        if why := sandbox.too_weak(work.brief.isolation, work.sandbox):  # before git looks at what an earlier agent left
            raise AttemptEnds(VerdictName.SETUP_FAILED, why)
        work.state.isolation = _isolation(work)
        found = resume.earlier_work(work, PHASES)
        published = work.brief.published
        if work.brief.held is not None and not (found and found.has_done(PhaseName.PULL_REQUEST)):
            resume.from_held(work, work.brief.held)
        elif published is not None and not (found and found.change and found.change.head_sha == published.report.head_sha):
            resume.from_published(work, published)
        return Outcome()

    return _guarded(work, "resume", take_up)[1]


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
    return verdict or report.conclusion(work.state) or _NO_EVIDENCE


def _run_phase(work: Work, phase: Phase) -> Verdict | None:
    """None when the attempt goes on: the phase's artefact is verified, and on disk it is known to be."""
    _log.info("phase", phase=phase.NAME)
    work.meter = Meter()
    begun = time.monotonic()
    work.app.entered(phase.NAME)
    minutes = phase_minutes(phase.NAME, work.brief.settings, work.brief.limits.phase_minutes)
    with _within(work, minutes, f"phase {phase.NAME}", f"the phase {phase.NAME}"):
        outcome, verdict = _guarded(work, phase.NAME, lambda: phase.run(work), lambda: phase.missing(work))
    seconds = round(time.monotonic() - begun, 3)
    result = work.meter.on(PhaseResult(name=phase.NAME, status=outcome.status, seconds=seconds, reason=outcome.reason))
    if verdict is None:
        work.state.done.append(result)
        verdict = _save(work, phase.NAME)
    else:
        work.state.ended_in = result
    work.app.report_phase(result)
    return verdict


def _guarded(
    work: Work, where: str, run: Callable[[], Outcome], missing: Callable[[], str] = lambda: ""
) -> tuple[Outcome, Verdict | None]:
    """Every error is a verdict too, foreseen or not; only those that take the right to speak for the attempt travel on."""
    try:
        work.raise_if_stopped()
        outcome = run()
        what = missing()
    except (Fenced, FatalError):
        raise
    except Exception as error:  # noqa: BLE001 whatever broke, the attempt must end with a verdict that people see
        verdict = _verdict(work, where, error)
        return Outcome("failed", verdict.reason), verdict
    if what:
        reason = f"{where} did not leave what it must: {what}"
        return Outcome("failed", reason), Verdict(name=VerdictName.INTERNAL_ERROR, reason=reason)
    return outcome, None


def _verdict(work: Work, where: str, error: Exception) -> Verdict:
    if work.expired:
        return work.expired
    if work.stop.is_set():  # whatever failed then, failed because we were told to end
        return Verdict(name=VerdictName.CANCELLED, reason=work.app.stop_reason or "stopped")
    if isinstance(error, AttemptEnds):
        return error.verdict
    _log.error("phase broke", phase=where, exc_info=error)
    return verdicts.of_error(error, where)


@contextmanager
def _within(work: Work, minutes: float, limit: str, who: str) -> Iterator[None]:
    """Ends everything when the time is over; the verdict then names the limit."""
    reason = f"{who} took longer than {minutes:g} minutes"
    timer = threading.Timer(minutes * 60, work.expire, (limit, reason))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _save(work: Work, where: str) -> Verdict | None:
    try:
        work.save()
    except OSError as error:
        return verdicts.of_error(error, where)
    return None


def _isolation(work: Work) -> str:
    """As every report shows it."""
    level = f"{work.sandbox.level} ({work.sandbox.why})" if work.sandbox.why else work.sandbox.level
    return f"{level}, agent with network" if agent.has_network(work) else level
