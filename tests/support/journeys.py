"""What journeys look at: GitHub as the maintainer sees it, the app's database read from outside, and a small world of their own."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import sqlalchemy

from app.decide.state import Attempt
from app.demo import identity
from app.demo.outcome import is_over
from app.demo.world import Ways, World
from app.report.status import TaskState
from app.web.webhook import signature
from shared.github import CHECK_NAME
from shared.process import environment
from tests.commands.shoal import SHOAL, Run
from tests.support.localhub import Hub, Json, Person, running_localhub

# Installation tokens, attempts' secrets and git's Basic header made of a token: none of them may be seen anywhere.
SECRET_SHAPES = (b"ghs_", b"shoal_secret_", b"eC1hY2Nlc3MtdG9rZW46", b"PRIVATE KEY")
BOT = "shoal[bot]"
_PATIENCE = 600.0


# GitHub, as the maintainer sees it


def pulls_of(world: World, issue: int) -> list[Json]:
    """Every pull request, open or not, from a branch of that issue; the oldest first."""
    found = world.github("GET", "/pulls?state=all&per_page=100&sort=created&direction=asc")
    return [pull for pull in found if pull["head"]["ref"].startswith((f"shoal/{issue}-", f"shoal/{issue}."))]


def bot_comments(world: World, issue: int, bot: str = BOT) -> list[str]:
    """What the App, or that other one, wrote below an issue."""
    found = world.github("GET", f"/issues/{issue}/comments?per_page=100")
    return [comment["body"] for comment in found if comment["user"]["login"] == bot]


def checks_on(world: World, sha: str) -> list[Json]:
    """All check runs on a commit, also those that a newer one of the same name hides."""
    found: list[Json] = world.github("GET", f"/commits/{sha}/check-runs?filter=all&per_page=100")["check_runs"]
    return found


def own_check(world: World, pull: Json) -> Json:
    """The newest `Shoal` check on a pull request's head."""
    return max((run for run in checks_on(world, pull["head"]["sha"]) if run["name"] == CHECK_NAME), key=lambda run: int(run["id"]))


def whole_checks(world: World, sha: str) -> list[Json]:
    """The checks of whole orchestrations on a commit."""
    return [run for run in checks_on(world, sha) if run["name"].startswith(f"{CHECK_NAME} / ")]


def main_sha(world: World) -> str:
    """The newest commit of the default branch."""
    return str(world.github("GET", "/branches/main")["commit"]["sha"])


def doubled(world: World, *issues: int) -> list[str]:
    """Whatever is there twice, or was left open, one line each; empty is how it should be."""
    comments = {issue: len(bot_comments(world, issue)) for issue in issues}
    pulls = {issue: pulls_of(world, issue) for issue in issues}
    runs = [run for sha in _commits(world) for run in checks_on(world, sha)]
    names = [(run["head_sha"], run["name"], run["external_id"]) for run in runs]
    return [
        *(f"#{issue}: {number} comments" for issue, number in comments.items() if number > 1),
        *(f"#{issue}: {len(found)} pull requests" for issue, found in pulls.items() if len(found) > 1),
        *(f"check {run['name']} on {run['head_sha'][:8]} is not concluded" for run in runs if run["conclusion"] is None),
        *(f"{names.count(name)} checks {name}" for name in sorted(set(names)) if names.count(name) > 1),
    ]


def _commits(world: World) -> set[str]:
    """Every head of a branch or of a pull request."""
    branches, pulls = world.github("GET", "/branches?per_page=100"), world.github("GET", "/pulls?state=all&per_page=100")
    return {branch["commit"]["sha"] for branch in branches} | {pull["head"]["sha"] for pull in pulls}


# The app


def tasks(world: World) -> dict[int, TaskState]:
    """Every task that the app knows, by issue."""
    status = world.status()
    return {} if status is None else {task.issue: task for one in status.orchestrations for task in one.tasks}


def settle(world: World, *issues: int, seconds: float = _PATIENCE) -> None:
    """Waits until these issues have their verdicts, every check is concluded and nothing waits to be done."""
    wait_for(lambda: are_over(world, issues), seconds)


def are_over(world: World, issues: Sequence[int]) -> bool:
    """Whether they are, now."""
    world.check_alive()
    status = world.status()
    return status is not None and is_over(status, tuple(issues)) and is_idle(world)


def wait_for(found: Callable[[], Any], seconds: float = _PATIENCE) -> Any:
    """The first true answer of `found`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds:g} s"
        time.sleep(0.1)
    return answer


def is_idle(world: World) -> bool:
    """Nothing lies in the inbox or in the outbox."""
    return not _rows(world, "SELECT 1 FROM inbox WHERE status = 'new' UNION SELECT 1 FROM outbox WHERE status IN ('new', 'taken')")


def attempts(world: World, issue: int | None = None) -> list[Attempt]:
    """Every attempt ever made, by claim; a database opened for reading only."""
    found = [Attempt.model_validate_json(data) for (data,) in _rows(world, "SELECT data FROM attempts")]
    ours = [attempt for attempt in found if issue in {None, attempt.issue}]
    return sorted(ours, key=lambda attempt: attempt.claimed_at or datetime.max.replace(tzinfo=attempt.created_at.tzinfo))


def inbox_size(world: World) -> int:
    """How many events were ever written down."""
    return len(_rows(world, "SELECT id FROM inbox"))


def inbox_statuses(world: World) -> set[str]:
    """What became of the events so far."""
    return {status for (status,) in _rows(world, "SELECT DISTINCT status FROM inbox")}


def _rows(world: World, query: str) -> list[tuple[Any, ...]]:
    file = f"sqlite:///file:{world.folder / 'work' / 'shoal.db'}?mode=ro&uri=true&timeout=10"
    engine = sqlalchemy.create_engine(world.ways.settings.get("SHOAL_DATABASE_URL", file), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]


def shoal_serve(env: Mapping[str, str], folder: Path) -> Run:
    """`shoal serve` that is expected to end by itself."""
    done = subprocess.run([str(SHOAL), "serve"], env=environment(env), cwd=folder, capture_output=True, timeout=60)
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


# Secrets


def secrets_in_arguments(pid: int, *shapes: bytes) -> list[str]:
    """Command lines of a process and its descendants that show a secret, or one of these `shapes`."""
    shown = []
    with suppress(psutil.Error):
        for process in (root := psutil.Process(pid), *root.children(recursive=True)):
            with suppress(psutil.Error):
                line = "\0".join(process.cmdline()).encode("utf-8", "surrogateescape")
                shown += [repr(line[:300]) for shape in (*SECRET_SHAPES, *shapes) if shape in line]
    return shown


def secrets_in_files(folder: Path, *shapes: bytes) -> list[str]:
    """Files below `folder`, and which shape they hold."""
    found = []
    for file in (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        content = file.read_bytes()
        found += [f"{file}: {shape[:12]!r}" for shape in (*SECRET_SHAPES, *shapes) if shape in content]
    return found


# A small world


PROJECT = {
    "harbour.py": "def berths() -> int:\n    return 12\n",
    "check.sh": "test ! -e broken.py\n",
    ".github/shoal.yml": "test_command: sh check.sh\n",
}


@dataclass
class Harbour:
    """A small private repository with its app and maintainer; every issue brings the change that its agent will make."""

    world: World
    hub: Hub
    maintainer: Person

    @property
    def repository(self) -> str:
        """Its full name."""
        return self.world.identity.repository

    def issue(self, title: str, *, body: str | None = None, changes: Mapping[str, str] | None = None) -> int:
        """A new issue without our label; unless told otherwise its change adds a file of its own."""
        told = f"Please write {title}; nothing else has to change." if body is None else body
        number = int(self.maintainer.open_issue(self.repository, title, told)["number"])
        self.prepare(number, changes or {f"issue_{number}.py": f"NUMBER = {number}\n"})
        return number

    def prepare(self, number: int, changes: Mapping[str, str]) -> None:
        """What the agent will do for that issue from now on: these new files."""
        folder = self.world.ways.patches / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.md").write_text(f"1. Add {', '.join(changes)}.\n")
        (folder / "change.patch").write_text("".join(new_file(path, text) for path, text in changes.items()))

    def label(self, *numbers: int) -> None:
        """The maintainer puts our label on."""
        for number in numbers:
            self.maintainer.label(self.repository, number, "shoal")

    def relabel(self, number: int) -> None:
        """Takes the label off and puts it on again."""
        self.maintainer.unlabel(self.repository, number, "shoal")
        self.label(number)

    def hold(self) -> None:
        """From now on webhooks wait for `release_all`."""
        self.hub.webhooks("hold")

    def held(self) -> list[Json]:
        """The webhooks about issues that wait, in the order in which things happened."""
        return [row for row in self.hub.deliveries("issues") if row["status"] == "held"]

    def release_all(self) -> None:
        """Sends what waits; the next ones go out by themselves again."""
        self.hub.webhooks("in_order")
        self.hub.release(*(row["id"] for row in self.hub.deliveries() if row["status"] == "held"))

    def post(self, event: str, body: bytes, *, secret: str | None = None) -> httpx.Response:
        """A webhook by somebody who knows the secret (or another one), under a delivery id never seen before."""
        signed = signature(self.world.identity.webhook_secret if secret is None else secret, body)
        headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": str(uuid4()), "X-Hub-Signature-256": signed}
        url = f"{self.world.identity.app_url}/webhook"
        json_type = {"Content-Type": "application/json"}
        return httpx.post(url, content=body, headers={**headers, **json_type}, timeout=30, trust_env=False)


def new_file(path: str, text: str) -> str:
    """A patch that adds one file."""
    lines = text.splitlines()
    head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n"
    return head + "".join(f"+{line}\n" for line in lines)


def known_app(harbour: Harbour, slug: str = "shoal") -> None:
    """An App that the embedded GitHub was simply given, with its credentials in our settings."""
    world, hub = harbour.world, harbour.hub
    who = world.identity
    made = hub.app(slug, webhook_url=f"{who.app_url}/webhook", webhook_secret=who.webhook_secret)
    hub.install(made, who.repository)
    (world.folder / "app.pem").write_text(made.private_key_pem)
    world.identity = who.model_copy(update={"app_id": str(made.id)})
    world.start_app()


@contextmanager
def running_harbour(
    folder: Path,
    think_seconds: float = 0,
    more: Mapping[str, str] | None = None,
    arrive: Callable[[Harbour], None] = known_app,
    **settings: str,
) -> Iterator[Harbour]:
    """Both processes running; `more` are files of the project, `settings` SHOAL_* of the app, which comes to be by `arrive`."""
    who, project = identity.new(), folder / "project"
    for path, text in {**PROJECT, **(more or {})}.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    (folder / "patches").mkdir()
    quick = {"SHOAL_SWEEP_SECONDS": "1000", **settings}
    with running_localhub(folder / "github") as hub:
        hub.repository(who.repository, project, private=True)
        maintainer = hub.person(identity.MAINTAINER, {who.repository: "admin"})
        who = who.model_copy(update={"hub_port": httpx.URL(hub.url).port, "maintainer_token": maintainer.token})
        world = World(folder, Ways(2, think_seconds, patches=folder / "patches", settings=quick), who, found=False)
        harbour = Harbour(world, hub, maintainer)
        try:
            arrive(harbour)
            yield harbour
        finally:
            world.stop()
