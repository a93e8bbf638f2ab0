"""Stories of the embedded GitHub's Actions: a dispatch becomes a run on a declared runner, told by webhooks, ended as a tree."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import psutil
import pytest

from tests.support.localhub import App, Failed, Hub, Person

HOME = "acme/widgets"
WORKFLOW = """
name: Work
run-name: Work ${{ inputs.attempt }}
on:
  workflow_dispatch:
    inputs:
      attempt: {required: true}
      mood: {default: calm}
permissions: {}
jobs:
  work:
    runs-on: [self-hosted, linux]
    permissions: {id-token: write, contents: read}
    steps:
      - id: step
        uses: acme/tool@main
        with: {attempt: "${{ inputs.attempt }}"}
      - if: always()
        shell: bash
        run: touch "$PLACE/always"
"""
TOOL = """
name: Tool
inputs: {attempt: {required: true}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {ATTEMPT: "${{ inputs.attempt }}", TOKEN: "${{ github.token }}"}
      run: |
        exec 2>&1
        echo "$ATTEMPT $RUNNER_NAME $GITHUB_REPOSITORY $GITHUB_RUN_ID" > "$PLACE/seen"
        git -c http.extraHeader="Authorization: Basic $(printf 'x:%s' "$TOKEN" | base64 -w0)" \\
          ls-remote "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" > "$PLACE/refs"
        curl -sS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \\
          "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=me" > "$PLACE/proof"
        if [ "$ATTEMPT" = slow ]; then sh -c 'sleep 77 & sleep 78' & exec sleep 79; fi
"""


@pytest.fixture
def mona(hub: Hub, tmp_path: Path) -> Person:
    """The owner of a repository with one workflow, whose action lives in another, public one."""
    for name, path, text in (("widgets", ".github/workflows/work.yml", WORKFLOW), ("tool", "action.yml", TOOL)):
        file = tmp_path / name / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        hub.repository(f"acme/{name}", tmp_path / name, private=name == "widgets")
    return hub.person("mona", {HOME: "admin", "acme/tool": "admin"})


@pytest.fixture
def app(hub: Hub, mona: Person) -> App:
    """Subscribed to what happens to runs, though nobody listens."""
    made = hub.app("shoal-app", webhook_url="http://127.0.0.1:9/")
    hub.install(made, HOME)
    return made


@pytest.fixture
def dispatch(mona: Person) -> Callable[[str], int]:
    """Starts a run and tells its id."""

    def start(attempt: str) -> int:
        body = {"ref": "main", "inputs": {"attempt": attempt}, "return_run_details": True}
        return int(mona.ask("POST", f"/repos/{HOME}/actions/workflows/work.yml/dispatches", body)["workflow_run_id"])

    return start


def run_of(mona: Person, run_id: int) -> Any:
    return mona.get(f"/repos/{HOME}/actions/runs/{run_id}")


@pytest.mark.slow
def test_a_dispatch_runs_on_the_runner_with_its_labels(
    hub: Hub, mona: Person, app: App, dispatch: Callable[[str], int], tmp_path: Path
) -> None:
    """It waits for one that may have it, has its inputs, the job's token and a proof of who it is, and every step is told."""
    run_id = dispatch("a1")
    hub.runner(HOME, "wrong", "windows", environment={})
    hub.runner(HOME, "old", "linux", environment={}, outdated=True)
    assert {one["name"]: one["status"] for one in mona.get(f"/repos/{HOME}/actions/runners")["runners"]} == {
        "wrong": "online",
        "old": "online",
    }
    assert (run_of(mona, run_id)["status"], run_of(mona, run_id)["display_title"]) == ("queued", "Work a1")
    hub.runner(HOME, "right", "linux", environment={"PLACE": str(tmp_path)})
    hub.wait_for(lambda: run_of(mona, run_id)["status"] == "completed")
    assert run_of(mona, run_id)["conclusion"] == "success"
    assert (tmp_path / "seen").read_text().split() == ["a1", "right", HOME, str(run_id)]
    assert "refs/heads/main" in (tmp_path / "refs").read_text()
    [job] = mona.get(f"/repos/{HOME}/actions/runs/{run_id}/jobs")["jobs"]
    assert (job["runner_name"], job["labels"]) == ("right", ["self-hosted", "linux"])
    told = [(row["event"], row["action"]) for row in hub.deliveries() if row["event"].startswith("workflow_")]
    assert told == [
        ("workflow_job", "queued"),
        ("workflow_run", "requested"),
        ("workflow_job", "in_progress"),
        ("workflow_run", "in_progress"),
        ("workflow_job", "completed"),
        ("workflow_run", "completed"),
    ]
    proof = (tmp_path / "proof").read_text().split('"')[3]
    keys = jwt.PyJWKClient(f"{hub.url}/_services/token/.well-known/jwks")
    key = keys.get_signing_key_from_jwt(proof)
    claims = jwt.decode(proof, key, algorithms=["RS256"], audience="me", issuer=f"{hub.url}/_services/token")
    assert (claims["run_id"], claims["event_name"]) == (str(run_id), "workflow_dispatch")
    assert claims["workflow_ref"] == f"{HOME}/.github/workflows/work.yml@refs/heads/main"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cancel", "force-cancel"])
def test_a_cancelled_run_leaves_no_process(
    hub: Hub, mona: Person, dispatch: Callable[[str], int], tmp_path: Path, how: str
) -> None:
    """Its step hears SIGINT, the steps that always run do, and what it left in the background is ended; by force at once."""
    hub.runner(HOME, "right", "linux", environment={"PLACE": str(tmp_path)})
    run_id = dispatch("slow")
    hub.wait_for(lambda: sleepers() == {"77", "78", "79"})
    mona.ask("POST", f"/repos/{HOME}/actions/runs/{run_id}/{how}")
    hub.wait_for(lambda: run_of(mona, run_id)["conclusion"] == "cancelled")
    assert sleepers() == set()
    assert (tmp_path / "always").exists() is (how == "cancel")
    assert mona.get(f"/repos/{HOME}/actions/runners")["runners"][0]["busy"] is False


@pytest.mark.slow
def test_an_organisations_runner_works_for_the_repositories_of_its_group(
    hub: Hub, mona: Person, dispatch: Callable[[str], int], tmp_path: Path
) -> None:
    """Not for others: a job waits until a group that serves its repository has a runner with its labels."""
    place = {"PLACE": str(tmp_path)}
    hub.runner_group("acme", "tools", "tool")
    hub.shared_runner("acme", "wrong", "linux", environment=place, group="tools")
    run_id = dispatch("a1")
    assert run_of(mona, run_id)["status"] == "queued"
    hub.shared_runner("acme", "right", "linux", environment=place)
    hub.wait_for(lambda: run_of(mona, run_id)["status"] == "completed")
    assert (tmp_path / "seen").read_text().split()[1:3] == ["right", HOME]


def test_an_organisations_runners_are_listed_to_whom_it_lets_see_them(hub: Hub, app: App) -> None:
    """With the permission only, by the groups that may serve a repository, and what its enterprise shares in its group alone."""
    installation = hub.install(app, HOME)
    api = hub.client(f"token {hub.app_token(app, installation)}")
    hub.runner_group("acme", "tools", "tool")
    hub.runner_group("acme", "everybody", inherited=True)
    for name, group in (("own", ""), ("theirs", "tools"), ("harbour", "everybody")):
        hub.shared_runner("acme", name, environment={}, group=group)

    def names(path: str, key: str, **query: str) -> list[str]:
        return [one["name"] for one in api.get(f"/orgs/acme/actions{path}", params=query).json()[key]]

    groups = api.get("/orgs/acme/actions/runner-groups").json()["runner_groups"]
    assert [(one["name"], one["visibility"], one["inherited"]) for one in groups] == [
        ("Default", "all", False),
        ("tools", "selected", False),
        ("everybody", "all", True),
    ]
    assert names("/runner-groups", "runner_groups", visible_to_repository="widgets") == ["Default", "everybody"]
    assert names("/runners", "runners") == ["own", "theirs"]
    assert names(f"/runner-groups/{groups[2]['id']}/runners", "runners") == ["harbour"]
    narrow = hub.client(f"token {hub.app_token(app, installation, permissions={'administration': 'read'})}")
    assert narrow.get("/orgs/acme/actions/runners").status_code == 403
    assert api.get("/orgs/mona/actions/runners").status_code == 404


@pytest.mark.slow
def test_a_runner_that_vanishes_says_nothing(hub: Hub, mona: Person, dispatch: Callable[[str], int], tmp_path: Path) -> None:
    """Its run stays in progress, as GitHub has it for minutes; it can be cancelled and run again elsewhere."""
    hub.runner(HOME, "right", "linux", environment={"PLACE": str(tmp_path)})
    run_id = dispatch("slow")
    hub.wait_for(lambda: sleepers() == {"77", "78", "79"})
    hub.pull_runner(HOME, "right")
    hub.wait_for(lambda: sleepers() == set())
    assert run_of(mona, run_id)["status"] == "in_progress"


def test_what_cannot_be_dispatched_is_refused(hub: Hub, mona: Person) -> None:
    """An unknown input, a missing one, no such branch, a workflow that is disabled or not there."""
    path = f"/repos/{HOME}/actions/workflows/work.yml/dispatches"
    for body, words in (
        ({"ref": "main", "inputs": {"attempt": "1", "other": "2"}}, "Unexpected inputs"),
        ({"ref": "main"}, "Required input 'attempt'"),
        ({"ref": "nowhere", "inputs": {"attempt": "1"}}, "No ref found"),
    ):
        with pytest.raises(Failed, match=words):
            mona.ask("POST", path, body)
    with pytest.raises(Failed, match="404"):
        mona.ask("POST", path.replace("work.yml", "other.yml"), {"ref": "main"})
    hub.ask("PUT", f"/repositories/{HOME}/workflows/work.yml", {"is_active": False})
    assert mona.get(f"/repos/{HOME}/actions/workflows")["workflows"][0]["state"] == "disabled_manually"
    with pytest.raises(Failed, match="disabled workflow"):
        mona.ask("POST", path, {"ref": "main", "inputs": {"attempt": "1"}})


ON_LABEL = """
on:
  issues:
    types: [labeled]
jobs:
  look:
    if: github.event.label.name == 'go'
    runs-on: self-hosted
    steps:
      - shell: bash
        run: cat "$GITHUB_EVENT_PATH" > "$PLACE/event-$GITHUB_EVENT_NAME"
"""


@pytest.mark.slow
def test_a_label_starts_the_workflows_that_wait_for_one(hub: Hub, mona: Person, tmp_path: Path) -> None:
    """As the default branch has them: the job reads which issue it was; a disabled one, and other activity, starts nothing."""
    hub.runner(HOME, "right", environment={"PLACE": str(tmp_path)})
    issue = mona.open_issue(HOME, "A title", "words")["number"]
    mona.label(HOME, issue, "too early")
    hub.commit(HOME, "main", {".github/workflows/label.yml": ON_LABEL}, login="mona")
    mona.edit_issue(HOME, issue, title="Another title")
    mona.label(HOME, issue, "go")
    mona.label(HOME, issue, "go")
    [run] = mona.get(f"/repos/{HOME}/actions/runs")["workflow_runs"]
    assert (run["event"], run["path"], run["actor"]["login"]) == ("issues", ".github/workflows/label.yml", "mona")
    hub.wait_for(lambda: run_of(mona, run["id"])["status"] == "completed")
    event = json.loads((tmp_path / "event-issues").read_text())
    assert (event["action"], event["label"]["name"], event["issue"]["number"]) == ("labeled", "go", issue)
    assert (event["repository"]["full_name"], event["sender"]["login"]) == (HOME, "mona")
    hub.set_workflow(HOME, "label.yml", is_active=False)
    mona.label(HOME, issue, "go again")
    assert len(mona.get(f"/repos/{HOME}/actions/runs")["workflow_runs"]) == 1


def test_what_a_jobs_own_token_labels_starts_nothing(hub: Hub, mona: Person) -> None:
    """Or jobs would start each other for ever; another App's label does start one."""
    hub.commit(HOME, "main", {".github/workflows/label.yml": ON_LABEL}, login="mona")
    issue = mona.open_issue(HOME, "A title")["number"]
    for slug, runs in (("github-actions", 0), ("shoal-app", 1)):
        app = hub.app(slug, events=())
        api = hub.client(f"token {hub.app_token(app, hub.install(app, HOME))}")
        assert api.post(f"/repos/{HOME}/issues/{issue}/labels", json={"labels": [slug]}).status_code == 200
        assert len(mona.get(f"/repos/{HOME}/actions/runs")["workflow_runs"]) == runs


def test_a_key_that_was_changed_signs_nothing_more(hub: Hub, mona: Person, dispatch: Callable[[str], int]) -> None:
    """What was signed before is not among the published keys any more."""
    run_id = dispatch("a1")
    old = hub.ask("POST", "/issuer/tokens", {"run_id": run_id, "audience": "me"})["value"]
    hub.ask("POST", "/issuer/rotate")
    keys = jwt.PyJWKClient(f"{hub.url}/_services/token/.well-known/jwks")
    with pytest.raises(jwt.PyJWKClientError):
        keys.get_signing_key_from_jwt(old)


def sleepers() -> set[str]:
    """The sleeps of these jobs that are alive."""
    found = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return {argv[1] for argv in found if argv[:1] == ["sleep"] and argv[1:] and argv[1] in {"77", "78", "79"}}
