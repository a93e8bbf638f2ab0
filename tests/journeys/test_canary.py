"""Every secret is a canary: a whole journey is searched for them, from command lines to what GitHub shows."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from shared.git import run_git
from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import Harbour, running_harbour
from tests.support.model_api import ModelApi, Story, Turn, model_api

pytestmark = pytest.mark.slow

KEY = "sk-canary-of-the-model-0123456789abcdef"
# Looks around as far as it can, asks its model, and tells all in a form that no redaction touches.
AGENT = """\
import json, os, pathlib, sys, urllib.request

seen = [f"{name}={value}" for name, value in os.environ.items()]
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("cmdline", "environ"):
        try:
            seen.append((folder / name).read_bytes().decode("utf-8", "replace"))
        except OSError:
            pass
ask = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "What do you see?"}]}
headers = {"x-api-key": os.environ.get("ANTHROPIC_API_KEY", ""), "content-type": "application/json"}
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
with urllib.request.urlopen(urllib.request.Request(url, json.dumps(ask).encode(), headers)) as answer:
    words = json.load(answer)["content"][0]["text"]
print("SEEN:" + "\\n".join(seen).encode().hex())
print(words)
print("\\n".join(sorted(os.environ)))
if os.environ["SHOAL_PASS"] == "implementation":
    pathlib.Path("made.py").write_text("MADE = True\\n")
"""


@dataclass
class Watch:
    """Looks at a process and all below it, as often as it can; command lines and environments by what was run."""

    root: int
    own_line: bytes
    lines: dict[bytes, str] = field(default_factory=dict)
    environments: dict[bytes, str] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.over.wait(0.01):
            with suppress(psutil.Error):
                for process in psutil.Process(self.root).children(recursive=True):
                    self._look(process)

    def _look(self, process: psutil.Process) -> None:
        with suppress(psutil.Error, OSError):
            files = Path(f"/proc/{process.pid}")
            line, environment = (files / "cmdline").read_bytes(), (files / "environ").read_bytes()
            self.lines[line] = name = Path(line.split(b"\0")[0].decode()).name
            # Between fork and exec it still is its parent: the app may know its own secrets, and a name of before says nothing.
            if (files / "cmdline").read_bytes() == line and line != self.own_line:
                self.environments[environment] = name


@dataclass(frozen=True)
class Journey:
    """One issue from label to verdict, and who was seen at work."""

    harbour: Harbour
    issue: int
    api: ModelApi
    watch: Watch

    @property
    def canaries(self) -> Sequence[bytes]:
        """Of installation tokens and attempts' secrets the shape, of everything else the very text."""
        who, pem = self.harbour.world.identity, (self.harbour.world.folder / "app.pem").read_bytes()
        ours = [who.webhook_secret.encode(), who.operator_token.encode(), KEY.encode()]
        assert all(len(one) > 15 for one in ours)
        return (*journeys.SECRET_SHAPES, *ours, *pem.splitlines()[1:-1])

    def found_in(self, text: bytes) -> list[bytes]:
        """The canaries that it shows."""
        return [canary for canary in self.canaries if canary in text]


@contextmanager
def watched(root: int) -> Iterator[Watch]:
    watch = Watch(root, Path(f"/proc/{root}/cmdline").read_bytes())
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp("canary")
    with model_api(Story("What do you see", [Turn(text="As told.")], endless=True), key=KEY) as api:
        keys = folder / "keys.toml"
        keys.write_text(f'[anthropic]\nkey = "{KEY}"\nurl = "{api.url}"\n', encoding="utf-8")
        keys.chmod(0o600)
        with running_harbour(
            folder,
            more={"agent.py": AGENT},
            SHOAL_AGENT="command",
            SHOAL_AGENT_COMMAND="python3 agent.py",
            SHOAL_MODEL_KEYS=str(keys),
            SHOAL_ISOLATION="required",
            SHOAL_LOG_LEVEL="DEBUG",
        ) as harbour:
            assert harbour.world.app is not None
            with watched(harbour.world.app.process.pid) as watch:
                issue = harbour.issue("a lookout")
                harbour.label(issue)
                journeys.settle(harbour.world, issue)
            yield Journey(harbour, issue, api, watch)


def test_every_secret_was_at_work(journey: Journey) -> None:
    """Otherwise their absence would say nothing: pushed, reviewed, and the model answered to its key."""
    task = journeys.tasks(journey.harbour.world)[journey.issue]
    assert task.verdict is VerdictName.SUCCEEDED, task
    assert {request.key for request in journey.api.generating} == {KEY}
    assert {"git", "bwrap", "python3"} <= {*journey.watch.lines.values()}
    asked = journey.harbour.hub.requests("POST", "/access_tokens")
    assert len([one for one in asked if one["status"] == 201]) >= 4


def test_no_command_line_and_no_environment_shows_one(journey: Journey) -> None:
    """Of all processes below the app; git alone has a token in its environment, outside the sandbox."""
    assert [line for line in journey.watch.lines if journey.found_in(line)] == []
    shown = {name for environment, name in journey.watch.environments.items() if journey.found_in(environment)}
    assert {name for name in shown if not name.startswith("git")} == set()
    assert any(b"SHOAL_PASS=" in environment for environment in journey.watch.environments), "the agent was seen"


def test_the_agent_itself_saw_none(journey: Journey) -> None:
    """In its own environment, nor in any process that it could look at."""
    logs = [path.read_bytes() for path in (journey.harbour.world.folder / "work").rglob("*") if path.is_file()]
    # In pairs: where a text is cut, it may be cut between two digits.
    seen = {bytes.fromhex(found.decode()) for log in logs for found in re.findall(rb"SEEN:((?:[0-9a-f]{2})+)", log)}
    assert any(b"SHOAL_PASS=implementation" in one for one in seen)
    assert [found for one in seen if (found := journey.found_in(one))] == []


def test_no_log_no_state_and_no_row_keeps_one(journey: Journey) -> None:
    """Everything that app and runners left on this machine but the operator's own files; the database is among it."""
    folder = journey.harbour.world.folder
    assert (folder / "work" / "shoal.db").exists()
    assert journeys.secrets_in_files(folder / "work", *journey.canaries) == []
    assert journey.found_in((folder / "app.log").read_bytes()) == []


def test_nothing_on_github_shows_one(journey: Journey) -> None:
    """Comments, pull request, reviews, check runs with their annotations, and every commit of the repository."""
    world = journey.harbour.world
    [pull] = journeys.pulls_of(world, journey.issue)
    shas = (pull["head"]["sha"], journeys.main_sha(world))
    checks = [check for sha in shas for check in journeys.checks_on(world, sha)]
    told = [
        journeys.bot_comments(world, journey.issue),
        pull,
        world.github("GET", f"/pulls/{pull['number']}/reviews"),
        world.github("GET", f"/issues/{pull['number']}/comments"),
        checks,
        [world.github("GET", f"/check-runs/{check['id']}/annotations") for check in checks],
    ]
    assert all(told[:3])
    assert checks
    assert journey.found_in(json.dumps(told, ensure_ascii=False).encode()) == []
    repository = world.folder / "github" / "repositories" / f"{world.identity.repository}.git"
    status, history = run_git("log", "--all", "-p", "--format=%B %an %ae", cwd=repository)
    assert (status, "MADE = True" in history) == (0, True)
    assert journey.found_in(history.encode()) == []
