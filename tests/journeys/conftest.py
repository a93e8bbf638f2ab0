"""One small world for all short journeys of a file: each brings its own issues to it."""

from collections.abc import Generator, Iterator

import pytest

from tests.support.journeys import Harbour, running_harbour


@pytest.fixture(scope="module")
def _harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    with running_harbour(tmp_path_factory.mktemp("harbour")) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What failed comes with the app's own last words: on somebody else's machine there is nothing else to go by."""
    report = yield
    world = next((value.world for value in getattr(item, "funcargs", {}).values() if isinstance(value, Harbour)), None)
    if report.failed and world is not None:
        words = (world.folder / "app.log").read_text(encoding="utf-8", errors="replace").splitlines()
        report.sections.append(("app.log", "\n".join(words[-40:])))
    return report


@pytest.fixture
def harbour(_harbour: Harbour) -> Harbour:
    """The world with its app running and webhooks going out in order."""
    _harbour.hub.webhooks("in_order")
    if _harbour.world.app is None:
        _harbour.world.start_app()
    return _harbour
