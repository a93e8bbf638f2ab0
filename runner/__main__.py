# ruff: noqa: E402 something must be said before the imports
"""Starts the WorkflowManager: one line of JSON on standard input says where to call home; nothing secret is in argv.

In GitHub Actions that line is made from the job's identity first.
"""

import os
import signal
import socket
import sys
import threading
import time
import uuid
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import FrameType

from shared.without import hide

# What our libraries import if it is there, and we never use: to be pretty on a terminal, to sign keys, to guess the encoding of
# text that is always UTF-8. A fifth of the time until a runner claims, and a fifth of its memory when it has published.
hide("rich", "click", "cryptography", "charset_normalizer")
warnings.filterwarnings("ignore", "Unable to find acceptable character detection")

import structlog
from pydantic import ValidationError

from runner.app_client import AppClient
from runner.endings import Fenced, Interrupted
from shared import log
from shared.errors import FatalError
from shared.git import check_git
from shared.job import INPUT, Job, annotate, of_environment
from shared.messages import AttemptBrief, ClaimRequest, RunnerLaunch
from shared.models import AttemptReport
from shared.process import started_at

DONE, BROKEN, REFUSED, NOT_OURS = 0, 1, 2, 3
_log = structlog.get_logger()


def main() -> int:
    """The exit code: 0 the app knows the verdict, 1 a bug, 2 this runner cannot work, 3 the attempt is somebody else's or over."""
    log.set_up(os.environ.get("SHOAL_LOG_LEVEL", "INFO"), as_json=not (sys.stderr.isatty() or "GITHUB_OUTPUT" in os.environ))
    if sys.argv[1:] == ["clean"]:
        from runner.job import clean_up

        _log.info("cleaned up", processes=clean_up())
        return DONE
    try:
        return _run()
    except FatalError as error:
        _log.error("runner ends", reason=str(error))
        annotate(os.environ, sys.stdout, "error", str(error))
        return REFUSED
    except (Fenced, Interrupted, KeyboardInterrupt):
        _log.info("this attempt is over or somebody else's")
        return NOT_OURS
    except Exception:  # noqa: BLE001 a bug must still end with its own exit code and a logged trace
        _log.exception("runner broke")
        return BROKEN


def _run() -> int:
    if sys.argv[1:]:
        return _answer(sys.argv[1])
    if "SHOAL_ATTEMPT" in os.environ:
        raise FatalError("a runner was started inside an attempt: agents cannot start attempts")
    if f"{INPUT}ATTEMPT" in os.environ:
        from runner.identity import start_anew

        start_anew(os.environ)
    beside = ThreadPoolExecutor(1, thread_name_prefix="prepare")
    beside.submit(_import)  # this process may have been started ahead: its line may be long in coming
    launch = _launch(sys.stdin.readline())
    if launch.log:
        _write_to(launch.log)
    os.umask(0o022)
    with of_environment(os.environ, sys.stdout) as job:
        return _work(launch, job, beside)


def _write_to(path: str) -> None:
    """Standard output and error, whatever they were until now."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)


def _answer(question: str) -> int:
    from runner.answers import answer

    sys.stdout.buffer.write(answer(question, sys.stdin.buffer.read()).encode() + b"\n")
    return DONE


def _import() -> None:
    """All that an attempt needs whatever it is; nobody else imports meanwhile."""
    from runner import sandbox

    import_module("runner.workflow_manager")
    sandbox.tools()


def _prepare(work_dir: Path) -> None:
    """All that an attempt needs beside its claim, while the app answers that."""
    from runner import sandbox

    work_dir.mkdir(parents=True, exist_ok=True)
    check_git()
    sandbox.what_fails(work_dir)


def _launch(line: str) -> RunnerLaunch:
    try:
        return RunnerLaunch.model_validate_json(line)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, problem["loc"])) or "the line" for problem in error.errors())
        raise FatalError(f"no launch line on standard input: one line of JSON is expected, wrong: {places}") from None


def _work(launch: RunnerLaunch, job: Job | None, beside: ThreadPoolExecutor) -> int:
    work_dir = Path(launch.work_dir).resolve()
    prepared = beside.submit(_prepare, work_dir)
    stop = threading.Event()
    nonce = launch.nonce or uuid.uuid4().hex
    app = AppClient(launch, nonce, stop, job.mask if job else _already_hidden)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if job:
            app.end("its job was cancelled on GitHub; label the issue again to go on", job_cancelled=True)
        else:
            app.end(f"the runner was ended by {signal.Signals(number).name}")

    def end_slow_commands() -> None:
        stop.wait()
        from runner.sandbox import end_children

        time.sleep(1)  # what runs in the sandbox has ended by now; git, which we call without one, has not
        end_children()

    threading.Thread(target=end_slow_commands, daemon=True, name="stopper").start()
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        pid = os.getpid()
        brief = app.claim(ClaimRequest(nonce=nonce, pid=pid, pid_started=started_at(pid) or 0, host=socket.gethostname()))
        structlog.contextvars.bind_contextvars(attempt=brief.attempt_id, issue=brief.issue.number)
        app.start_courier(brief.heartbeat_seconds)
        report = _attempt(brief, work_dir, launch.model_keys, app, stop, prepared)
        if job:
            from runner.job import tell

            tell(job, brief, report)
    finally:
        app.close()
    _tidy(work_dir, stop)
    return DONE


def _tidy(work_dir: Path, stop: threading.Event) -> None:
    """The app has the last word already: whatever goes wrong here is left for the next runner."""
    from runner.reaper import reap_now_and_then

    try:
        reap_now_and_then(work_dir, datetime.now(UTC), stop)
    except Interrupted:
        _log.info("told to stop while clearing up")
    except Exception:  # noqa: BLE001 a bug here must not look like a failed attempt
        _log.exception("clearing up broke")


def _attempt(
    brief: AttemptBrief, work_dir: Path, model_keys: str, app: AppClient, stop: threading.Event, prepared: "Future[None]"
) -> AttemptReport:
    prepared.result()
    from runner.folder import TaskFolder
    from runner.sandbox import adopt_orphans
    from runner.workflow_manager import run_attempt

    adopt_orphans()
    return run_attempt(brief, TaskFolder(work_dir, brief.repository.id, brief.branch), app, stop, model_keys)


def _already_hidden(_secret: str) -> None:
    """Nothing prints a secret; only a job's log can be told to hide it besides."""


if __name__ == "__main__":
    sys.exit(main())
