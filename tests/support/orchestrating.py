"""A job with `mode: orchestrate` as a real process, started by the action's own script: no act, so a story can hold its files."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from shared.process import environment
from shared.tree import marked
from tests.support.action import ROOT
from tests.support.job_files import outputs_of
from tests.support.localhub import Hub, Person
from tests.support.workshop import AGENT, FILES

_MARK = "SHOAL_JOB"
# Source: GitHub's documentation of cancellation; the last one is when the tree is killed.
_SCHEDULE = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 10.0))


@dataclass
class Step:
    """The action's second step at work, with the files that GitHub gives it."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    name: str

    def ended(self, seconds: float = 120) -> int:
        """Its exit code; what it printed is for whoever reads a failure."""
        return self.process.wait(seconds)

    def cancel(self) -> list[signal.Signals]:
        """As GitHub's runner does it; which signals were needed until it was over."""
        sent = []
        for number, patience in _SCHEDULE:
            self.process.send_signal(number)
            sent.append(number)
            try:
                self.process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue
        return sent

    @property
    def log(self) -> str:
        """All that the job's log shows."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def outputs(self) -> dict[str, str]:
        """The step's outputs; empty when it wrote none."""
        return outputs_of(self.folder / "output")

    @property
    def summary(self) -> str:
        """What the run's page shows."""
        return (self.folder / "summary").read_text()

    def left(self) -> list[str]:
        """Command lines of this job's processes that are still there; its clean-up step would have to end them."""
        found = [psutil.Process(pid) for pid in marked(self.name, _MARK) if psutil.pid_exists(pid)]
        return [" ".join(process.cmdline()) for process in found if process.status() != psutil.STATUS_ZOMBIE]


@dataclass
class Yard:
    """A repository, its maintainer, the account of Actions, and an agent that is a shell script."""

    hub: Hub
    mona: Person
    name: str
    folder: Path
    token: str
    started: int = 0

    @property
    def work_dir(self) -> Path:
        """Kept between jobs."""
        return self.folder / "tools" / "shoal" / "work"

    def issue(self, title: str, label: str = "shoal", **scripts: str) -> int:
        """`scripts` are what the agent does in a pass instead of the usual."""
        number = int(self.mona.open_issue(self.name, title, "Please.", [label] if label else [])["number"])
        place = self.folder / "scripts" / str(number)
        place.mkdir(parents=True)
        for which, text in scripts.items():
            (place / f"{which}.sh").write_text(text)
        return number

    @contextmanager
    def step(self, event: str = "workflow_dispatch", payload: str = "{}", **inputs: str) -> Iterator[Step]:
        """Started as action.yml starts it; whatever is left of it ends with the block."""
        self.started += 1
        name, folder = f"{self.started}-1-{self.folder}", self.folder / f"job-{self.started}"
        folder.mkdir()
        for file in ("output", "summary"):
            (folder / file).touch()
        (folder / "event.json").write_text(payload)
        told = {**self._variables(folder, event), **{f"SHOAL_JOB_{which.upper()}": value for which, value in inputs.items()}}
        with (folder / "log").open("wb") as log:
            argv = [str(ROOT / "scripts/action/run.sh")]
            process = subprocess.Popen(argv, env=environment(told), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        try:
            yield Step(process, folder, name)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pid in marked(name, _MARK):
                os.kill(pid, signal.SIGKILL)

    def _variables(self, folder: Path, event: str) -> Mapping[str, str]:
        job = {
            "GITHUB_RUN_ID": str(self.started),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_REPOSITORY": self.name,
            "GITHUB_SERVER_URL": self.hub.url,
            "GITHUB_API_URL": self.hub.api_url,
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "RUNNER_TEMP": str(self.folder),
            "RUNNER_TOOL_CACHE": str(self.folder / "tools"),
            "SHOAL_JOB_MODE": "orchestrate",
            "SHOAL_JOB_INTERPRETER": sys.executable,
            "SHOAL_JOB_TOKEN": self.token,
        }
        return {**job, **QUICK, "SHOAL_AGENT_COMMAND": f"sh -e {self.folder / 'agent.sh'} {{prompt_file}}"}

    def pulls(self) -> dict[str, Any]:
        """By branch."""
        return {pull["head"]["ref"]: pull for pull in self.mona.get(f"/repos/{self.name}/pulls", per_page=100)}

    def branches(self) -> set[str]:
        """All but the default one."""
        return {branch["name"] for branch in self.mona.get(f"/repos/{self.name}/branches", per_page=100)} - {"main"}

    def checks(self, sha: str) -> list[Any]:
        """Every check run on a commit."""
        found: list[Any] = self.mona.get(f"/repos/{self.name}/commits/{sha}/check-runs", per_page=100)["check_runs"]
        return found

    def main(self) -> str:
        """The newest commit of the default branch."""
        return str(self.mona.get(f"/repos/{self.name}/branches/main")["commit"]["sha"])

    def comments(self, issue: int) -> list[str]:
        """Whoever wrote them."""
        return [str(one["body"]) for one in self.mona.get(f"/repos/{self.name}/issues/{issue}/comments")]


QUICK = {
    "SHOAL_GITHUB_WRITES_PER_SECOND": "1000",
    "SHOAL_GITHUB_CONTENT_PER_MINUTE": "100000",
    "SHOAL_GITHUB_CONTENT_PER_HOUR": "100000",
    "SHOAL_GITHUB_POINTS_PER_MINUTE": "1000000",
    "SHOAL_TASK_MEMORY_MIB": "1",
    "SHOAL_MEMORY_RESERVE_MIB": "0",
    "SHOAL_ADAPTIVE_SLOTS": "false",
    "SHOAL_SLOTS": "3",
    "SHOAL_ISOLATION": "none",
}


def yard_in(folder: Path, hub: Hub, name: str) -> Yard:
    """On an embedded GitHub that runs; the account of Actions is there before the first job."""
    files = {**FILES, ".github/shoal.yml": FILES[".github/shoal.yml"] + "on_conflict: parallel\n"}
    for path, text in files.items():
        (folder / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / path).write_text(text)
    hub.repository(name, folder / "project", private=True)
    mona = hub.person("mona", {name: "admin"})
    (folder / "agent.sh").write_text(AGENT.format(scripts=folder / "scripts"))
    actions = hub.app("github-actions", events=())
    token = hub.app_token(actions, hub.install(actions, name))
    return Yard(hub, mona, name, folder, token)
