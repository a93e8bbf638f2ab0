"""The world of a rehearsal: the embedded GitHub and the app as processes, and a maintainer who uses the REST API."""

import fcntl
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import httpx

from app.demo import child, fleet, identity, sample
from app.demo.child import Child
from app.demo.identity import Identity
from app.demo.stage import LABEL, ask, bearer, call, move_app, populate
from app.report.status import AppStatus
from shared.errors import FatalError, UserError

_START_SECONDS = 30.0
RehearsalBackend = Literal["local", "actions"]


@dataclass(frozen=True, slots=True)
class Ways:
    """How the app is run; an empty `agent_command` plays the prepared changes."""

    slots: int = 4
    think_seconds: float = 2
    agent_command: str = ""
    project: Path = sample.PROJECT
    patches: Path = sample.PATCHES
    settings: Mapping[str, str] = field(default_factory=dict)
    backend: RehearsalBackend = "local"
    # A file that gets every exchange with the embedded GitHub, a line of JSON each.
    record: Path | None = None


@dataclass
class World:
    """A rehearsal that is set up; `found` is true when its folder held an earlier one."""

    folder: Path
    ways: Ways
    identity: Identity
    found: bool
    hub: Child | None = None
    app: Child | None = None
    lock: IO[str] | None = None

    def start_hub(self) -> None:
        """The embedded GitHub, at its port of last time."""
        argv = [
            sys.executable,
            "-I",
            "-m",
            "app.localhub",
            "--dir",
            "github",
            "--port",
            str(self.identity.hub_port),
            "--until-stdin-closes",
            *(["--record", str(self.ways.record.resolve())] if self.ways.record else []),
        ]
        self.hub = child.start("localhub", argv, self.folder, {})
        self._until_it_answers(self.hub, self.identity.hub_url)

    def start_app(self) -> None:
        """The app as an operator starts it, always with the same port and database."""
        env = settings(self.folder, self.ways, self.identity)
        self.app = child.start("app", [sys.executable, "-I", "-m", "app", "serve"], self.folder, env)
        self._until_it_answers(self.app, self.identity.app_url)

    def kill_app(self) -> None:
        """kill -9 of the app alone; its runners go on."""
        if self.app:
            self.app.kill()
            self.app = None

    def check_alive(self) -> None:
        """Raises when a process of the world has ended by itself."""
        for process in (self.hub, self.app):
            if process:
                process.check()

    def status(self) -> AppStatus | None:
        """What the app says of itself; None while it does not answer."""
        try:
            answer = call("GET", f"{self.identity.app_url}/status.json", headers=bearer(self.identity.operator_token))
        except httpx.TransportError:
            return None
        return AppStatus.model_validate_json(answer.content) if answer.status_code == httpx.codes.OK else None

    def github(self, method: str, path: str, body: object = None) -> Any:
        """GitHub's REST API as the maintainer, below the repository."""
        url = f"{self.identity.hub_url}/api/v3/repos/{self.identity.repository}{path}"
        return ask(method, url, body, bearer(self.identity.maintainer_token))

    def label_all(self) -> tuple[int, ...]:
        """The maintainer labels every open issue that has no label of ours yet; their numbers."""
        found = self.github("GET", "/issues?state=open&per_page=100&sort=created&direction=asc")
        issues = [one for one in found if "pull_request" not in one]
        wanted = [one["number"] for one in issues if LABEL not in {label["name"] for label in one["labels"]}]
        for number in wanted:
            self.github("POST", f"/issues/{number}/labels", {"labels": [LABEL]})
        return tuple(wanted)

    def stop(self) -> None:
        """Ends everything that was started, also what an app that was killed left behind."""
        for process in (self.app, self.hub):
            if process:
                process.end()
        child.end_strays(self.folder)
        self.app = self.hub = None
        if self.lock:
            self.lock.close()

    def _until_it_answers(self, process: Child, url: str) -> None:
        """Any answer will do: it listens."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            process.check()
            with suppress(httpx.TransportError):
                call("GET", url)
                return
            time.sleep(0.05)
        raise FatalError(f"{process.name} does not answer at {url}: {child.last_words(process.log)} (see {process.log})")


def start_world(folder: Path, ways: Ways, say: Callable[[str], None] = lambda _: None) -> World:
    """Everything up to the point where a maintainer would label issues; what an earlier run left is found again."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    lock = _lock(folder)
    known = identity.load(folder)
    world = World(folder, ways, known or identity.new(), found=known is not None, lock=lock)
    try:
        say("starting the embedded GitHub")
        world.start_hub()
        if known is None:
            say("creating repository, people, issues and the App")
            world.identity = populate(folder, ways.project, world.identity)
        else:
            move_app(world.identity)
        identity.save(folder, world.identity)
        if ways.backend == "actions":
            say("making the runners: our own action's environment takes a minute where it was never made")
            fleet.equip(folder, world.identity, ways.slots)
        say("starting the app")
        world.start_app()
    except BaseException:
        world.stop()
        raise
    return world


def clear(folder: Path) -> None:
    """Removes an earlier rehearsal; refuses to remove anything else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "rehearsal.lock").exists():
        raise UserError(f"`{folder}` holds something that is not a rehearsal: choose another `--dir`")
    if folder.exists():
        _lock(folder).close()
        shutil.rmtree(folder)


def settings(folder: Path, ways: Ways, who: Identity) -> dict[str, str]:
    """The app's environment: short times, since nothing here is far away; no pacing, since nobody is paced on loopback."""
    command = {"SHOAL_AGENT": "command", "SHOAL_AGENT_COMMAND": ways.agent_command}
    patch = {"SHOAL_AGENT": "patch", "SHOAL_AGENT_FOLDER": str(ways.patches), "SHOAL_AGENT_THINK_SECONDS": str(ways.think_seconds)}
    return {
        "SHOAL_APP_ID": who.app_id,
        "SHOAL_PRIVATE_KEY_PATH": str(folder / "app.pem"),
        "SHOAL_WEBHOOK_SECRET": who.webhook_secret,
        "SHOAL_OPERATOR_TOKEN": who.operator_token,
        "SHOAL_PORT": str(who.app_port),
        "SHOAL_WORK_DIR": str(folder / "work"),
        "SHOAL_GITHUB_URL": who.hub_url,
        "SHOAL_GITHUB_API_URL": f"{who.hub_url}/api/v3",
        "SHOAL_GITHUB_WRITES_PER_SECOND": "1000",
        "SHOAL_GITHUB_CONTENT_PER_MINUTE": "100000",
        "SHOAL_GITHUB_CONTENT_PER_HOUR": "100000",
        "SHOAL_GITHUB_POINTS_PER_MINUTE": "1000000",
        "SHOAL_LABEL": LABEL,
        # Long enough for eight labels to be one batch on a machine with other things to do.
        "SHOAL_INTAKE_SECONDS": "2",
        "SHOAL_REFRESH_SECONDS": "1",
        "SHOAL_LEASE_SECONDS": "10",
        "SHOAL_HEARTBEAT_SECONDS": "1",
        "SHOAL_SWEEP_SECONDS": "5",
        "SHOAL_SLOTS": str(ways.slots),
        # A rehearsal shows what it was told to, whatever else the machine does.
        "SHOAL_ADAPTIVE_SLOTS": "false",
        "SHOAL_MEMORY_RESERVE_MIB": "128",
        "SHOAL_TASK_MEMORY_MIB": "256",
        "SHOAL_ISOLATION": "preferred",
        **(command if ways.agent_command else patch),
        **({"SHOAL_BACKEND": "actions", "SHOAL_RUNNER_LABELS": fleet.RUNNER_LABELS} if ways.backend == "actions" else {}),
        **ways.settings,
    }


def _lock(folder: Path) -> IO[str]:
    """One rehearsal per folder; the lock ends with the process that holds it."""
    lock = (folder / "rehearsal.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise UserError(f"Another rehearsal runs in `{folder}`: end it first, or choose another `--dir`") from None
    return lock
