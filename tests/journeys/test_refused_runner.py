"""GitHub refuses a runner for its version: it is online and gets no job, which is said, and once it is mended work goes on."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.github import CHECK_NAME
from shared.models import VerdictName
from tests.support import journeys
from tests.support.fleet import finished_runs, running_fleet
from tests.support.journeys import Harbour

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
_WHY = "no runner began it within 0.3 minutes"


def test_a_runner_of_a_refused_version_gets_no_job(tmp_path: Path) -> None:
    """Each run is cancelled in the queue, comment and check say why; with a newer runner `/shoal retry` makes the pull request."""
    with running_fleet(tmp_path, {}, runners=1, SHOAL_QUEUE_MINUTES="0.3") as fleet:
        _set_version(fleet, outdated=True)
        issue = fleet.issue("the list of lamps")
        fleet.label(issue)
        journeys.settle(fleet.world, issue)

        assert journeys.tasks(fleet.world)[issue].verdict is VerdictName.LOST
        runs = finished_runs(fleet)
        assert sorted(run["display_title"] for run in runs) == [f"Shoal {one.id}" for one in journeys.attempts(fleet.world, issue)]
        jobs = [job for run in runs for job in fleet.world.github("GET", f"/actions/runs/{run['id']}/jobs")["jobs"]]
        assert [(job["conclusion"], job["runner_name"]) for job in jobs] == [("cancelled", None)] * 3
        [comment] = journeys.bot_comments(fleet.world, issue)
        [whole] = journeys.whole_checks(fleet.world, journeys.main_sha(fleet.world))
        for told in (comment, whole["output"]["summary"]):
            assert f"**Lost**: given up after 3 attempts that vanished: {_WHY}" in told
            assert "whose version GitHub refuses, takes none" in told
        assert journeys.pulls_of(fleet.world, issue) == []

        _set_version(fleet, outdated=False)
        _be_patient(fleet)
        fleet.maintainer.comment(fleet.repository, issue, "/shoal retry")
        [pull] = journeys.wait_for(lambda: journeys.pulls_of(fleet.world, issue))
        journeys.settle(fleet.world, issue)
        assert journeys.tasks(fleet.world)[issue].verdict is VerdictName.SUCCEEDED
        check = journeys.own_check(fleet.world, pull)
        assert (check["name"], check["conclusion"]) == (CHECK_NAME, "success")
        assert journeys.doubled(fleet.world, issue) == []


def _set_version(fleet: Harbour, *, outdated: bool) -> None:
    """Of the only runner; it stays online."""
    tools = {"RUNNER_TOOL_CACHE": str(fleet.world.folder / "tools")}
    fleet.hub.runner(fleet.repository, "quay-0", "linux", environment=tools, outdated=outdated)


def _be_patient(fleet: Harbour) -> None:
    """The app starts again with the usual hour: what is to be waited for now is work, on a machine that may be busy."""
    world = fleet.world
    world.kill_app()
    world.ways = replace(world.ways, settings={**world.ways.settings, "SHOAL_QUEUE_MINUTES": "60"})
    world.start_app()
