"""What lost messages left on GitHub: found by the sweep, mended where that is safe, and told in numbers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.localhub import App, Hub, Json, app_jwt, running_localhub
from tests.support.workshop import Workshop, open_workshop, until

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


async def test_lost_deliveries_are_asked_for_once(tmp_path: Path, hub: Hub) -> None:
    """A label whose webhook was lost is worked on by the redelivery; one that is lost again is found by looking at the issues."""
    async with open_workshop(tmp_path, hub, sweep_seconds=3) as workshop:
        hub.webhooks("drop")
        issue = workshop.issue("Add a file")
        workshop.label(issue)
        [task] = await workshop.ended(issue)
        assert task.verdict is not None
        assert task.verdict.name == "succeeded"

        async def asked_again() -> bool:
            return (await workshop.reconciled()).get("delivery", 0) >= 1

        await until(asked_again)
        hub.webhooks("in_order")
        await asyncio.sleep(7)
        by_guid: dict[str, list[Json]] = {}
        for row in hub.deliveries():
            by_guid.setdefault(row["guid"], []).append(row)
        assert max(len(rows) for rows in by_guid.values()) == 2
        assert all(rows[1]["redelivery"] for rows in by_guid.values() if len(rows) == 2)
        assert (await workshop.reconciled())["label"] == 1
        assert len(workshop.pulls(issue)) == 1


async def test_what_is_open_and_belongs_to_nobody_is_found(tmp_path: Path, hub: Hub) -> None:
    """A check that stayed in progress is concluded, a stray branch and pull request are told of and left as they are."""
    async with open_workshop(tmp_path, hub) as workshop:
        api = _as_the_app(workshop, hub)
        sha = hub.commit(workshop.full_name, "shoal/98-lost", {"lost.txt": "x"}, login=workshop.maintainer.login)
        hub.commit(workshop.full_name, "shoal/97-stray", {"stray.txt": "x"}, login=workshop.maintainer.login)
        root = f"/repos/{workshop.full_name}"
        wanted = {"title": "Lost", "head": "shoal/98-lost", "base": "main", "body": ""}
        assert api.post(f"{root}/pulls", json=wanted).status_code == 201
        check = {"name": "Shoal", "head_sha": sha, "status": "in_progress", "external_id": "1-9:98"}
        assert api.post(f"{root}/check-runs", json=check).status_code == 201
        issue = workshop.issue("Add a file")
        workshop.label(issue)
        await workshop.ended(issue)
        await workshop.app.sweep.once()

        async def concluded() -> bool:
            return all(one["status"] == "completed" for one in workshop.checks(sha))

        await until(concluded)
        assert [one["conclusion"] for one in workshop.checks(sha)] == ["neutral"]
        await workshop.app.sweep.once()
        found = await workshop.reconciled()
        assert (found["check"], found["branch"], found["pull_request"]) == (1, 1, 1)
        assert {"shoal/98-lost", "shoal/97-stray"} <= {branch["name"] for branch in workshop.get("/branches", per_page=100)}


def _as_the_app(workshop: Workshop, hub: Hub) -> httpx.Client:
    """By a token of its own installation, as a former life of it would have had."""
    key = workshop.settings.key()
    app = App(int(workshop.settings.app_id), workshop.settings.app_id, "", key, 0, "")
    as_app = hub.client(f"Bearer {app_jwt(app)}")
    [installation] = as_app.get("/app/installations").json()
    answer = as_app.post(f"/app/installations/{installation['id']}/access_tokens")
    return hub.client(f"token {answer.json()['token']}")
