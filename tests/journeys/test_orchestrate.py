"""Without an app: one job plans and works on every labelled issue, and posts the same check, with nothing but its own token."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.commands.init import workflow
from app.demo.fleet import copy_of_action, tool_cache
from shared.github import CHECK_NAME
from tests.support.journeys import PROJECT, new_file, secrets_in_files
from tests.support.localhub import Hub, Person, running_localhub

# What a workflow's author would write below ours; `act` shows no summary.
_NEXT_STEP = """      - if: always()
        shell: bash
        env:
          TOLD: ${{ toJSON(steps.shoal.outputs) }}
        run: echo "next step reads $(echo "$TOLD" | tr -d '\\n')"
"""
# The first of them installs our packages, which on a busy machine takes minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
HOME = "acme/widgets"
QUICK = {
    "SHOAL_GITHUB_WRITES_PER_SECOND": "1000",
    "SHOAL_GITHUB_CONTENT_PER_MINUTE": "100000",
    "SHOAL_GITHUB_CONTENT_PER_HOUR": "100000",
    "SHOAL_GITHUB_POINTS_PER_MINUTE": "1000000",
    "SHOAL_TASK_MEMORY_MIB": "256",
    "SHOAL_HEARTBEAT_SECONDS": "1",
    "SHOAL_ISOLATION": "preferred",
    # All that a job has starts together, however busy the other tests keep this machine.
    "SHOAL_ADAPTIVE_SLOTS": "false",
}


@dataclass
class Yard:
    """A repository with the workflow, one runner, and a maintainer."""

    hub: Hub
    mona: Person
    folder: Path
    name: str

    def issue(self, title: str, *, name: str = "", label: str = "shoal") -> int:
        number = int(self.mona.open_issue(self.name, title, "Please.", [label] if label else [])["number"])
        change = self.folder / "patches" / str(number)
        change.mkdir(parents=True)
        (change / "plan.md").write_text("1. Add a file.\n")
        (change / "change.patch").write_text(new_file(name or f"issue_{number}.py", f"NUMBER = {number}\n"))
        return number

    def start(self, issues: str = "") -> int:
        body = {"ref": "main", "inputs": {"issues": issues}, "return_run_details": True}
        return int(self.mona.ask("POST", f"/repos/{self.name}/actions/workflows/shoal.yml/dispatches", body)["workflow_run_id"])

    def run(self, run_id: int) -> Any:
        return self.mona.get(f"/repos/{self.name}/actions/runs/{run_id}")

    def ended(self, run_id: int) -> str:
        """How it ended, and its log for whoever reads a failure."""
        self.hub.wait_for(lambda: self.run(run_id)["status"] == "completed", 900)
        return str(self.run(run_id)["conclusion"])

    def log(self, run_id: int) -> str:
        """Empty before a runner has it."""
        return "".join(file.read_text(errors="replace") for file in (self.hub.folder / "actions").glob(f"run-{run_id}-*.log"))

    def outputs(self, run_id: int) -> Any:
        """What the step after ours reads of the action's outputs."""
        [said] = re.findall(r"next step reads (\{.*\})", self.log(run_id))
        return json.loads(said)

    def pulls(self) -> dict[str, Any]:
        """By branch."""
        return {pull["head"]["ref"]: pull for pull in self.mona.get(f"/repos/{self.name}/pulls", per_page=100)}

    def branches(self) -> set[str]:
        return {branch["name"] for branch in self.mona.get(f"/repos/{self.name}/branches", per_page=100)}


@pytest.fixture(scope="module")
def yards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Yard, Yard]]:
    """One whose jobs are dispatched, and one whose workflow file is as `shoal init` writes it; their runners share a machine."""
    folder = tmp_path_factory.mktemp("yard")
    action = copy_of_action(folder / "action")
    assert tool_cache(folder, action, "orchestrate") == folder / "tools"
    wanted = {"mode": "orchestrate", "action": "tools/shoal@main", "runner_labels": "self-hosted", "label": "shoal"}
    whole = workflow(wanted)
    dispatched = (
        whole.replace("  issues:\n    types: [labeled]\n", "").replace("- uses:", "- id: shoal\n        uses:") + _NEXT_STEP
    )
    with running_localhub(folder / "github") as hub:
        hub.set_rate_limit(1_000_000)  # of those who only look on, too
        hub.repository("tools/shoal", action)
        mona = hub.person("mona", {})
        yield (
            _yard(hub, mona, folder, HOME, dispatched, ("quay", "jetty")),
            _yard(hub, mona, folder, "acme/pier", whole, ("pier", "mole", "groyne")),
        )


def _yard(hub: Hub, mona: Person, folder: Path, name: str, job: str, runners: Sequence[str]) -> Yard:
    place = folder / name.partition("/")[2]
    # Issues whose words are so alike would wait for each other.
    together = PROJECT[".github/shoal.yml"] + "on_conflict: parallel\nlabels: [quay]\n"
    # Their tests give somebody time to press Cancel.
    slow = PROJECT["check.sh"] + "! ls slow_*.py >/dev/null 2>&1 || sleep 300\n"
    files = {**PROJECT, "check.sh": slow, ".github/shoal.yml": together, ".github/workflows/shoal.yml": job}
    for path, text in files.items():
        (place / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        (place / "project" / path).write_text(text)
    hub.repository(name, place / "project", private=True)
    hub.set_role(name, mona.login, "admin")
    agent = {
        "RUNNER_TOOL_CACHE": str(folder / "tools"),
        "SHOAL_AGENT": "patch",
        "SHOAL_AGENT_FOLDER": str(place / "patches"),
        "SHOAL_SLOTS": "3",
    }
    for runner in runners:
        hub.runner(name, runner, environment={**agent, **QUICK})
    return Yard(hub, mona, place, name)


@pytest.fixture
def yard(yards: tuple[Yard, Yard]) -> Yard:
    return yards[0]


@pytest.fixture
def pier(yards: tuple[Yard, Yard]) -> Yard:
    return yards[1]


def test_six_labelled_issues_become_six_pull_requests(yard: Yard) -> None:
    """One aggregated check on each; the log and the outputs, which the next step reads, say the same; no secret is left behind.

    Three have the operator's label, three the one that the repository's own settings name.
    """
    labels = ("shoal", "quay")
    issues = [yard.issue(f"Write the log of berth {number}", label=labels[number % 2]) for number in range(6)]
    run_id = yard.start()
    assert yard.ended(run_id) == "success", yard.log(run_id)
    pulls = yard.pulls()
    assert [int(branch.split("/")[1].split("-")[0]) for branch in _by_issue(pulls)] == issues
    for pull in pulls.values():
        runs = yard.mona.get(f"/repos/{HOME}/commits/{pull['head']['sha']}/check-runs")["check_runs"]
        assert [run["conclusion"] for run in runs if run["name"] == CHECK_NAME] == ["success"]
        assert pull["user"]["login"] == "github-actions[bot]"
    log = yard.log(run_id)
    assert "6 of 6 done" in log
    assert all(f"#{issue} succeeded, pull request #" in log for issue in issues)
    assert yard.outputs(run_id) == {
        "verdict": " ".join(f"{issue}=succeeded" for issue in issues),
        "conclusion": "success",
        "pull-request": " ".join(str(pulls[branch]["number"]) for branch in _by_issue(pulls)),
        "branch": " ".join(_by_issue(pulls)),
    }
    assert secrets_in_files(yard.hub.folder / "actions") == secrets_in_files(yard.folder.parent / "tools" / "shoal" / "work") == []


def test_a_cancelled_job_answers_before_it_is_killed(yard: Yard) -> None:
    """Its own last step and the one after it run, so it ended in time; its claims are given back."""
    issues = [yard.issue(f"Wait for tide {number}", name=f"slow_{number}.py") for number in range(2)]
    run_id = yard.start(",".join(map(str, issues)))
    yard.hub.wait_for(lambda: all(f"#{issue} testing" in yard.log(run_id) for issue in issues), 900)
    yard.mona.ask("POST", f"/repos/{HOME}/actions/runs/{run_id}/cancel")
    assert yard.ended(run_id) == "cancelled", yard.log(run_id)
    assert yard.outputs(run_id)["verdict"] == " ".join(f"{issue}=cancelled" for issue in issues)
    assert "cleaned up" in yard.log(run_id)
    claimed = tuple(f"shoal/{issue}-" for issue in issues)
    assert not any(branch.startswith(claimed) for branch in yard.branches())
    for issue in issues:  # a later job would take them
        yard.mona.edit_issue(yard.name, issue, state="closed")


def test_two_jobs_at_once_share_no_issue(yard: Yard) -> None:
    """Whoever creates a branch has the issue: each gets one pull request, and the other job says whose it is."""
    issues = [yard.issue(f"Paint bollard {number}") for number in range(3)]
    before = set(yard.pulls())
    first, second = yard.start(), yard.start()
    assert {yard.ended(first), yard.ended(second)} == {"success"}
    made = [pull for branch, pull in yard.pulls().items() if branch not in before]
    assert len(made) == len(issues)
    logs = yard.log(first) + yard.log(second)
    assert all(logs.count(f"#{issue} succeeded") == 1 for issue in issues)
    assert all(f"#{issue} left alone" in logs for issue in issues)


def test_what_comes_to_nothing_is_given_back(yard: Yard) -> None:
    """A change that breaks the tests is a draft or nothing, the job fails, and a branch that was only a claim is gone."""
    number = yard.issue("Lose the anchor")
    (yard.folder / "patches" / str(number) / "change.patch").write_text("")
    run_id = yard.start(str(number))
    yard.ended(run_id)
    assert not any(branch.startswith(f"shoal/{number}-") for branch in yard.branches()), yard.log(run_id)


def test_an_issue_that_is_not_labelled_is_named(yard: Yard) -> None:
    """It is left alone; the job has nothing to do and says so."""
    run_id = yard.start("4711")
    assert yard.ended(run_id) == "success"
    assert "#4711 left alone: it is not open with the label `shoal`" in yard.log(run_id)
    assert "Nothing to do" in yard.log(run_id)
    assert yard.outputs(run_id) == {"verdict": "", "conclusion": "neutral", "pull-request": "", "branch": ""}


def test_each_label_starts_a_job_for_its_own_issue(pier: Yard) -> None:
    """No app, no dispatch: three labels are three events, three runs, three pull requests; the fourth issue is nobody's."""
    issues = [pier.issue(f"Number bollard {number}", label="") for number in range(4)]
    for issue in issues[:3]:
        pier.mona.label(pier.name, issue, "shoal")
    pier.mona.label(pier.name, issues[3], "later")

    def over() -> list[Any]:
        runs: list[Any] = pier.mona.get(f"/repos/{pier.name}/actions/runs", per_page=100)["workflow_runs"]
        return runs if len(runs) == 4 and all(run["status"] == "completed" for run in runs) else []

    runs = pier.hub.wait_for(over, 900)
    assert {(run["event"], run["conclusion"]) for run in runs} == {("issues", "success")}
    logs = [pier.log(run["id"]) for run in runs]
    assert [sum(f"#{issue} succeeded" in log for log in logs) for issue in issues] == [1, 1, 1, 0], logs
    assert not any("left alone" in log for log in logs)
    assert [int(branch.split("/")[1].split("-")[0]) for branch in _by_issue(pier.pulls())] == issues[:3]
    assert {pull["user"]["login"] for pull in pier.pulls().values()} == {"github-actions[bot]"}


def test_a_search_chooses_among_the_labelled(yard: Yard) -> None:
    """What somebody else wrote, or nobody labelled, is not taken."""
    other = yard.hub.person("hubot", {yard.name: "write"})
    theirs = int(other.open_issue(yard.name, "Sweep the deck", "Please.", ["shoal"])["number"])
    ours, unlabelled = yard.issue("Sweep the hold"), yard.issue("Sweep the bridge", label="")
    run_id = yard.start("sweep author:mona")
    assert yard.ended(run_id) == "success", yard.log(run_id)
    assert yard.outputs(run_id)["verdict"] == f"{ours}=succeeded"
    assert not any(branch.startswith((f"shoal/{theirs}-", f"shoal/{unlabelled}-")) for branch in yard.branches())


def _by_issue(branches: Iterable[str]) -> list[str]:
    return sorted(branches, key=lambda branch: int(branch.split("/")[1].split("-")[0]))
