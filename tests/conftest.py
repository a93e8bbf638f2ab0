"""Fixtures that more than one part's tests use."""

from collections.abc import Iterator

import pytest

from tests.support.localhub import Hub, emptied, running_localhub


@pytest.fixture(scope="session")
def localhub_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One embedded GitHub for all tests of a worker; ask for `hub`."""
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


@pytest.fixture
def hub(localhub_process: Hub) -> Iterator[Hub]:
    """An empty embedded GitHub; who wants to kill its process starts one with `running_localhub`."""
    with emptied(localhub_process) as empty:
        yield empty
