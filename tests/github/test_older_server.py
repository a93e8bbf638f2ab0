"""A server of before 2026 does not tell a dispatch's run: it is found by its name, and there is one of it."""

from typing import Any, Literal

import pytest

from app.backends.actions import ActionsBackend
from app.github.client import GitHubApp
from app.github.repository import RepositoryClient
from shared.errors import TransientError, UserError
from tests.github.conftest import REPOSITORY, Home
from tests.github.test_on_demand import LAUNCH, with_workflow

_DISPATCHES = "/dispatches"


@pytest.fixture
def where(home: Home, github: GitHubApp) -> RepositoryClient:
    """The repository, with its workflow and a runner."""
    with_workflow(home)
    home.hub.runner(REPOSITORY, "quay", "shoal", environment={}, online=True)
    return github.repository(REPOSITORY, home.id, home.installation)


@pytest.fixture
def backend(clock: list[float]) -> ActionsBackend:
    return ActionsBackend("shoal.yml", ["shoal"], clock=lambda: clock[0])


@pytest.fixture
def clock() -> list[float]:
    """The seconds that the backend counts by."""
    return [0.0]


def runs(home: Home) -> list[Any]:
    found: list[Any] = home.mona.get(f"/repos/{REPOSITORY}/actions/runs")["workflow_runs"]
    return found


@pytest.mark.parametrize(("older", "answers"), [("refused", [422, 204]), ("ignored", [204])])
async def test_one_dispatch_is_found_by_its_name(
    home: Home, where: RepositoryClient, backend: ActionsBackend, older: Literal["refused", "ignored"], answers: list[int]
) -> None:
    """Whether the field that asks for the id is refused, and the dispatch sent again without it, or is passed over."""
    home.hub.set_actions(run_details=older)
    with pytest.raises(TransientError, match="the run `Shoal 1-5-1-1` is not listed yet") as told:
        await backend.start(LAUNCH, where, again=False)
    assert told.value.after is not None
    started = await backend.start(LAUNCH, where)
    assert [(run["id"], run["display_title"], run["event"]) for run in runs(home)] == [
        (started.pid, "Shoal 1-5-1-1", "workflow_dispatch")
    ]
    assert [one["status"] for one in home.hub.requests("POST", _DISPATCHES)] == answers


async def test_a_list_that_lags_behind_starts_no_second_run(
    home: Home, where: RepositoryClient, backend: ActionsBackend, clock: list[float]
) -> None:
    """What was dispatched a moment ago is looked for again; after a minute without it, it is taken for lost."""
    home.hub.set_actions(run_details="ignored")
    home.hub.fault("/shoal.yml/runs$", 200, answer={"total_count": 0, "workflow_runs": []}, times=3)
    for _ in range(3):
        with pytest.raises(TransientError, match="not listed yet"):
            await backend.start(LAUNCH, where)
    started = await backend.start(LAUNCH, where)
    assert [run["id"] for run in runs(home)] == [started.pid]

    home.hub.fault("/shoal.yml/runs$", 200, answer={"total_count": 0, "workflow_runs": []}, times=2)
    other = LAUNCH.model_copy(update={"attempt_id": "1-6-1-1"})
    for now in (0.0, 61.0):
        clock[0] = now
        with pytest.raises(TransientError, match="not listed yet"):
            await backend.start(other, where)
    assert [run["display_title"] for run in runs(home)] == ["Shoal 1-6-1-1", "Shoal 1-6-1-1", "Shoal 1-5-1-1"]


async def test_another_refusal_is_not_taken_for_an_older_server(
    home: Home, where: RepositoryClient, backend: ActionsBackend
) -> None:
    """Only the words about that field send a dispatch again: every other refusal is told."""
    home.hub.set_workflow(REPOSITORY, "shoal.yml", is_active=False)
    with pytest.raises(UserError, match="disabled workflow"):
        await backend.start(LAUNCH, where)
    assert [one["status"] for one in home.hub.requests("POST", _DISPATCHES)] == [422]
