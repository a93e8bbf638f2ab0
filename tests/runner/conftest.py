"""One localhub for all stories of a test process; every story has a repository of its own."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runner.stage import Stage
from tests.support.localhub import App, Hub, running_localhub

MakeStage = Callable[..., Stage]
_counter = itertools.count(1)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


@pytest.fixture(scope="session")
def github_app(hub: Hub) -> App:
    return hub.app()


@pytest.fixture
def make_stage(tmp_path: Path, hub: Hub, github_app: App) -> Iterator[MakeStage]:
    """What a story made of GitHub ends with it: the next one finds all mutations, and no faults."""

    def make(**more: Any) -> Stage:
        return Stage(tmp_path / "stage", hub, github_app, f"acme/words{next(_counter)}", **more)

    yield make
    hub.set_graphql()
    hub.clear_faults()
