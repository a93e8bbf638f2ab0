"""One small world for all short journeys of a file: each brings its own issues to it."""

from collections.abc import Iterator

import pytest

from tests.support.journeys import Harbour, running_harbour


@pytest.fixture(scope="module")
def _harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    with running_harbour(tmp_path_factory.mktemp("harbour")) as running:
        yield running


@pytest.fixture
def harbour(_harbour: Harbour) -> Harbour:
    """The world with its app running and webhooks going out in order."""
    _harbour.hub.webhooks("in_order")
    if _harbour.world.app is None:
        _harbour.world.start_app()
    return _harbour
