"""One pass of an agent as a plain process against a scripted model: what the runner does, without its sandbox and proxy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from runner.agents.heard import Heard, judge
from runner.agents.registry import AGENTS, PROGRAMS
from runner.agents.shape import MODEL_KEY, MODEL_URL, Event, Order, Pass
from shared.github import issue_hash
from shared.messages import AttemptBrief, RunnerRepository
from shared.models import AgentName, AgentSettings, AttemptLimits, IssueSnapshot, Kind, Usage, Verdict
from shared.process import Ended, Limits, environment, run
from shared.repository_settings import RepositorySettings

REPOSITORY = RunnerRepository(id=1, full_name="acme/words", clone_url="http://h/x", default_branch="main", api_url="http://h/api")


def brief_for(agent: AgentSettings, *, limits: AttemptLimits | None = None, isolated: bool = True) -> AttemptBrief:
    """An attempt of which only the agent matters; `isolated`: as if it were in our sandbox."""
    return AttemptBrief(
        attempt_id="a",
        number=1,
        repository=REPOSITORY,
        issue=IssueSnapshot(number=5, title="Words", body="Add a file", hash=issue_hash("Words", "Add a file")),
        kind=Kind.BUG,
        branch="shoal/5-words",
        base_sha="0" * 40,
        settings=RepositorySettings(),
        agent=agent,
        limits=limits or AttemptLimits(),
        isolation="required" if isolated else "none",
        app_login="shoal[bot]",
        app_email="e",
        lease_seconds=1,
        heartbeat_seconds=1,
    )


class Played(NamedTuple):
    """How a pass went; `lines` are all that it printed."""

    heard: Heard
    ended: Ended
    verdict: Verdict | None
    events: tuple[Event, ...]
    lines: tuple[str, ...]


@dataclass
class Stage:
    """A checkout, a home and a model for one agent."""

    folder: Path
    url: str
    name: AgentName
    program: Path | None = None
    model: str = ""
    key: str = "attempt-key"
    options: tuple[str, ...] = ()
    turns: int | None = None
    isolated: bool = True
    seconds: float = 60
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def play(self, which: Pass, prompt: str, session: str = "", before: Usage | None = None) -> Played:
        """Runs one pass to its end and judges it."""
        self.tree.mkdir(exist_ok=True)
        file = self.folder / f"{which}.md"
        file.write_text(prompt)
        command = (str(self.program),) if self.program else ()
        settings = AgentSettings(name=self.name, model=self.model, command=command, options=self.options)
        brief = brief_for(settings, limits=AttemptLimits(turns=self.turns), isolated=self.isolated)
        agent = AGENTS[self.name]
        call = agent.call(Order(brief, which, file, session))
        assert call is not None
        for name, text in call.files.items():
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(self._filled(text))
        self.home.mkdir(exist_ok=True)
        given = {name: self._filled(value) for name, value in call.env.items()}
        env = environment({"HOME": str(self.home), **given, **self.env})
        argv = [part.replace(MODEL_URL, self.url) for part in call.argv]
        heard, events, lines = Heard(before or Usage()), list[Event](), list[str]()

        def take(line: str) -> None:
            lines.append(line)
            events.extend(heard.take(agent, line))

        ended = run(argv, cwd=self.tree, env=env, stdin=call.stdin, limits=Limits(seconds=self.seconds), on_line=take)
        return Played(heard, ended, judge(heard, ended, agent, f"the agent's {which}"), tuple(events), tuple(lines))

    def _filled(self, text: str) -> str:
        return text.replace(MODEL_URL, self.url).replace(MODEL_KEY, self.key)


def script(place: Path, body: str) -> Path:
    """A program for tests that stands in the place of an agent, or around one."""
    place.write_text(f"#!/bin/sh\n{body}\n")
    place.chmod(0o755)
    return place


def stand_in(place: Path, name: AgentName, body: str, *, version: str = "", without: str = "") -> Path:
    """A program that answers the probe as that agent's does, but for the flag `without`; else it is a shell script, `body`."""
    program = PROGRAMS[name]
    flags = " ".join(flag for page in program.helps for flag in page.flags if flag != without)
    pages = "|".join(f"'{' '.join(page.arguments)}'" for page in program.helps)
    said = f"{program.name} {version or program.tried}"
    asked = f"case \"$*\" in {pages}) echo '{said} {flags}'; exit;; --version) echo '{said}'; exit;; esac"
    return script(place, f"{asked}\n{body}")
