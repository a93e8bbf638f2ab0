"""A fleet that grows on demand has no runner before there is a job."""

import pytest

from app.backends.actions import ActionsBackend
from app.backends.backend import Runners
from app.commands.init import workflow
from app.github.client import GitHubApp
from shared.errors import TransientError
from shared.messages import RunnerLaunch
from tests.github.conftest import REPOSITORY, Home

LAUNCH = RunnerLaunch(app_url="http://127.0.0.1:1", attempt_id="1-5-1-1", secret="unused", work_dir="unused")


async def test_a_job_is_dispatched_though_no_runner_is_online(home: Home, github: GitHubApp) -> None:
    """Only where the operator said so: else a mistyped label would wait for a day, so the app waits for a runner first."""
    wanted = {
        "mode": "work",
        "action": "acme/shoal@main",
        "app_url": "http://127.0.0.1:1",
        "runner_labels": "shoal",
        "label": "shoal",
    }
    home.hub.commit(REPOSITORY, "main", {".github/workflows/shoal.yml": workflow(wanted)}, login="mona")
    where = github.repository(REPOSITORY, home.id, home.installation)

    with pytest.raises(TransientError, match="no online runner has the labels shoal"):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)
    started = await ActionsBackend("shoal.yml", ["shoal"], on_demand=True).start(LAUNCH, where)

    assert started.pid == home.mona.get(f"/repos/{REPOSITORY}/actions/runs")["workflow_runs"][0]["id"]


async def test_runners_with_our_labels_that_are_idle_are_counted(home: Home, github: GitHubApp) -> None:
    """Neither one that is offline nor one without the label; nobody at first."""
    where = github.repository(REPOSITORY, home.id, home.installation)
    backend = ActionsBackend("shoal.yml", ["Shoal"])
    assert await backend.count_runners(where) == Runners(online=0, idle=0)

    home.hub.runner(REPOSITORY, "first", "shoal", environment={})
    home.hub.runner(REPOSITORY, "second", "shoal", "big", environment={})
    home.hub.runner(REPOSITORY, "asleep", "shoal", environment={}, online=False)
    home.hub.runner(REPOSITORY, "other", "gpu", environment={})
    assert await backend.count_runners(where) == Runners(online=2, idle=2)
