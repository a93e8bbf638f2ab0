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


def with_workflow(home: Home) -> None:
    """The repository has what `shoal init` writes."""
    wanted = {
        "mode": "work",
        "action": "acme/shoal@main",
        "app_url": "http://127.0.0.1:1",
        "runner_labels": "shoal",
        "label": "shoal",
    }
    home.hub.commit(REPOSITORY, "main", {".github/workflows/shoal.yml": workflow(wanted)}, login="mona")


async def test_a_job_is_dispatched_though_no_runner_is_online(home: Home, github: GitHubApp) -> None:
    """Only where the operator said so: else a mistyped label would wait for a day, so the app waits for a runner first."""
    with_workflow(home)
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
    assert await backend.count_runners(where, ["SHOAL", "big"]) == Runners(online=1, idle=1), "as the repository's own file has it"


async def test_the_repositorys_own_labels_are_looked_for_before_a_dispatch(home: Home, github: GitHubApp) -> None:
    """Not the operator's, of which there is a runner: the workflow asks for others."""
    with_workflow(home)
    home.hub.runner(REPOSITORY, "usual", "shoal", environment={})
    where = github.repository(REPOSITORY, home.id, home.installation)

    with pytest.raises(TransientError, match=r"no online runner has the labels gpu, self-hosted; there are: usual \(online\)"):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where, ["self-hosted", "GPU"])
