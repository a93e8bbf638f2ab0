"""Webhooks arrive as GitHub sends them: signed, in order, once; or late, twice, reordered or not at all when a test asks."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.localhub.conftest import Project
from tests.support.localhub import App, Hub, Person
from tests.support.receiver import Receiver, running_receiver

_SECRET = "It's a Secret to Everybody"


@dataclass(frozen=True)
class Listening:
    """A repository whose App listens."""

    hub: Hub
    receiver: Receiver
    maintainer: Person
    app: App

    def arrived(self, count: int) -> list[str]:
        """What the first `count` posted webhooks were, once they are there."""
        self.hub.wait_for(lambda: len(self.receiver.posted) >= count)
        return [_name(json.loads(posted.body), posted.headers["x-github-event"]) for posted in self.receiver.posted]


def _name(payload: dict[str, object], event: str) -> str:
    return f"{event}.{payload['action']}" if "action" in payload else event


@pytest.fixture
def listening(hub: Hub, tmp_path: Path) -> Iterator[Listening]:
    folder = tmp_path / "widgets"
    folder.mkdir()
    (folder / "README.md").write_text("# Widgets\n")
    hub.repository("acme/widgets", folder)
    with running_receiver() as receiver:
        app = hub.app(webhook_url=receiver.url, webhook_secret=_SECRET)
        hub.install(app, "acme/widgets")
        yield Listening(hub, receiver, hub.person("mona", {"acme/widgets": "write"}), app)


def test_a_webhook_is_signed_and_says_who_and_where(listening: Listening) -> None:
    """GitHub's headers, HMAC over the raw bytes, installation, sender, repository and the label itself."""
    listening.maintainer.open_issue("acme/widgets", "One", labels=["shoal"])
    assert listening.arrived(2) == ["issues.opened", "issues.labeled"]
    posted = listening.receiver.posted[1]
    expected = "sha256=" + hmac.new(_SECRET.encode(), posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["x-hub-signature-256"] == expected
    assert posted.headers["user-agent"].startswith("GitHub-Hookshot/")
    assert posted.headers["x-github-hook-installation-target-type"] == "integration"
    assert len(posted.headers["x-github-delivery"]) == 36
    payload = json.loads(posted.body)
    assert (payload["label"]["name"], payload["sender"]["login"], payload["repository"]["full_name"]) == (
        "shoal",
        "mona",
        "acme/widgets",
    )
    assert payload["installation"]["id"] > 0


def test_a_push_moves_the_pull_request_and_a_merge_closes_the_issue(listening: Listening) -> None:
    """push, then synchronize with before and after; at the merge, closed with `merged`, and the issue named in the body."""
    hub, mona = listening.hub, listening.maintainer
    mona.open_issue("acme/widgets", "One")
    before = hub.commit("acme/widgets", "work", {"a.txt": "1\n"}, login="mona")
    mona.open_pull("acme/widgets", "work", body="Closes #1")
    after = hub.commit("acme/widgets", "work", {"a.txt": "2\n"}, login="mona")
    mona.merge("acme/widgets", 2)
    assert listening.arrived(8) == [
        "issues.opened",
        "push",
        "pull_request.opened",
        "push",
        "pull_request.synchronize",
        "push",
        "pull_request.closed",
        "issues.closed",
    ]
    payloads = [json.loads(posted.body) for posted in listening.receiver.posted]
    assert (payloads[4]["before"], payloads[4]["after"], payloads[4]["pull_request"]["head"]["sha"]) == (before, after, after)
    assert payloads[5]["ref"] == "refs/heads/main"
    assert payloads[3]["commits"][0]["modified"] == ["a.txt"]
    assert payloads[6]["pull_request"]["merged"] is True


def test_held_webhooks_come_late_reordered_and_twice(listening: Listening) -> None:
    """Held until released, in the order of the release; the same delivery again keeps its id."""
    listening.hub.webhooks("hold")
    listening.maintainer.open_issue("acme/widgets", "One", labels=["shoal"])
    opened, labelled = (row["id"] for row in listening.hub.deliveries())
    listening.hub.release(labelled, opened, labelled)
    assert listening.arrived(3) == ["issues.labeled", "issues.opened", "issues.labeled"]
    first, _, again = (posted.headers["x-github-delivery"] for posted in listening.receiver.posted)
    assert first == again


def test_dropped_webhooks_never_come_and_copies_come_twice(listening: Listening) -> None:
    """What is dropped is listed as such; `copies` sends every later one again."""
    listening.hub.webhooks("drop")
    listening.maintainer.open_issue("acme/widgets", "Lost")
    listening.hub.webhooks("in_order", copies=2)
    listening.maintainer.open_issue("acme/widgets", "Twice")
    assert listening.arrived(2) == ["issues.opened", "issues.opened"]
    assert [json.loads(posted.body)["issue"]["title"] for posted in listening.receiver.posted] == ["Twice", "Twice"]
    assert listening.hub.deliveries()[0]["status"] == "dropped"


def test_a_failed_delivery_is_not_tried_again(listening: Listening) -> None:
    """As GitHub: one attempt, its status kept, and the next one goes on."""
    listening.receiver.status = 500
    listening.maintainer.open_issue("acme/widgets", "One")
    listening.arrived(1)
    listening.receiver.status = 202
    listening.maintainer.open_issue("acme/widgets", "Two")
    listening.arrived(2)
    found = listening.hub.wait_for(lambda: [row for row in listening.hub.deliveries() if row["status"] != "pending"][1:] or None)
    assert found[0]["status"] == "delivered"
    assert [(row["status_code"], row["attempts"]) for row in listening.hub.deliveries()] == [(500, 1), (202, 1)]


def test_only_the_owner_of_a_check_run_hears_of_it(listening: Listening) -> None:
    """Re-run and buttons reach the App that made the run, with the identifier and who pressed."""
    hub = listening.hub
    other = hub.app("other", webhook_url=listening.receiver.url)
    installation = hub.install(other, "acme/widgets")
    token = hub.app_token(other, installation)
    sha = listening.maintainer.get("/repos/acme/widgets/branches/main")["commit"]["sha"]
    button = {"label": "Retry failed", "description": "Runs them again", "identifier": "retry"}
    made = hub.client(f"Bearer {token}").post(
        "/repos/acme/widgets/check-runs", json={"name": "Other", "head_sha": sha, "actions": [button], "external_id": "o:1"}
    )
    hub.press(made.json()["id"], "mona", "retry")
    hub.press(made.json()["id"], "mona")
    assert listening.arrived(3) == ["check_run.created", "check_run.requested_action", "check_run.rerequested"]
    pressed = json.loads(listening.receiver.posted[1].body)
    assert (pressed["requested_action"], pressed["sender"]["login"]) == ({"identifier": "retry"}, "mona")
    assert {row["app_id"] for row in hub.deliveries("check_run")} == {other.id}


def test_the_app_reads_what_was_lost_and_asks_for_it_again(project: Project) -> None:
    """Its log is newest first and in pages; another attempt has the same GUID and fares as all that are new."""
    project.hub.webhooks("drop")
    for number in range(3):
        project.maintainer.open_issue(project.name, f"Lost {number}")
    api = project.jwt_client()
    first = api.get("/app/hook/deliveries", params={"per_page": 2})
    rest = api.get(first.links["next"]["url"])
    seen = [*first.json(), *rest.json()]
    assert [one["event"] for one in seen] == ["issues"] * 3
    assert [one["id"] for one in seen] == sorted((one["id"] for one in seen), reverse=True)
    assert {one["status"] for one in seen} == {"failed to connect to host"}
    lost = seen[-1]
    assert api.post(f"/app/hook/deliveries/{lost['id']}/attempts").status_code == 202
    newest = api.get("/app/hook/deliveries").json()[0]
    assert (newest["guid"], newest["redelivery"], newest["id"] != lost["id"]) == (lost["guid"], True, True)
