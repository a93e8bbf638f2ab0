"""The whole product around one repository: localhub, the app in this process, real runners, and an agent that is a shell script."""

import asyncio
import itertools
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import uvicorn
from sqlalchemy import Connection, func, select

from app.backends.backend import Backend
from app.decide.state import Attempt, AttemptStatus, Task, TaskStatus
from app.settings import Settings
from app.store import rows
from app.store.schema import outbox
from app.web import server
from app.wiring import App, running
from tests.support.localhub import Hub, Json, Person

_Found = TypeVar("_Found")
_counter = itertools.count(1)
_SECRET = "a webhook secret"
FILES = {
    "words.py": 'def count(text: str) -> int:\n    """How many words."""\n    return len(text.split())\n',
    "test_words.py": "from words import count\n\nassert count('two words') == 2\n",
    ".github/shoal.yml": "test_command: python3 -S -E test_words.py\n",
}
# Issues as alike as those of the stories are in conflict by their words: where they must be at work together.
SIDE_BY_SIDE = {**FILES, ".github/shoal.yml": FILES[".github/shoal.yml"] + "on_conflict: parallel\n"}
# Each issue has its own file, so that nothing is in conflict; what a story writes into its folder of scripts comes first.
AGENT = """
issue=$(basename "$(dirname "$(dirname "$1")")" | sed 's/^shoal--\\([0-9]*\\).*/\\1/')
own="{scripts}/$issue/$SHOAL_PASS.sh"
if [ -f "$own" ]; then . "$own"; exit; fi
case "$SHOAL_PASS" in
  research) echo "a plan for $issue";;
  implementation) echo "answer = $issue" > "made_$issue.py";;
  review) echo "looks right";;
esac
"""


@dataclass
class Clock:
    """Real time, and what a story adds to it."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Host:
    """Where the app runs: always the same address, settings and clock."""

    settings: Settings
    backend: Backend | None
    clock: Clock
    port: int
    app: App | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open(self) -> None:
        listening = server.listen("127.0.0.1", self.port)
        self.stack.callback(listening.close)
        self.app = await self.stack.enter_async_context(running(self.settings, self.backend, self.clock))
        await self.stack.enter_async_context(_serving(self.app, listening))

    async def close(self) -> None:
        self.app = None
        await self.stack.aclose()


@dataclass
class Workshop:
    """What GitHub shows, what the app knows, and hands to label, wait and signal with."""

    folder: Path
    hub: Hub
    full_name: str
    repository_id: int
    maintainer: Person
    settings: Settings
    clock: Clock
    host: "Host"

    # People

    def issue(self, title: str, **scripts: str) -> int:
        """An issue; `scripts` are what the agent does in a pass instead of the usual."""
        number = int(self.maintainer.open_issue(self.full_name, title, "Please.")["number"])
        folder = self.folder / "scripts" / str(number)
        folder.mkdir(parents=True)
        for name, text in scripts.items():
            (folder / f"{name}.sh").write_text(text, encoding="utf-8")
        return number

    def label(self, *issues: int) -> None:
        for number in issues:
            self.maintainer.label(self.full_name, number, "shoal")

    # The app

    @property
    def app_url(self) -> str:
        """As runners and browsers find it."""
        return self.settings.public_url

    @property
    def app(self) -> App:
        """The one that runs now."""
        assert self.host.app is not None, "the app is away"
        return self.host.app

    @asynccontextmanager
    async def app_away(self, passes: timedelta) -> AsyncIterator[None]:
        """For the length of the block there is no app, and that long by its clock."""
        await self.host.close()
        try:
            yield
        finally:
            self.clock.ahead += passes
            await self.host.open()

    async def task(self, issue: int) -> Task | None:
        return await self.app.database.read(lambda c: rows.task_of(c, self.repository_id, issue))

    async def orchestrations(self) -> list[str]:
        return await self.app.database.read(rows.orchestration_ids)

    async def attempts(self, issue: int) -> list[Attempt]:
        """Those of its current task, oldest first; none before it is planned."""
        task = await self.task(issue)
        found = await self.app.database.read(lambda c: rows.attempts_of(c, task.orchestration if task else ""))
        return sorted((one for one in found if one.issue == issue), key=lambda one: one.number)

    async def ended(self, *issues: int) -> list[Task]:
        """The tasks of these issues, once each has its verdict and nothing is left to be told to GitHub."""

        async def over() -> list[Task]:
            known = [await self.task(issue) for issue in issues]
            tasks = [task for task in known if task is not None and task.status is TaskStatus.DONE]
            if len(tasks) < len(issues):
                return []
            return [] if await self.app.database.read(_unsent) else tasks

        return await until(over)

    async def lease_runs_out(self, issue: int) -> None:
        """By the clock, and again if a heartbeat was still under way; whatever else runs renews in time, by its own heartbeats."""

        async def lost() -> bool:
            attempt = (await self.attempts(issue))[-1]
            if attempt.status is not AttemptStatus.CLAIMED:
                return True
            late = attempt.lease_until - self.clock() + timedelta(seconds=1)
            self.clock.ahead += max(late, timedelta(0))
            return False

        await until(lost)

    async def reconciled(self) -> dict[str, float]:
        """What the sweep has found, by kind, as /metrics has it."""
        page = (await asyncio.to_thread(httpx.get, f"{self.app_url}/metrics", trust_env=False)).text
        lines = [line for line in page.splitlines() if line.startswith("shoal_reconciled_total{")]
        return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}

    async def runner(self, issue: int) -> psutil.Process:
        """The process of the issue's latest attempt."""

        async def found() -> psutil.Process | None:
            attempts = await self.attempts(issue)
            pid = attempts[-1].pid if attempts else None
            return None if pid is None else psutil.Process(pid)

        return await until(found)

    # GitHub

    def get(self, path: str, **query: str | int) -> Any:
        """Below the repository, as the maintainer."""
        return self.maintainer.get(f"/repos/{self.full_name}{path}", **query)

    def pulls(self, issue: int) -> list[Json]:
        """Every pull request, whatever its state, from the issue's branches."""
        shown = self.get("/pulls", state="all", per_page=100)
        return [pull for pull in shown if pull["head"]["ref"].startswith((f"shoal/{issue}-", f"shoal/{issue}."))]

    def reviews(self, pull: Json) -> list[Json]:
        found: list[Json] = self.get(f"/pulls/{pull['number']}/reviews")
        return found

    def comments(self, issue: int) -> list[str]:
        return [str(comment["body"]) for comment in self.get(f"/issues/{issue}/comments")]

    def checks(self, sha: str) -> list[Json]:
        found: list[Json] = self.get(f"/commits/{sha}/check-runs")["check_runs"]
        return found


@asynccontextmanager
async def open_workshop(
    folder: Path, hub: Hub, backend: Backend | None = None, /, *, files: Mapping[str, str] = FILES, **settings: Any
) -> AsyncIterator[Workshop]:
    """The app serves on a free port; leases are long, for a story moves the clock instead of waiting."""
    full_name = f"acme/workshop{next(_counter)}"
    work, project = folder / "work", folder / "project"
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    made = hub.repository(full_name, project, private=True)
    maintainer = hub.person(full_name.replace("/", "-"), {full_name: "admin"})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    registered = hub.app(full_name.replace("/", "-") + "-app", webhook_url=f"{url}/webhook", webhook_secret=_SECRET)
    hub.install(registered, full_name)
    agent = folder / "agent.sh"
    agent.write_text(AGENT.format(scripts=folder / "scripts"), encoding="utf-8")
    values = {
        "webhook_secret": _SECRET,
        "app_id": str(registered.id),
        "private_key": registered.private_key_pem,
        "public_url": url,
        "work_dir": work,
        "github_url": hub.url,
        "github_api_url": hub.api_url,
        "github_writes_per_second": 1000,
        "github_content_per_minute": 100_000,
        "github_content_per_hour": 100_000,
        "github_points_per_minute": 1_000_000,
        "intake_seconds": 0.3,
        "refresh_seconds": 0,
        "lease_seconds": 60,
        "heartbeat_seconds": 0.3,
        "slots": 4,
        "adaptive_slots": False,
        "memory_reserve_mib": 0,
        "task_memory_mib": 1,
        "agent": "command",
        "agent_command": ("sh", "-e", str(agent), "{prompt_file}"),
        "isolation": "none",
        **settings,
    }
    work.mkdir(parents=True)
    clock = Clock()
    host = Host(Settings(_env_file=None, **values), backend, clock, port)
    await host.open()
    try:
        yield Workshop(folder, hub, full_name, made["id"], maintainer, host.settings, clock, host)
    finally:
        if host.app is not None:
            await _end_runners(host.app, full_name, made["id"])
        await host.close()


async def _end_runners(app: App, full_name: str, repository_id: int) -> None:
    """Of a story that failed: runners outlive their app on purpose."""
    for attempt in await app.database.read(rows.live_attempts):
        if attempt.pid is not None and attempt.pid_started is not None:
            await app.backend.stop(attempt.pid, attempt.pid_started, app.github.repository(full_name, repository_id, 0))


@asynccontextmanager
async def _serving(app: App, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app.web, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1, timeout_keep_alive=75
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _unsent(connection: Connection) -> int:
    return int(connection.scalar(select(func.count()).where(outbox.c.status.in_(("new", "taken")))) or 0)


async def until(look: Callable[[], Awaitable[_Found | None]]) -> _Found:
    """The first true answer; the test's own time-out is the limit."""
    while not (found := await look()):
        await asyncio.sleep(0.05)
    return found


async def until_there(path: Path) -> None:
    """What a script left as a sign that it has come so far."""
    while not path.exists():
        await asyncio.sleep(0.02)


def freeze(process: psutil.Process) -> list[psutil.Process]:
    """SIGSTOP for a process and all below it, as when its machine sleeps; the root first, so that it starts nothing more."""
    os.kill(process.pid, signal.SIGSTOP)
    tree = [process, *process.children(recursive=True)]
    for one in tree[1:]:
        os.kill(one.pid, signal.SIGSTOP)
    return tree


def thaw(tree: list[psutil.Process]) -> None:
    for one in tree:
        if one.is_running():
            os.kill(one.pid, signal.SIGCONT)
