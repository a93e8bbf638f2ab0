"""A workflow that cannot be started is named with its fix; the look before a dispatch finds one whose answer was lost."""

import pytest

from app.backends.actions import ActionsBackend
from app.backends.backend import Runners
from app.commands.init import workflow
from app.github.client import GitHubApp
from app.github.repository import RepositoryClient
from shared.errors import TransientError, UserError
from shared.messages import RunnerLaunch
from tests.github.conftest import REPOSITORY, Home

LAUNCH = RunnerLaunch(app_url="http://127.0.0.1:1", attempt_id="1-5-1-1", secret="unused", work_dir="unused")
_ACTIONS = f"/repos/{REPOSITORY}/actions"
WANTED = {"mode": "work", "action": "acme/shoal@main", "app_url": "http://127.0.0.1:1", "runner_labels": "shoal", "label": "shoal"}


@pytest.fixture
def where(home: Home, github: GitHubApp) -> RepositoryClient:
    """The repository, with a runner that is online."""
    home.hub.runner(REPOSITORY, "quay", "shoal", environment={})
    return github.repository(REPOSITORY, home.id, home.installation)


def _commit(home: Home, text: str) -> None:
    home.hub.commit(REPOSITORY, "main", {".github/workflows/shoal.yml": text}, login="mona")


async def test_a_workflow_file_that_is_missing_is_named(where: RepositoryClient) -> None:
    """With the branch on which it must be."""
    with pytest.raises(UserError, match=r"shoal\.yml` is missing on the default branch of acme/widgets: add it"):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("attempt:", "task:", "Unexpected inputs provided"), ("workflow_dispatch:", "workflow_call:", "workflow_dispatch")],
)
async def test_an_outdated_workflow_file_is_told_in_githubs_words(
    home: Home, where: RepositoryClient, old: str, new: str, words: str
) -> None:
    """It lacks the input that we send, or cannot be dispatched at all."""
    text = workflow(WANTED)
    assert old in text
    _commit(home, text.replace(old, new))
    with pytest.raises(UserError, match=f"`shoal.yml` could not be started: .*{words}"):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)


async def test_a_disabled_workflow_is_told_in_githubs_words(home: Home, where: RepositoryClient) -> None:
    """Somebody switched it off on the repository's page."""
    _commit(home, workflow(WANTED))
    home.hub.set_workflow(REPOSITORY, "shoal.yml", is_active=False)
    with pytest.raises(UserError, match=r"could not be started: .*disabled"):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)


async def test_a_mistyped_label_is_told_with_the_runners_that_there_are(home: Home, where: RepositoryClient) -> None:
    """Also when the one with the right label is offline; nothing is dispatched, for it would wait a day."""
    _commit(home, workflow(WANTED))
    home.hub.runner(REPOSITORY, "asleep", "shaol", environment={}, online=False)
    with pytest.raises(TransientError, match=r"has the labels shaol; there are: quay \(online\): .*; asleep \(offline\): .*shaol"):
        await ActionsBackend("shoal.yml", ["shaol"]).start(LAUNCH, where)
    assert home.mona.get(f"/repos/{REPOSITORY}/actions/runs")["total_count"] == 0


async def test_the_first_try_of_all_neither_looks_for_its_run_nor_counts_the_runners_again(
    home: Home, where: RepositoryClient
) -> None:
    """Nobody can have dispatched it, and they were counted a moment ago: the dispatch is the only request by REST."""
    _commit(home, workflow(WANTED))
    backend = ActionsBackend("shoal.yml", ["shoal"])
    assert await backend.count_runners(where) == Runners(online=1, idle=1)
    before = len(home.hub.requests(path_part=_ACTIONS))
    started = await backend.start(LAUNCH, where, again=False)
    asked = home.hub.requests(path_part=_ACTIONS)[before:]
    assert [(one["method"], one["path"].rpartition("/")[2]) for one in asked] == [("POST", "dispatches")]
    assert home.mona.get(f"/repos/{REPOSITORY}/actions/runs")["workflow_runs"][0]["id"] == started.pid


async def test_runners_are_remembered_for_half_a_minute_and_only_those_that_fit(home: Home, where: RepositoryClient) -> None:
    """Other labels, or later: they are read again, so that a refusal is never by old news."""
    _commit(home, workflow(WANTED))
    now = [0.0]
    backend = ActionsBackend("shoal.yml", ["shoal"], clock=lambda: now[0])

    async def reads(attempt: str, *labels: str) -> int:
        before = len(home.hub.requests("GET", f"{_ACTIONS}/runners"))
        await backend.start(LAUNCH.model_copy(update={"attempt_id": attempt}), where, labels, again=False)
        return len(home.hub.requests("GET", f"{_ACTIONS}/runners")) - before

    assert [await reads("1-5-1-1"), await reads("1-6-1-1")] == [1, 0]
    home.hub.runner(REPOSITORY, "crane", "gpu", environment={})
    assert [await reads("1-7-1-1", "gpu"), await reads("1-8-1-1")] == [1, 0]
    now[0] = 31
    assert await reads("1-9-1-1") == 1


async def test_a_dispatch_answered_with_502_after_it_took_effect_is_found(home: Home, where: RepositoryClient) -> None:
    """The next try finds the run by its name instead of starting another."""
    _commit(home, workflow(WANTED))
    home.hub.fault("/dispatches$", 502, method="POST", after_effect=True)
    with pytest.raises(TransientError):
        await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)
    started = await ActionsBackend("shoal.yml", ["shoal"]).start(LAUNCH, where)
    runs = home.mona.get(f"/repos/{REPOSITORY}/actions/runs")["workflow_runs"]
    assert [run["id"] for run in runs] == [started.pid]
