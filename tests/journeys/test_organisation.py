"""The journey where all but a few lines are the organisation's: runners and workflow are shared, and the server is an older one."""

from pathlib import Path

import pytest

from app.demo.identity import OWNER
from shared.github import CHECK_NAME
from tests.support import journeys
from tests.support.fleet import finished_runs, running_fleet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_shared_runners_work_by_a_shared_workflow(tmp_path: Path) -> None:
    """The job is believed though another repository's workflow is at work in it, and its run is found by its name, once each."""
    with running_fleet(tmp_path, {}, runners=2, shared_by=OWNER) as fleet:
        fleet.hub.set_actions(run_details="refused")
        issues = [fleet.issue(f"the log of berth {number}") for number in range(2)]
        fleet.label(*issues)
        journeys.settle(fleet.world, *issues)

        assert {issue: task.verdict for issue, task in journeys.tasks(fleet.world).items()} == dict.fromkeys(issues, "succeeded")
        runs = finished_runs(fleet)
        assert sorted(run["display_title"] for run in runs) == sorted(f"Shoal {one.id}" for one in journeys.attempts(fleet.world))
        assert [run["conclusion"] for run in runs] == ["success"] * 2
        jobs = [fleet.world.github("GET", f"/actions/runs/{run['id']}/jobs")["jobs"][0] for run in runs]
        assert {job["runner_name"] for job in jobs} == {"quay-0", "quay-1"}
        assert {(job["name"], tuple(job["labels"])) for job in jobs} == {("Work / Work", ("self-hosted", "linux"))}
        assert sorted(one["status"] for one in fleet.hub.requests("POST", "/dispatches")) == [204, 204, 422, 422]
        assert fleet.world.github("GET", "/actions/runners")["total_count"] == 0
        for issue in issues:
            [pull] = journeys.pulls_of(fleet.world, issue)
            check = journeys.own_check(fleet.world, pull)
            assert (check["name"], check["conclusion"]) == (CHECK_NAME, "success")
        assert journeys.doubled(fleet.world, *issues) == []
