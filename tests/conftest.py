"""Fixtures that more than one part's tests use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.localhub import Hub, emptied, running_localhub
from tests.support.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def localhub_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One embedded GitHub for all tests of a worker; ask for `hub`."""
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of a worker; each makes a database of its own."""
    with running_postgres() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shoal.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


_TOGETHER = ("tests/journeys/", "tests/commands/test_bench.py")


class _FilesTogether(LoadScopeScheduling):
    """A file of journeys shares a world, so one worker gets it whole; most tests go where there is room.

    (xdist's own `loadgroup` does nothing with pytest 9.2: it writes to an attribute that is no longer read.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::", maxsplit=1)[0] if nodeid.startswith(_TOGETHER) else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _FilesTogether:
    """Asked by xdist at the start of a distributed run."""
    return _FilesTogether(config, log)


@pytest.fixture
def hub(localhub_process: Hub) -> Iterator[Hub]:
    """An empty embedded GitHub; who wants to kill its process starts one with `running_localhub`."""
    with emptied(localhub_process) as empty:
        yield empty
