"""Sets the stage: repository, people, issues and App in the embedded GitHub, by its control door and its REST API."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from app.demo import sample
from app.demo.identity import MAINTAINER, NAME, OWNER, Identity
from app.github.registration import EVENTS, PERMISSIONS
from shared.errors import FatalError

LABEL = "shoal"


def populate(folder: Path, project: Path, who: Identity) -> Identity:
    """Everything that is there before a maintainer labels issues; returns what has to be remembered."""
    control(who, "POST", "/repositories", {"owner": OWNER, "name": NAME, "folder": str(project), "private": True})
    token = control(who, "POST", "/people", {"login": MAINTAINER, "roles": {who.repository: "admin"}})["token"]
    _open_issues(who, token)
    app = control(who, "POST", "/apps", _registration(who))
    key = folder / "app.pem"
    key.touch(mode=0o600)
    key.write_text(app["private_key_pem"], encoding="utf-8")
    control(who, "POST", f"/apps/{LABEL}/installations", {"repositories": [who.repository]})
    return who.model_copy(update={"app_id": str(app["id"]), "maintainer_token": token})


def move_app(who: Identity) -> None:
    """Tells the embedded GitHub where the app listens now."""
    control(who, "PATCH", f"/apps/{LABEL}", {"webhook_url": f"{who.app_url}/webhook"})


def call(method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Over loopback: no proxy, no certificates (loading them takes longer than the call)."""
    return httpx.request(method, url, json=body, headers=dict(headers or {}), timeout=30, trust_env=False, verify=False)  # noqa: S501


def ask(method: str, url: str, body: object, headers: Mapping[str, str]) -> Any:
    """One call; a refusal ends the rehearsal with what was said."""
    answer = call(method, url, body, headers)
    if answer.is_error:
        raise FatalError(f"{method} {url} was answered with {answer.status_code}: {answer.text[:300]}")
    return answer.json() if answer.content else None


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def _open_issues(who: Identity, maintainer_token: str) -> None:
    api = f"{who.hub_url}/api/v3/repos/{who.repository}"
    maintainer = bearer(maintainer_token)
    authors = {
        login: control(who, "POST", "/people", {"login": login, "roles": {who.repository: "read"}})["token"]
        for login in sorted({issue.author for issue in sample.issues()})
    }
    for name in sorted({LABEL, *(label for issue in sample.issues() for label in issue.labels)}):
        ask("POST", f"{api}/labels", {"name": name}, maintainer)
    for issue in sample.issues():
        opened = ask("POST", f"{api}/issues", {"title": issue.title, "body": issue.body}, bearer(authors[issue.author]))
        ask("POST", f"{api}/issues/{opened['number']}/labels", {"labels": list(issue.labels)}, maintainer)


def _registration(who: Identity) -> dict[str, object]:
    return {
        "slug": LABEL,
        "name": "Shoal",
        "webhook_url": f"{who.app_url}/webhook",
        "webhook_secret": who.webhook_secret,
        "permissions": PERMISSIONS,
        "events": EVENTS,
    }


def control(who: Identity, method: str, path: str, body: object) -> Any:
    """What no REST API has: the embedded GitHub's own door."""
    return ask(method, f"{who.hub_url}/_localhub{path}", body, {})
