"""The declared runners at work: one `act` process per run, in host mode, with the job's own token; ended as a tree."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil
from starlette.concurrency import run_in_threadpool

from app.localhub import auth
from app.localhub.actions import fleet, runs
from app.localhub.actions.identity import Issuer
from app.localhub.hub import Hub
from app.localhub.records import Account, App, Installation, Repository, SelfHostedRunner, WorkflowRun
from shared.git import git
from shared.tree import descendants, end_trees, marked

_TICK = 0.1
# Source: GitHub's documentation of cancellation: SIGINT, then SIGTERM, then the end of the tree.
_INT_SECONDS, _TERM_SECONDS, _ALWAYS_SECONDS = 7.5, 2.5, 300.0
# By it GitHub's own runner finds what a job left behind.
_TRACKING = "RUNNER_TRACKING_ID"
_MACHINE = ("PATH", "LANG", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_INDEX_URL")
_JOB_TOKEN_SECONDS = 24 * 3600


class _Order(NamedTuple):
    """One run with everything that it needs, copied while the state was locked."""

    row: WorkflowRun
    where: Repository
    runner: SelfHostedRunner
    token: str
    variables: dict[str, str]


@dataclass
class Machines:
    """Gives queued runs to idle runners that have their labels, for ever in the background."""

    hub: Hub
    issuer: Issuer
    _at_work: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """What a former life left at work is lost, as when a machine loses its power."""
        await run_in_threadpool(self._bury)
        try:
            while True:
                self.hub.jobs_changed.clear()
                for order in await run_in_threadpool(self._assign):
                    task = asyncio.create_task(self._work(order))
                    self._at_work.add(task)
                    task.add_done_callback(self._at_work.discard)
                await self.hub.jobs_changed.wait()
        finally:
            for task in self._at_work:
                task.cancel()
            await asyncio.gather(*self._at_work, return_exceptions=True)

    def _bury(self) -> None:
        state = self.hub.state
        with state.lock:
            for row in state.workflow_runs.where(lambda row: row.status == "in_progress"):
                runs.end(self.hub, state.repositories[row.repository_id], row, "failure")
            state.commit()

    def _assign(self) -> list[_Order]:
        state, orders = self.hub.state, []
        with state.lock:
            for row in state.workflow_runs.where(lambda row: row.status == "queued"):
                where = state.repositories[row.repository_id]
                runner = self._idle_runner(row, where)
                if runner is None:
                    continue
                runs.begin(self.hub, where, row, runner)
                token = _job_token(self.hub, where, row)
                identity = self.issuer.admit(row) if row.permissions.get("id_token") == "write" else {}
                orders.append(_Order(row, where, runner, token, {**runner.environment, **identity}))
            state.commit()
        if orders:
            self.hub.webhooks.wake.set()
        return orders

    def _idle_runner(self, row: WorkflowRun, where: Repository) -> SelfHostedRunner | None:
        return self.hub.state.runners.find(lambda one: _fits(one, row) and fleet.serves(self.hub, one, where))

    async def _work(self, order: _Order) -> None:
        row, folder = order.row, Path(tempfile.mkdtemp(prefix="localhub-job-"))
        mark = f"localhub_{uuid.uuid4().hex}"
        conclusion: runs.Conclusion | None = "failure"
        try:
            argv, environment = await run_in_threadpool(self._prepare, order, folder, mark)
            conclusion = await self._watch(order, argv, environment, folder / "src")
        finally:
            await run_in_threadpool(lambda: end_trees(marked(mark, _TRACKING), 0.5))
            shutil.rmtree(folder, ignore_errors=True)
            self.issuer.dismiss(row)
            if conclusion is not None:
                await run_in_threadpool(self._end, row, conclusion)
                self.hub.wake()

    def _end(self, row: WorkflowRun, conclusion: runs.Conclusion) -> None:
        state = self.hub.state
        with state.lock:
            if state.workflow_runs.get(row.id) is row:
                runs.end(self.hub, state.repositories[row.repository_id], row, conclusion)
                state.commit()

    async def _watch(self, order: _Order, argv: list[str], environment: dict[str, str], cwd: Path) -> runs.Conclusion | None:
        """How it ended; None when its runner was taken away: then GitHub hears nothing."""
        row, deadline = order.row, time.monotonic() + order.row.minutes * 60
        with self.log_of(row).open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=cwd, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            while not await _ended(process, _TICK):
                if order.runner.id not in {one.id for one in self.hub.state.runners}:
                    return None
                if row.stopping or time.monotonic() > deadline:
                    if row.stopping != "force-cancel":
                        await _ask_to_end(process)
                    return "cancelled" if row.stopping else "timed_out"
        finally:
            if process.returncode is None:
                await run_in_threadpool(lambda: end_trees([process.pid, *descendants(process.pid)], 0))
                await process.wait()
        return "success" if process.returncode == 0 else "failure"

    def log_of(self, row: WorkflowRun) -> Path:
        """What the run printed, kept as long as the folder of the state."""
        folder = self.hub.state.folder / "actions"
        folder.mkdir(exist_ok=True)
        return folder / f"run-{row.id}-{row.attempt}.log"

    def _prepare(self, order: _Order, folder: Path, mark: str) -> tuple[list[str], dict[str, str]]:
        row, where, state = order.row, order.where, self.hub.state
        home = state.folder / "actions" / "home" / order.runner.name
        home.mkdir(parents=True, exist_ok=True)
        tools = Path(order.runner.environment.get("RUNNER_TOOL_CACHE") or state.folder / "actions" / "tools")
        for place in (tools, folder / "actions"):
            place.mkdir(parents=True, exist_ok=True)
        (folder / "actions" / "tool_cache").symlink_to(tools)  # where `act` has it; a machine keeps it between jobs
        source = folder / "src"
        git("clone", "--quiet", "--depth", "1", "--branch", row.head_branch, state.git_dir(where).as_uri(), str(source), cwd=folder)
        dispatched = {"inputs": row.inputs, "ref": f"refs/heads/{row.head_branch}", "repository": {"full_name": where.full_name}}
        event = row.payload or dispatched
        (folder / "event.json").write_text(json.dumps(event), "utf-8")
        _private(folder / "secrets.env", {"GITHUB_TOKEN": order.token})
        _private(folder / "variables.env", {**self._variables(order, state.accounts[row.actor_id].login), _TRACKING: mark})
        labels = [part for label in row.labels for part in ("-P", f"{label}=-self-hosted")]
        argv = [_act(), row.event, "-C", str(source), "-W", row.path, "-e", str(folder / "event.json"), *labels, "--rm"]
        argv += ["--no-cache-server", "--no-skip-checkout", "--action-cache-path", str(folder / "actions")]
        argv += ["--secret-file", str(folder / "secrets.env"), "--env-file", str(folder / "variables.env")]
        machine = {name: os.environ[name] for name in _MACHINE if name in os.environ}
        machine["PATH"] = ":".join(part for part in machine["PATH"].split(":") if Path(part).parent != Path(sys.prefix))
        return argv, {"HOME": str(home), **machine, **order.runner.environment, _TRACKING: mark}

    def _variables(self, order: _Order, actor: str) -> dict[str, str]:
        """What GitHub's own runner sets and `act` does not, or sets otherwise."""
        row, where, state = order.row, order.where, self.hub.state
        ref = f"refs/heads/{row.head_branch}"
        return {
            **order.variables,
            "GITHUB_REPOSITORY": where.full_name,
            "GITHUB_REPOSITORY_ID": str(where.id),
            "GITHUB_REPOSITORY_OWNER": where.owner,
            "GITHUB_SERVER_URL": state.url,
            "GITHUB_API_URL": state.api_url,
            "GITHUB_GRAPHQL_URL": f"{state.url}/api/graphql",
            "GITHUB_RUN_ID": str(row.id),
            "GITHUB_RUN_NUMBER": str(row.number),
            "GITHUB_RUN_ATTEMPT": str(row.attempt),
            "GITHUB_REF": ref,
            "GITHUB_ACTOR": actor,
            "GITHUB_WORKFLOW_REF": f"{where.full_name}/{row.path}@{ref}",
            "RUNNER_NAME": order.runner.name,
            "RUNNER_ENVIRONMENT": "self-hosted",
        }


def _fits(runner: SelfHostedRunner, row: WorkflowRun) -> bool:
    labels = {label.lower() for label in runner.labels}
    idle = runner.online and not runner.outdated and runner.run_id is None
    return idle and labels.issuperset(label.lower() for label in row.labels)


async def _ended(process: asyncio.subprocess.Process, seconds: float) -> bool:
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(process.wait()), seconds)
    return process.returncode is not None


async def _ask_to_end(process: asyncio.subprocess.Process) -> None:
    """As GitHub's runner does: the step's own process first; then the steps that always run."""
    for number, patience in ((signal.SIGINT, _INT_SECONDS), (signal.SIGTERM, _TERM_SECONDS)):
        steps = await run_in_threadpool(_signal_steps, process.pid, number)
        if await run_in_threadpool(lambda: not psutil.wait_procs(steps, patience)[1]):  # noqa: B023 called at once
            await _ended(process, _ALWAYS_SECONDS)
            return


def _signal_steps(pid: int, number: signal.Signals) -> list[psutil.Process]:
    steps: list[psutil.Process] = []
    with suppress(psutil.Error):
        steps = psutil.Process(pid).children()
    for step in steps:
        with suppress(psutil.Error):
            step.send_signal(number)
    return steps


def _job_token(hub: Hub, where: Repository, row: WorkflowRun) -> str:
    """An installation token of Actions' own App, with what the workflow asks for and for this repository alone."""
    state = hub.state
    app = state.apps.find(lambda one: one.slug == "github-actions") or _actions_app(hub)
    found = state.installations.find(lambda one: one.app_id == app.id and where.id in one.repository_ids)
    installation = found or state.installations.save(
        Installation(
            id=state.next_id(),
            app_id=app.id,
            account_id=where.owner_id,
            repository_ids=[where.id],
            permissions=app.permissions,
            created_at=state.stamp(),
        )
    )
    permissions = {name: level for name, level in row.permissions.items() if name != "id_token"}
    terms = {"permissions": permissions, "repository_ids": [where.id], "expires_at": state.now() + _JOB_TOKEN_SECONDS}
    secret, _ = auth.mint(state, installation_id=installation.id, **terms)
    return secret


def _actions_app(hub: Hub) -> App:
    state, now = hub.state, hub.state.stamp()
    owner = state.accounts.save(Account(id=state.next_id(), login="github", type="Organization", created_at=now))
    bot = state.accounts.save(Account(id=state.next_id(), login="github-actions[bot]", type="Bot", created_at=now))
    row = App(
        id=state.next_id(),
        client_id="Iv1.github-actions",
        slug="github-actions",
        name="GitHub Actions",
        owner_id=owner.id,
        bot_id=bot.id,
        public_key_pem="",
        created_at=now,
    )
    return state.apps.save(row)


def _private(path: Path, values: Mapping[str, str]) -> None:
    path.touch(0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")


def _act() -> str:
    beside = Path(sys.executable).parent / "act"
    return str(beside) if beside.exists() else shutil.which("act") or "act"
