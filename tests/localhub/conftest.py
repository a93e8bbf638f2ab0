"""A small project on the embedded GitHub, with a maintainer and an App."""

from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.localhub import App, Hub, Person, app_jwt


@dataclass(frozen=True)
class Project:
    """`acme/widgets` and those who work on it."""

    hub: Hub
    name: str
    maintainer: Person
    app: App
    installation_id: int

    @property
    def path(self) -> str:
        return f"/repos/{self.name}"

    def jwt_client(self) -> httpx.Client:
        """The API as the App itself."""
        return self.hub.client(f"Bearer {app_jwt(self.app)}")

    def token(self, **narrowing: object) -> str:
        """A fresh installation token."""
        return self.hub.app_token(self.app, self.installation_id, **narrowing)

    def app_client(self, **narrowing: object) -> httpx.Client:
        """The API as the App's installation."""
        return self.hub.client(f"Bearer {self.token(**narrowing)}")


@pytest.fixture
def project(hub: Hub, tmp_path: Path) -> Project:
    folder = tmp_path / "widgets"
    folder.mkdir()
    (folder / "README.md").write_text("# Widgets\n")
    (folder / "widgets.py").write_text("def size() -> int:\n    return 1\n")
    hub.repository("acme/widgets", folder)
    maintainer = hub.person("mona", {"acme/widgets": "maintain"})
    hub.webhooks("hold")
    app = hub.app("shoal-app", webhook_url=f"{hub.url}/nobody-listens")
    return Project(hub, "acme/widgets", maintainer, app, hub.install(app, "acme/widgets"))
