"""The journey over GitHub Actions: a registered App, six labelled issues, six dispatches, our real action on six runners."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest

from app import registration
from app.decide.state import Attempt
from shared.github import CHECK_NAME
from shared.models import PhaseName, Verdict, VerdictName
from tests.support import journeys
from tests.support.fleet import CREDENTIALS, finished_runs, running_fleet
from tests.support.journeys import Harbour

# Six jobs that each make their own environment share two cores with other stories.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
# Their tests give somebody time to press Cancel, or to pull a plug.
_SLOW = "test ! -e broken.py\n! ls slow_*.py >/dev/null 2>&1 || sleep 10\n"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """Six runners of one machine, which has worked before."""
    with running_fleet(tmp_path_factory.mktemp("fleet"), {}, check=_SLOW, SHOAL_LEASE_SECONDS="5") as harbour:
        yield harbour


def test_the_app_is_the_one_that_was_registered(fleet: Harbour) -> None:
    """One process from the set-up page on: nobody told it an App, and what GitHub handed over is for its user only."""
    assert fleet.world.app is not None
    kept = registration.folder(fleet.world.folder / "work")
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in (kept, *kept.iterdir())} == {
        kept.name: 0o700,
        "registration.json": 0o600,
        "private-key.pem": 0o600,
    }
    told = psutil.Process(fleet.world.app.process.pid).environ()
    assert {value for name, value in told.items() if name in CREDENTIALS} == {""}
    assert [name for name, value in told.items() if fleet.world.identity.webhook_secret in value] == []
    [written] = fleet.world.github("GET", "/commits?path=.github/workflows/shoal.yml")
    assert written["commit"]["message"] == "Let Shoal work here"


def test_six_issues_become_six_pull_requests_on_six_runners(fleet: Harbour) -> None:
    """Each task is a run of its own that the job's identity opened; one aggregated check stands on every pull request."""
    issues = [fleet.issue(f"the log of berth {number}") for number in range(6)]
    fleet.label(*issues)
    shown: list[str] = []

    def settled() -> bool:
        shown.extend(journeys.secrets_in_arguments(fleet.hub.process.pid))
        return journeys.are_over(fleet.world, issues)

    journeys.wait_for(settled, 900)
    assert shown == []
    assert {task.verdict for issue, task in journeys.tasks(fleet.world).items() if issue in issues} == {"succeeded"}
    runs = finished_runs(fleet)
    assert sorted(run["display_title"] for run in runs) == sorted(f"Shoal {one.id}" for one in journeys.attempts(fleet.world))
    assert [run["conclusion"] for run in runs] == ["success"] * 6
    jobs = [fleet.world.github("GET", f"/actions/runs/{run['id']}/jobs")["jobs"][0] for run in runs]
    assert len({job["runner_name"] for job in jobs}) == 6
    for issue in issues:
        [pull] = journeys.pulls_of(fleet.world, issue)
        check = journeys.own_check(fleet.world, pull)
        assert (check["name"], check["conclusion"]) == (CHECK_NAME, "success")
    assert journeys.doubled(fleet.world, *issues) == []


def test_no_secret_is_left_anywhere(fleet: Harbour) -> None:
    """Neither in logs of runs nor in the runners' homes, work folders and tool cache."""
    folder = fleet.world.folder
    places = (folder / "github" / "actions", folder / "tools" / "shoal" / "work")
    assert all(place.is_dir() for place in places)
    assert [found for place in places for found in journeys.secrets_in_files(Path(place))] == []


@pytest.mark.parametrize("webhooks", ["in_order", "drop"])
def test_a_job_cancelled_by_hand_ends_its_task(fleet: Harbour, webhooks: Literal["in_order", "drop"]) -> None:
    """Somebody presses Cancel on the run: the runner itself says so before it is killed, whether GitHub does or not.

    The task ends with the reason, and a new label starts it anew.
    """
    name = f"slow_{webhooks}.py"
    issue = fleet.issue(f"a slow log {webhooks}", changes={name: "ONE = 1\n"})
    fleet.label(issue)
    run = journeys.wait_for(lambda: _run_of(fleet, issue, "testing"))
    fleet.hub.webhooks(webhooks)
    fleet.world.github("POST", f"/actions/runs/{run['id']}/cancel")
    journeys.wait_for(lambda: fleet.world.github("GET", f"/actions/runs/{run['id']}")["conclusion"] == "cancelled")
    journeys.settle(fleet.world, issue, seconds=900)
    assert journeys.tasks(fleet.world)[issue].verdict == "cancelled"
    assert "its job was cancelled on GitHub" in "".join(journeys.bot_comments(fleet.world, issue))
    assert journeys.pulls_of(fleet.world, issue) == []
    [attempt] = journeys.attempts(fleet.world, issue)
    _assert_the_runner_answered(fleet, run["id"], attempt)
    fleet.hub.webhooks("in_order")
    fleet.relabel(issue)
    journeys.wait_for(lambda: journeys.pulls_of(fleet.world, issue))
    journeys.settle(fleet.world, issue, seconds=900)
    assert len(journeys.pulls_of(fleet.world, issue)) == 1
    assert journeys.doubled(fleet.world, issue) == []


def test_a_runner_that_vanished_is_replaced(fleet: Harbour) -> None:
    """Its plug is pulled: the lease runs out, another runner takes the task, and there is one pull request."""
    issue = fleet.issue("an hourly log", changes={"slow_2.py": "TWO = 2\n"})
    fleet.label(issue)
    run = journeys.wait_for(lambda: _run_of(fleet, issue, "testing"))
    [job] = fleet.world.github("GET", f"/actions/runs/{run['id']}/jobs")["jobs"]
    fleet.hub.pull_runner(fleet.repository, job["runner_name"])
    journeys.settle(fleet.world, issue, seconds=900)
    assert len(journeys.attempts(fleet.world, issue)) == 2
    assert len(journeys.pulls_of(fleet.world, issue)) == 1
    assert journeys.doubled(fleet.world, issue) == []


def _assert_the_runner_answered(fleet: Harbour, run_id: int, attempt: Attempt) -> None:
    """Its last word reached the app, with the phase that was cut short; its step ended by itself, so that the last step came."""
    report = attempt.report
    assert report is not None
    assert report.verdict == Verdict(
        name=VerdictName.CANCELLED, reason="its job was cancelled on GitHub; label the issue again to go on"
    )
    statuses = {phase.name: phase.status for phase in report.phases}
    assert list(statuses)[-1] is PhaseName.REVIEW  # all nine, also those that were not begun
    assert (statuses[PhaseName.IMPLEMENTATION], statuses[PhaseName.TESTING]) == ("passed", "failed")
    assert statuses[PhaseName.PULL_REQUEST] == "skipped"
    [log] = (fleet.hub.folder / "actions").glob(f"run-{run_id}-*.log")
    assert "cleaned up" in log.read_text()


def _run_of(fleet: Harbour, issue: int, phase: str) -> Any:
    """The run of the issue's attempt, once that is in a phase."""
    task = journeys.tasks(fleet.world).get(issue)
    if task is None or task.phase != phase:
        return None
    names = {f"Shoal {attempt.id}" for attempt in journeys.attempts(fleet.world, issue)}
    return next(run for run in fleet.world.github("GET", "/actions/runs")["workflow_runs"] if run["display_title"] in names)
