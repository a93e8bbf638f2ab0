"""The rehearsal's processes: they come back where they were, and none is left behind."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from app.demo import sample
from app.demo.rehearsal import opened, watch
from app.demo.stage import LABEL
from app.demo.world import Ways, World, clear, start_world
from shared.errors import FatalError, UserError
from tests.support.contract import problems_of_file

_QUICK = Ways(slots=4, think_seconds=0.5)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Set up, nothing labelled yet."""
    recording = tmp_path / "exchanges.jsonl"
    with opened(tmp_path / "demo", replace(_QUICK, record=recording), lambda _: None) as started:
        yield started
    assert problems_of_file(recording) == [], "not what GitHub's description says"


def _works_in(folder: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline", "cwd"]) if str(folder) in str(process.info)]


def test_an_app_that_was_killed_comes_back_at_its_place(world: World) -> None:
    """Same port, same database: GitHub's webhooks and the runners find it again."""
    world.kill_app()
    assert world.status() is None

    world.start_app()

    status = world.status()
    assert status is not None
    assert status.orchestrations == ()


def test_the_issues_are_as_people_wrote_them(world: World) -> None:
    """Numbered in their order, by their own authors, and not one labelled for work yet."""
    found = world.github("GET", "/issues?state=open&sort=created&direction=asc")

    written = [(number, issue.title, issue.author) for number, issue in enumerate(sample.issues(), start=1)]
    assert sorted((one["number"], one["title"], one["user"]["login"]) for one in found) == written
    assert not [one for one in found if LABEL in {label["name"] for label in one["labels"]}]


def test_a_process_that_dies_is_named_with_its_log(world: World) -> None:
    """Nobody waits for a dead GitHub."""
    assert world.hub is not None
    world.hub.process.kill()
    world.hub.process.wait()

    with pytest.raises(FatalError, match=r"localhub ended with -9.*localhub\.log"):
        watch(world, lambda _: None, limit_seconds=10)


def test_the_end_leaves_no_process_behind(tmp_path: Path) -> None:
    """Not even the runners of an app that was killed in the middle of its work."""
    folder = tmp_path / "demo"
    with opened(folder, _QUICK, lambda _: None) as world:
        assert world.label_all() == (1, 2, 3, 4, 5, 6, 7, 8)
        _until_something_runs(world)
        world.kill_app()

    assert _works_in(folder) == []
    with pytest.raises(httpx.TransportError):
        httpx.get(world.identity.hub_url)


def test_one_rehearsal_per_folder(world: World) -> None:
    """A second one says what to do, and leaves the first alone."""
    with pytest.raises(UserError, match="Another rehearsal runs in"):
        start_world(world.folder, _QUICK)

    assert world.status() is not None


def test_only_a_rehearsals_folder_is_cleared(tmp_path: Path) -> None:
    """`--fresh` with a wrong `--dir` must not cost anybody a file."""
    (tmp_path / "thesis.txt").write_text("three years of work")

    with pytest.raises(UserError, match="not a rehearsal"):
        clear(tmp_path)

    assert (tmp_path / "thesis.txt").exists()


def _until_something_runs(world: World) -> None:
    running = False
    while not running:
        status = world.status()
        running = status is not None and any(task.status == "running" for one in status.orchestrations for task in one.tasks)
