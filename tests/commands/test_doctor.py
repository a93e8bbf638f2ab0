"""Stories about `shoal doctor`: the real program, on this machine and the embedded GitHub."""

import json
import os
import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.commands import init
from app.held_work import HeldFolder
from shared.process import environment
from tests.support.localhub import ALL_PERMISSIONS, Hub

WITHOUT = {name: level for name, level in ALL_PERMISSIONS.items() if name != "organization_self_hosted_runners"}


@pytest.fixture
def settings(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """A deployment in which everything is well; port 0 is always free."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "README.md").write_text("# Widgets\n")
    (tmp_path / "patches").mkdir()
    hub.repository("acme/widgets", tmp_path / "repository", private=True)
    hub.guard("acme/widgets", "pull_request")
    maintainer = hub.person("mona", {"acme/widgets": "maintain"})
    maintainer.ask("POST", "/repos/acme/widgets/labels", {"name": "shoal"})
    app = hub.app("shoal-app", webhook_url="http://127.0.0.1:0/webhook", webhook_secret="s" * 20)
    hub.install(app, "acme/widgets")
    (tmp_path / "app.pem").write_text(app.private_key_pem)
    (tmp_path / "app.pem").chmod(0o600)
    return {
        "SHOAL_WEBHOOK_SECRET": "s" * 20,
        "SHOAL_APP_ID": str(app.id),
        "SHOAL_PRIVATE_KEY_PATH": str(tmp_path / "app.pem"),
        "SHOAL_GITHUB_URL": hub.url,
        "SHOAL_WORK_DIR": str(tmp_path / "work"),
        "SHOAL_PORT": "0",
        "SHOAL_AGENT": "patch",
        "SHOAL_AGENT_FOLDER": str(tmp_path / "patches"),
        "SHOAL_ISOLATION": "none",
        "SHOAL_TASK_MEMORY_MIB": "1",
        "SHOAL_MEMORY_RESERVE_MIB": "0",
    }


def doctor(folder: Path, settings: dict[str, str]) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Exit status and findings by name."""
    argv = [sys.executable, "-I", "-m", "app", "doctor", "--json"]
    ended = subprocess.run(argv, cwd=folder, env=environment(settings), capture_output=True, text=True)
    assert ended.stdout, ended.stderr
    document = json.loads(ended.stdout)
    assert document["ok"] == (ended.returncode == 0)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in document["findings"]:
        assert bool(finding["fix"]) == (not finding["ok"] or finding["warning"]), finding
        found.setdefault(finding["name"], []).append(finding)
    return ended.returncode, found


def test_a_sound_deployment_is_well(tmp_path: Path, settings: dict[str, str]) -> None:
    """Exit 0, and nothing was made on the way: no database, no folder."""
    status, found = doctor(tmp_path, settings)
    assert (status, [f for group in found.values() for f in group if f["fix"]]) == (0, [])
    assert {"python", "git", "bubblewrap", "work folder", "database", "port", "private key", "agent", "clock", "github"} <= set(
        found
    )
    assert {"permissions", "webhook", "deliveries", "label"} <= set(found)
    assert not (tmp_path / "work").exists()


def test_without_settings_each_missing_one_is_named_and_the_machine_is_still_looked_at(tmp_path: Path) -> None:
    """Exit 1 with a fix per variable; git and bubblewrap were tried all the same."""
    status, found = doctor(tmp_path, {"SHOAL_SLOTZ": "4"})
    assert status == 1
    details = [finding["detail"] for finding in found["settings"]]
    assert "SHOAL_WEBHOOK_SECRET is missing" in details
    assert "SHOAL_APP_ID is missing" in details
    assert "SHOAL_SLOTZ is not a setting; did you mean SHOAL_SLOTS?" in details
    assert found["git"][0]["ok"]
    assert found["bubblewrap"]


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path, settings: dict[str, str]) -> None:
    """A busy port, a broken key, a missing agent and too little memory: four findings in one run, and no key in them."""
    (tmp_path / "app.pem").write_text("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wrong = {
            "SHOAL_PORT": str(taken.getsockname()[1]),
            "SHOAL_AGENT": "command",
            "SHOAL_AGENT_COMMAND": "no-such-agent --now",
            "SHOAL_TASK_MEMORY_MIB": "99999999",
        }
        status, found = doctor(tmp_path, {**settings, **wrong})
    assert status == 1
    assert {name for name, group in found.items() if not group[0]["ok"]} == {"port", "private key", "agent", "memory", "github"}
    assert "SHOAL_PORT" in found["port"][0]["fix"]
    assert "no-such-agent" in found["agent"][0]["detail"]
    assert "nonsense" not in json.dumps(found)


def test_a_missing_permission_and_event_are_named_for_app_and_installation(
    tmp_path: Path, hub: Hub, settings: dict[str, str]
) -> None:
    """`contents: read` where write is needed is not enough, and an App without webhooks for pushes misses them."""
    weak = hub.app("weak-app", permissions={"contents": "read", "metadata": "read", "issues": "write"}, events=["issues"])
    hub.install(weak, "acme/widgets")
    (tmp_path / "app.pem").write_text(weak.private_key_pem)
    _, found = doctor(tmp_path, {**settings, "SHOAL_APP_ID": str(weak.id)})
    assert [finding["ok"] for finding in found["permissions"]] == [False, False]
    assert "`checks: write`, `contents: write`, `pull_requests: write`" in found["permissions"][0]["detail"]
    assert "`issues: write`" not in found["permissions"][0]["detail"]
    assert "`push`" in found["events"][0]["detail"]


def test_an_app_that_is_installed_nowhere_or_unknown_is_said(tmp_path: Path, hub: Hub, settings: dict[str, str]) -> None:
    """Both are typical first-day mistakes."""
    lonely = hub.app("lonely-app")
    (tmp_path / "app.pem").write_text(lonely.private_key_pem)
    _, found = doctor(tmp_path, {**settings, "SHOAL_APP_ID": str(lonely.id)})
    assert found["installation"][0]["detail"] == "the App is installed nowhere"
    _, found = doctor(tmp_path, {**settings, "SHOAL_APP_ID": "31337"})
    assert "SHOAL_APP_ID" in found["github"][0]["fix"]


def test_a_wrong_clock_is_named_before_anything_else_is_suspected(tmp_path: Path, hub: Hub, settings: dict[str, str]) -> None:
    """GitHub refuses the App's proof of itself; the finding says why, and by how much."""
    hub.set_clock(-600)
    _, found = doctor(tmp_path, settings)
    assert "ahead of GitHub's" in found["clock"][0]["detail"]
    assert found["github"][0]["fix"] == "check this machine's clock first"


def test_a_suspended_installation_is_named(tmp_path: Path, hub: Hub, settings: dict[str, str]) -> None:
    """With the account that did it; its repositories are not asked for."""
    (installation,) = hub.ask("GET", "/installations")["ids"]
    hub.suspend(installation)
    _, found = doctor(tmp_path, settings)
    assert (found["installation"][0]["detail"], "label" in found) == ("acme suspended the App", False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"webhook_url": ""}, "sends none"),
        ({"webhook_url": "https://old.example.com/webhook"}, "goes to https://old.example.com/webhook, this app is at"),
        ({"webhook_secret": ""}, "is not signed"),
    ],
)
def test_a_webhook_that_cannot_arrive_is_named(
    tmp_path: Path, hub: Hub, settings: dict[str, str], change: dict[str, str], words: str
) -> None:
    """As GitHub has it configured."""
    hub.change_app("shoal-app", **change)
    _, found = doctor(tmp_path, settings)
    assert words in found["webhook"][0]["detail"]


def test_failing_deliveries_are_told_with_their_reason(tmp_path: Path, hub: Hub, settings: dict[str, str]) -> None:
    """Nobody listens at that address: the newest delivery has no answer."""
    hub.person("ada", {"acme/widgets": "write"}).open_issue("acme/widgets", "Hello")
    hub.wait_for(lambda: [row for row in hub.deliveries() if row["status"] == "failed"])
    _, found = doctor(tmp_path, settings)
    [finding] = found["deliveries"]
    assert finding["detail"].startswith("1 of the latest 1 failed, the newest with: failed to connect")
    assert "firewall" in finding["fix"]


@pytest.mark.slow
def test_each_thing_that_a_repository_lacks_is_named(tmp_path: Path, hub: Hub, settings: dict[str, str]) -> None:
    """A public one without label, ruleset, workflow and runners; what only deserves a warning does not fail the doctor."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "README.md").write_text("# Bare\n")
    hub.repository("other/bare", tmp_path / "bare")
    hub.person("ada", {"other/bare": "maintain"})
    app = hub.app("other-app", webhook_url="http://127.0.0.1:0/webhook", webhook_secret="s" * 20)
    hub.install(app, "other/bare")
    (tmp_path / "app.pem").write_text(app.private_key_pem)
    theirs = {**settings, "SHOAL_APP_ID": str(app.id)}
    actions = {**theirs, "SHOAL_BACKEND": "actions", "SHOAL_PUBLIC_URL": "http://127.0.0.1:0"}

    _, found = doctor(tmp_path, actions)
    assert found["label"][0]["detail"] == "other/bare has no label `shoal`"
    assert (found["ruleset"][0]["ok"], found["ruleset"][0]["warning"]) == (True, True)
    assert "other/bare is public" in found["visibility"][0]["detail"]
    assert "has no .github/workflows/shoal.yml" in found["workflow"][0]["detail"]
    assert "no runner has self-hosted; there are: none" in found["runners"][0]["detail"]

    hub.commit("other/bare", "main", {".github/workflows/shoal.yml": workflow("https://old.example.com", "linux")}, login="ada")
    hub.runner("other/bare", "one", environment={}, online=False)
    _, found = doctor(tmp_path, actions)
    detail = found["workflow"][0]["detail"]
    assert "`app-url` is https://old.example.com, this app is at http://127.0.0.1:0" in detail
    assert "it runs on linux, SHOAL_RUNNER_LABELS says self-hosted" in detail
    assert "no runner with self-hosted is online (one)" in found["runners"][0]["detail"]

    hub.commit("other/bare", "main", {".github/workflows/shoal.yml": workflow("http://127.0.0.1:0", "self-hosted")}, login="ada")
    hub.runner("other/bare", "one", environment={})
    _, found = doctor(tmp_path, actions)
    assert (found["workflow"][0]["ok"], found["runners"][0]["ok"]) == (True, True)

    hub.commit("other/bare", "main", {".github/shoal.yml": "runner_labels: [self-hosted, gpu]\n"}, login="ada")
    _, found = doctor(tmp_path, actions)
    said = "`runner_labels` in .github/shoal.yml"
    assert f"it runs on self-hosted, {said} says gpu, self-hosted" in found["workflow"][0]["detail"]
    assert ("no runner has gpu, self-hosted" in found["runners"][0]["detail"], said in found["runners"][0]["fix"]) == (True, True)
    hub.commit("other/bare", "main", {".github/shoal.yml": "runner_label: gpu\n"}, login="ada")
    _, found = doctor(tmp_path, actions)
    assert "line 1: `runner_label` is not a setting; did you mean `runner_labels`?" in found["settings"][0]["detail"]

    hub.set_workflow("other/bare", "shoal.yml", is_active=False)
    _, found = doctor(tmp_path, actions)
    assert "is disabled manually" in found["workflow"][0]["detail"]


@pytest.mark.slow
def test_an_organisations_runners_are_seen_and_what_hides_them_is_no_failure(
    tmp_path: Path, hub: Hub, settings: dict[str, str]
) -> None:
    """An App from before that permission existed works on; where its own runners do not fit, both ways out are named."""
    place = "http://127.0.0.1:0"
    actions = {**settings, "SHOAL_BACKEND": "actions", "SHOAL_PUBLIC_URL": place}
    hub.webhooks("hold")  # nobody listens
    hub.commit("acme/widgets", "main", {".github/workflows/shoal.yml": workflow(place, "self-hosted")}, login="mona")
    hub.shared_runner("acme", "quay", environment={})
    status, found = doctor(tmp_path, actions)
    assert (status, found["runners"][0]["detail"]) == (0, "acme/widgets: 1 online with self-hosted, 0 busy")
    assert found["job identity"][0]["detail"] == f"{hub.url}/_services/token has 1 key"
    _, found = doctor(tmp_path, {**actions, "SHOAL_OIDC_ISSUER": f"{hub.url}/elsewhere"})
    assert (found["job identity"][0]["ok"], "SHOAL_OIDC_ISSUER" in found["job identity"][0]["fix"]) == (False, True)

    hub.fault("/orgs/acme/actions/runners$", 404)
    status, found = doctor(tmp_path, actions)
    [finding] = found["runners"]
    assert (status, finding["warning"]) == (0, True)
    assert "may not list its organisation's: jobs are dispatched unseen" in finding["detail"]
    assert "`organization_self_hosted_runners: read`" in finding["fix"]
    assert "SHOAL_RUNNERS_ON_DEMAND=true" in finding["fix"]

    older = hub.app("older-app", webhook_url=f"{place}/webhook", webhook_secret="s" * 20, permissions=WITHOUT)
    hub.install(older, "acme/widgets")
    (tmp_path / "app.pem").write_text(older.private_key_pem)
    hub.runner("acme/widgets", "own", environment={})
    status, found = doctor(tmp_path, {**actions, "SHOAL_APP_ID": str(older.id)})
    assert (status, [one["ok"] for one in found["permissions"]], found["runners"][0]["warning"]) == (0, [True, True], False)


def workflow(app_url: str, label: str) -> str:
    """What `shoal init` writes."""
    wanted = {"mode": "work", "action": "acme/shoal@main", "app_url": app_url, "runner_labels": label, "label": "shoal"}
    return init.workflow(wanted)


def test_a_key_that_others_can_read_and_a_stray_line_of_the_env_file_are_told(tmp_path: Path, settings: dict[str, str]) -> None:
    """The one is a warning, the other a mistake."""
    (tmp_path / "app.pem").chmod(0o644)
    (tmp_path / ".env").write_text("SHOAL_SLOTZ=3\n")
    status, found = doctor(tmp_path, settings)
    assert (status, found["private key"][0]["warning"], "chmod 600" in found["private key"][0]["fix"]) == (1, True, True)
    assert found["settings"][0]["detail"] == "SHOAL_SLOTZ is not a setting; did you mean SHOAL_SLOTS?"


def test_folders_that_cannot_be_made_are_named(tmp_path: Path, settings: dict[str, str]) -> None:
    """Before the first label gets lost: below a file there is no room for a database or a work folder."""
    _, found = doctor(tmp_path, {**settings, "SHOAL_WORK_DIR": f"{tmp_path}/app.pem/work"})
    assert not found["database"][0]["ok"]
    assert not found["work folder"][0]["ok"]
    assert "SHOAL_WORK_DIR" in found["work folder"][0]["fix"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path, settings: dict[str, str]) -> None:
    """SHOAL_DATABASE_URL on somebody's text file."""
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be read as one" * 100)
    _, found = doctor(tmp_path, {**settings, "SHOAL_DATABASE_URL": f"sqlite:///{tmp_path}/notes.txt"})
    assert "file is not a database" in found["database"][0]["detail"]


def test_held_work_is_counted_and_must_be_its_owners_alone(tmp_path: Path, settings: dict[str, str]) -> None:
    """How much waits and since when; a folder that others can read needs a person, and the command is named."""
    assert doctor(tmp_path, settings)[1]["held work"][0]["detail"] == "none"
    folder = HeldFolder(tmp_path / "work" / "held")
    for attempt in ("1-5-1-1", "1-6-1-1"):
        folder.take(attempt, "bundle", 0, b"work")
        folder.keep(attempt, "bundle", sha256(b"work").hexdigest())
    os.utime(folder.path / "1-6-1-1.bundle", (0, 0))
    status, found = doctor(tmp_path, settings)
    assert (status, found["held work"][0]["detail"]) == (
        0,
        "2 waiting to be published, 0.0 MiB, the oldest since 1970-01-01 00:00 UTC",
    )
    folder.path.chmod(0o755)
    status, found = doctor(tmp_path, settings)
    assert (status, found["held work"][0]["fix"]) == (1, f"chmod -R go-rwx {folder.path}")
