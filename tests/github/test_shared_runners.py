"""Runners that belong to the organisation count as the repository's own do, as far as their groups let them serve it."""

from pathlib import Path

import pytest
import structlog

from app.backends.actions import ActionsBackend
from app.backends.backend import Runners
from app.commands.init import workflow
from app.github.client import GitHubApp
from app.github.repository import RepositoryClient
from shared.errors import TransientError
from tests.github.conftest import REPOSITORY, Home, open_app
from tests.github.test_dispatch_refused import WANTED
from tests.github.test_on_demand import LAUNCH, with_workflow
from tests.support.localhub import ALL_PERMISSIONS, Hub

_SHARED = "/orgs/acme/actions"
WITHOUT = {name: level for name, level in ALL_PERMISSIONS.items() if name != "organization_self_hosted_runners"}


@pytest.fixture
def where(home: Home, github: GitHubApp) -> RepositoryClient:
    """A repository without a runner of its own, ready for dispatches."""
    with_workflow(home)
    return github.repository(REPOSITORY, home.id, home.installation)


def runs(home: Home) -> int:
    found: int = home.mona.get(f"/repos/{REPOSITORY}/actions/runs")["total_count"]
    return found


async def test_a_team_whose_runners_are_its_organisations_is_served(home: Home, where: RepositoryClient) -> None:
    """They are counted, and a job is dispatched because one of them is online; one that is offline or has other labels is none."""
    backend = ActionsBackend("shoal.yml", ["shoal"])
    home.hub.shared_runner("acme", "asleep", "shoal", environment={}, online=False)
    home.hub.shared_runner("acme", "other", "gpu", environment={})
    with pytest.raises(TransientError, match=r"there are: asleep \(offline\): .*; other \(online\): gpu"):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)

    home.hub.shared_runner("acme", "quay", "shoal", environment={})
    assert await backend.count_runners(where) == Runners(online=1, idle=1)
    assert (await backend.start(LAUNCH, where)).pid
    assert runs(home) == 1


async def test_a_group_that_does_not_serve_the_repository_is_left_out(home: Home, where: RepositoryClient, tmp_path: Path) -> None:
    """Its runner would never take the job; one that the enterprise shares with the organisation would."""
    home.hub.repository("acme/gadgets", tmp_path / "widgets")
    home.hub.runner_group("acme", "theirs", "gadgets")
    home.hub.shared_runner("acme", "crane", "shoal", environment={}, group="theirs")
    assert await ActionsBackend("shoal.yml", ["shoal"]).count_runners(where) == Runners(online=0, idle=0)

    home.hub.runner_group("acme", "ours", "widgets")
    home.hub.shared_runner("acme", "quay", "shoal", environment={}, group="ours")
    home.hub.runner_group("acme", "everybody", inherited=True)
    home.hub.shared_runner("acme", "harbour", "shoal", environment={}, group="everybody")
    assert await ActionsBackend("shoal.yml", ["shoal"]).count_runners(where) == Runners(online=2, idle=2)


async def test_where_groups_cannot_be_read_all_runners_count(home: Home, where: RepositoryClient) -> None:
    """A server without them, or one that does not show them: a runner that may not serve is better than a wait for ever."""
    home.hub.shared_runner("acme", "quay", "shoal", environment={})
    home.hub.fault(f"{_SHARED}/runner-groups", 404)
    assert await ActionsBackend("shoal.yml", ["shoal"]).count_runners(where) == Runners(online=1, idle=1)


@pytest.mark.parametrize("status", [403, 404])
async def test_without_the_permission_nobody_knows_and_jobs_are_dispatched(home: Home, status: int) -> None:
    """Slots are the limit then; the log says it once, with both fixes, and not for every job."""
    with_workflow(home)
    app = home.hub.app("older-app", permissions=WITHOUT if status == 403 else ALL_PERMISSIONS)
    installation = home.hub.install(app, REPOSITORY)
    async with open_app(home.hub.api_url, app_id=str(app.id), private_key=app.private_key_pem) as github:
        where = github.repository(REPOSITORY, home.id, installation)
        backend = ActionsBackend("shoal.yml", ["shoal"], clock=lambda: float(runs(home) * 60))
        if status == 404:
            home.hub.fault(f"{_SHARED}/runners", 404, times=3)
        with structlog.testing.capture_logs() as said:
            assert await backend.count_runners(where) is None
            for number in (5, 6):
                await backend.start(LAUNCH.model_copy(update={"attempt_id": f"1-{number}-1-1"}), where)
    assert runs(home) == 2
    assert [line["fix"].partition(" and ")[0] for line in said if line["event"] == "runners.unknown"] == [
        "grant the App `organization_self_hosted_runners: read`"
    ]


async def test_a_persons_repository_has_no_others_than_its_own(hub: Hub, tmp_path: Path) -> None:
    """There is no organisation to ask, so nothing is unknown: a mistyped label is told instead of dispatched."""
    (tmp_path / "notes" / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / "notes" / ".github" / "workflows" / "shoal.yml").write_text(workflow(WANTED))
    hub.person("ada")
    made = hub.repository("ada/notes", tmp_path / "notes", private=True)
    app = hub.app("shoal-app", permissions=WITHOUT)
    async with open_app(hub.api_url, app_id=str(app.id), private_key=app.private_key_pem) as github:
        where = github.repository("ada/notes", made["id"], hub.install(app, "ada/notes"))
        backend = ActionsBackend("shoal.yml", ["shoal"])
        assert await backend.count_runners(where) == Runners(online=0, idle=0)
        with pytest.raises(TransientError, match="no online runner has the labels shoal; there are: none"):
            await backend.start(LAUNCH, where)
    assert hub.requests("GET", "/orgs/") == []


async def test_the_organisation_is_asked_only_when_it_must_be_and_once_in_half_a_minute(
    home: Home, where: RepositoryClient
) -> None:
    """Not while one of the repository's own is idle; then for a whole batch together, and again when that is old."""
    now = [0.0]
    backend = ActionsBackend("shoal.yml", ["shoal"], clock=lambda: now[0])
    home.hub.runner(REPOSITORY, "own", "shoal", environment={})
    home.hub.shared_runner("acme", "quay", "gpu", environment={})

    async def asked(attempt: str, *labels: str) -> int:
        before = len(home.hub.requests("GET", _SHARED))
        await backend.start(LAUNCH.model_copy(update={"attempt_id": attempt}), where, labels, again=False)
        return len(home.hub.requests("GET", _SHARED)) - before

    assert await backend.count_runners(where) == Runners(online=1, idle=1)
    assert [await asked("1-5-1-1"), home.hub.requests("GET", _SHARED)] == [0, []]
    assert [await asked("1-6-1-1", "gpu"), await asked("1-7-1-1", "gpu")] == [2, 0]
    now[0] = 31
    assert [await asked("1-8-1-1", "gpu"), await asked("1-9-1-1", "gpu")] == [2, 0]
