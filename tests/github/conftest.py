"""Our client on the embedded GitHub: a repository, its maintainer, the App installed on it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.github.client import GitHubApp
from app.github.repository import RepositoryClient
from app.github.usage import Meter
from app.settings import load
from tests.support.localhub import App, Hub, Person

FAST: dict[str, Any] = {"github_writes_per_second": 1000, "github_content_per_minute": 10_000, "github_content_per_hour": 100_000}
REPOSITORY = "acme/widgets"


@dataclass(frozen=True)
class Home:
    """`acme/widgets` with one commit, `sha`."""

    hub: Hub
    app: App
    mona: Person
    id: int
    sha: str
    installation: int

    def open_app(self, meter: Meter | None = None, **settings: Any) -> AbstractAsyncContextManager[GitHubApp]:
        ours = {"app_id": str(self.app.id), "private_key": self.app.private_key_pem}
        return open_app(self.hub.api_url, meter, **{**ours, **settings})


def open_app(api_url: str, meter: Meter | None = None, **settings: Any) -> AbstractAsyncContextManager[GitHubApp]:
    """The App's client, as unhurried by limits as localhub is."""
    given = {"webhook_secret": "not used here", "agent_command": "agent", "github_api_url": api_url, **FAST, **settings}
    return GitHubApp(load(**given), clock=lambda: datetime.now(UTC), meter=meter)


@pytest.fixture
def home(hub: Hub, tmp_path: Path) -> Home:
    folder = tmp_path / "widgets"
    (folder / "docs").mkdir(parents=True)
    (folder / "README.md").write_text("# Widgets\n")
    (folder / "docs" / "grün.bin").write_bytes(b"\x00\xff")
    repository = hub.repository(REPOSITORY, folder, private=True)
    app = hub.app("shoal-app")
    mona = hub.person("mona", {REPOSITORY: "maintain"})
    return Home(hub, app, mona, repository["id"], repository["sha"], hub.install(app, REPOSITORY))


@pytest_asyncio.fixture
async def github(home: Home) -> AsyncIterator[GitHubApp]:
    async with home.open_app() as github:
        yield github


@pytest.fixture
def client(home: Home, github: GitHubApp) -> RepositoryClient:
    return github.repository(REPOSITORY, home.id, home.installation)
