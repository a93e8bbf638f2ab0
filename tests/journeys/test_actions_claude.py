"""The journey over GitHub Actions with the real command line of Claude Code, against a scripted Messages API."""

from pathlib import Path

import pytest

from app import registration
from scripts.agent_clis import install
from shared.github import CHECK_NAME
from tests.support import journeys
from tests.support.fleet import RUNNERS, finished_runs, running_fleet
from tests.support.model_api import Story, Turn, model_api

# Six jobs, each with three passes of the real agent, share two cores with other stories.
pytestmark = [pytest.mark.slow, pytest.mark.agents, pytest.mark.timeout(1800)]
KEY = "sk-ant-canary-of-the-runners-0123456789"


def stories(*numbers: int) -> list[Story]:
    """A plan, a file of its own for each issue, and a review without findings."""
    work = [
        Story(
            rf"(?s)on its issue #{number}\.\n\nCarry out",
            [Turn(shell=f"echo 'BERTH = {number}' > berth_{number}.py"), Turn(text=f"Added berth {number}.")],
        )
        for number in numbers
    ]
    plan = Story(r"Write a plan for this issue", [Turn(text="1. Add the berth's file.")])
    return [plan, *work, Story("Review the diff", [Turn(text="Looks right.\n\n```json\n[]\n```")])]


def test_six_issues_become_six_pull_requests_by_the_real_agent(tmp_path: Path) -> None:
    """Six dispatches, six runners, six agents in their sandboxes: each opens its own pull request, and none ever sees the key."""
    numbers = range(1, RUNNERS + 1)
    with model_api(*stories(*numbers), key=KEY) as api:
        keys = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url}
        agent = {
            "SHOAL_AGENT": "claude",
            "SHOAL_AGENT_COMMAND": str(install() / "claude"),
            "SHOAL_AGENT_MODEL": "claude-sonnet-4-5",
            "SHOAL_ISOLATION": "required",
            "SHOAL_LEASE_SECONDS": "30",
        }
        with running_fleet(tmp_path, keys, RUNNERS, **agent) as fleet:
            issues = [fleet.issue(f"the file of berth {number}") for number in numbers]
            assert issues == list(numbers)
            fleet.label(*issues)
            shown: list[str] = []

            def settled() -> bool:
                shown.extend(journeys.secrets_in_arguments(fleet.hub.process.pid, KEY.encode()))
                return journeys.are_over(fleet.world, issues)

            journeys.wait_for(settled, 1500)
            tasks = journeys.tasks(fleet.world)
            assert {issue: tasks[issue].verdict for issue in issues} == dict.fromkeys(issues, "succeeded")
            assert [run["conclusion"] for run in finished_runs(fleet)] == ["success"] * RUNNERS
            for issue in issues:
                [pull] = journeys.pulls_of(fleet.world, issue)
                files = fleet.world.github("GET", f"/pulls/{pull['number']}/files")
                assert [file["filename"] for file in files] == [f"berth_{issue}.py"]
                check = journeys.own_check(fleet.world, pull)
                assert (check["name"], check["conclusion"]) == (CHECK_NAME, "success")
            assert journeys.doubled(fleet.world, *issues) == []
            reports = [one.report for one in journeys.attempts(fleet.world)]
            assert all(report and report.usage.turns >= 3 and report.usage.cost_usd for report in reports)
            assert {report.isolation for report in reports if report} == {"bubblewrap"}
        assert shown == []
        assert {request.key for request in api.generating} == {KEY}
    # Of the runners' configuration, in which the operator wrote the key, nothing else may have a copy; the app has its own key.
    places = (tmp_path / "github" / "actions", tmp_path / "tools" / "shoal" / "work", tmp_path / "work")
    found = [one for place in places for one in journeys.secrets_in_files(place, KEY.encode())]
    assert found == [f"{registration.folder(tmp_path / 'work') / 'private-key.pem'}: b'PRIVATE KEY'"]
