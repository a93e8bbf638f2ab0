"""`python -I -m app orchestrate`: what action.yml starts with `mode: orchestrate`; one job is app and runners at once."""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import NoReturn

from app.commands.console import print_json, print_line
from app.github.job import GitHubJob
from app.github.usage import Meter
from app.orchestrate import Orchestrated, orchestrate
from app.settings import Settings, load
from app.wanted import Wanted, wanted
from app.web import server
from app.wiring import running, utc_now
from shared import log as logging
from shared.errors import UserError
from shared.job import INPUT, Job, annotate, default_work_dir, of_environment
from shared.models import VerdictName

DONE, FAILED = 0, 1
_WELL = (VerdictName.SUCCEEDED, VerdictName.NO_CHANGE)
# Labels that come while a job starts are read one by one; the plan waits for the last.
_INTAKE_SECONDS = 3.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(issues: str, label: str, slots: int | None, *, as_json: bool) -> int:
    """0 when all that was taken ended well, 1 when not."""
    if f"{INPUT}TOKEN" in os.environ:
        _start_anew(os.environ)
    token, repository = sys.stdin.readline().strip(), os.environ.get("GITHUB_REPOSITORY", "")
    if not token or not repository:
        raise UserError("`orchestrate` runs in a job of GitHub Actions: use action.yml with `mode: orchestrate`")
    try:
        asked = wanted(issues, os.environ)
        with of_environment(os.environ, sys.stdout) as job, tempfile.TemporaryDirectory(prefix="shoal-job-") as folder:
            if job:
                job.mask(token)
            listening = server.listen("127.0.0.1", 0)
            settings = _settings(Path(folder), listening.getsockname()[1], label, slots)
            logging.set_up(settings.log_level, as_json=settings.log_json)
            outcome = asyncio.run(_run(settings, listening, token, repository, asked))
            _tell(job, outcome, as_json=as_json)
    except UserError as error:
        annotate(os.environ, sys.stdout, "error", str(error))
        raise
    return DONE if all(task.verdict and task.verdict.name in _WELL for task in outcome.tasks) else FAILED


def _start_anew(environ: MutableMapping[str, str]) -> NoReturn:
    """Replaces this process by one whose environment, which its agents' processes could read, never held the token."""
    inputs = {name: environ.pop(name) for name in list(environ) if name.startswith((INPUT, "ACTIONS_"))}
    for variable, name in (("SHOAL_WORK_DIR", "WORK_DIR"), ("SHOAL_MODEL_KEYS", "MODEL_KEYS")):
        if inputs.get(f"{INPUT}{name}"):
            environ[variable] = inputs[f"{INPUT}{name}"]
    reading, writing = os.pipe()
    os.write(writing, inputs[f"{INPUT}TOKEN"].encode() + b"\n")
    os.close(writing)
    os.dup2(reading, 0)
    os.execve(sys.executable, [sys.executable, "-I", "-m", "app", *sys.argv[1:]], dict(environ))  # noqa: S606 our own program


def _settings(folder: Path, port: int, label: str, slots: int | None) -> Settings:
    """The operator's variables as always; what belongs to a hosted app is made for this job alone."""
    given: dict[str, object] = {
        "webhook_secret": secrets.token_urlsafe(32),
        "app_id": "github-actions",
        "private_key": "not used: the job's token is",
        "port": port,
        "database_url": f"sqlite:///{folder}/shoal.db",
        "sweep_seconds": 1e9,
        **({"label": label} if label else {}),
        **({"slots": slots} if slots else {}),
        **_from(os.environ),
    }
    return load(**given)


def _from(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {
        "github_url": environ.get("GITHUB_SERVER_URL", "https://github.com"),
        "github_api_url": environ.get("GITHUB_API_URL", "https://api.github.com"),
    }
    if "SHOAL_WORK_DIR" not in environ:
        found["work_dir"] = default_work_dir(environ)
    if "SHOAL_INTAKE_SECONDS" not in environ:
        found["intake_seconds"] = _INTAKE_SECONDS
    return found


async def _run(settings: Settings, listening: socket.socket, token: str, repository: str, asked: Wanted) -> Orchestrated:
    stop = asyncio.Event()

    def job(meter: Meter) -> GitHubJob:
        return GitHubJob(settings, token, repository, clock=utc_now, meter=meter)

    async with running(settings, access=job, attended=False) as app:
        if not isinstance(app.github, GitHubJob):
            raise TypeError("unreachable: it was opened as one")
        serving = asyncio.create_task(server.run(app.web, listening))
        # After the server, which listens for them too and would end alone.
        await asyncio.sleep(0)
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        try:
            return await orchestrate(app, app.github.here, asked, stop, print_progress, settings.label)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            # The server took our handlers down with it. GitHub sends a second signal, and outputs and summary are not written yet.
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)


def print_progress(line: str) -> None:
    """Standard output belongs to the result."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _tell(job: Job | None, outcome: Orchestrated, *, as_json: bool) -> None:
    verdicts = {task.issue: task.verdict.name if task.verdict else "not over" for task in outcome.tasks}
    pulls = [task.pull_request for task in outcome.tasks if task.pull_request is not None]
    conclusion = (outcome.check.conclusion if outcome.check else None) or "neutral"
    if job:
        job.put(
            verdict=" ".join(f"{issue}={name}" for issue, name in verdicts.items()),
            conclusion=conclusion,
            pull_request=" ".join(map(str, pulls)),
            branch=" ".join(task.branch for task in outcome.tasks if task.pull_request is not None),
        )
        if outcome.check:
            job.summarise(f"## {outcome.check.title}\n\n{outcome.check.summary}\n\n{outcome.check.text}")
    if as_json:
        left = [{"issue": issue, "why": why} for issue, why in sorted(outcome.left_alone.items())]
        tasks = [
            {"issue": task.issue, "verdict": verdicts[task.issue], "pull_request": task.pull_request} for task in outcome.tasks
        ]
        print_json(json.dumps({"conclusion": conclusion, "tasks": tasks, "left_alone": left}, indent=2))
    else:
        print_line(outcome.check.title if outcome.check else "Nothing to do: no labelled issue that nobody works on.")
