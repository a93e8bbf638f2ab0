"""Check runs keep GitHub's limits and belong to the App that made them."""

from typing import Any

import httpx
import pytest

from shared.github import CHECK_ANNOTATION_LIMIT, CHECK_TEXT_LIMIT
from tests.localhub.conftest import Project

_REMARK = {"path": "widgets.py", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "no"}


def _output(**more: object) -> dict[str, object]:
    return {"title": "t", "summary": "s", **more}


def _create(project: Project, **more: Any) -> httpx.Response:
    sha = project.maintainer.get(f"{project.path}/branches/main")["commit"]["sha"]
    return project.app_client().post(f"{project.path}/check-runs", json={"name": "Shoal", "head_sha": sha, **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"output": _output(summary="x" * (CHECK_TEXT_LIMIT + 1))},
        {"output": _output(text="x" * (CHECK_TEXT_LIMIT + 1))},
        {"output": _output(annotations=[_REMARK] * (CHECK_ANNOTATION_LIMIT + 1))},
        {"output": {"summary": "without a title"}},
        {"actions": [{"label": "Retry", "description": "d", "identifier": "i"}] * 4},
        {"actions": [{"label": "x" * 21, "description": "d", "identifier": "i"}]},
        {"actions": [{"label": "Retry", "description": "x" * 41, "identifier": "i"}]},
        {"actions": [{"label": "Retry", "description": "d", "identifier": "x" * 21}]},
        {"status": "completed"},
        {"conclusion": "splendid"},
        {"head_sha": "0" * 40},
    ],
)
def test_what_is_beyond_a_limit_is_refused(project: Project, wrong: dict[str, Any]) -> None:
    """422 for each limit, and nothing is made."""
    assert _create(project, **wrong).status_code == 422
    assert project.app_client().get(f"{project.path}/commits/main/check-runs").json()["total_count"] == 0


def test_what_is_just_within_passes(project: Project) -> None:
    """The longest texts, fifty annotations and three buttons."""
    button = {"label": "x" * 20, "description": "x" * 40, "identifier": "x" * 20}
    full = "x" * CHECK_TEXT_LIMIT
    output = _output(summary=full, text=full, annotations=[_REMARK] * CHECK_ANNOTATION_LIMIT)
    assert _create(project, output=output, actions=[button] * 3).status_code == 201


def test_annotations_are_added_by_each_change(project: Project) -> None:
    """A change appends to what is there and never replaces it."""
    made = _create(project, output=_output(annotations=[_REMARK])).json()
    url = f"{project.path}/check-runs/{made['id']}"
    project.app_client().patch(url, json={"output": _output(annotations=[_REMARK, _REMARK])})
    assert project.app_client().get(url).json()["output"]["annotations_count"] == 3
    assert len(project.app_client().get(f"{url}/annotations").json()) == 3


def test_a_conclusion_completes_and_a_new_start_takes_it_back(project: Project) -> None:
    """GitHub sets `completed` by itself, and the time."""
    made = _create(project, status="in_progress").json()
    url = f"{project.path}/check-runs/{made['id']}"
    done = project.app_client().patch(url, json={"conclusion": "success"}).json()
    assert (done["status"], done["completed_at"] is not None) == ("completed", True)
    again = project.app_client().patch(url, json={"status": "in_progress"}).json()
    assert (again["status"], again["conclusion"], again["completed_at"]) == ("in_progress", None, None)


def test_only_the_owner_writes_a_check_run(project: Project) -> None:
    """Neither another App nor a person, however powerful."""
    made = _create(project).json()
    url = f"{project.path}/check-runs/{made['id']}"
    stranger = project.hub.app("stranger")
    token = project.hub.app_token(stranger, project.hub.install(stranger, project.name))
    assert project.hub.client(f"Bearer {token}").patch(url, json={"status": "in_progress"}).status_code == 403
    refused = project.maintainer.api.patch(url, json={"status": "in_progress"})
    assert (refused.status_code, refused.json()["message"]) == (403, "You must authenticate via a GitHub App.")


def test_check_runs_are_found_by_name_app_and_latest(project: Project) -> None:
    """How a client finds its own again: `latest` keeps one of each name, `all` every one."""
    first, second = _create(project, external_id="a"), _create(project, external_id="b")
    assert (first.status_code, second.status_code) == (201, 201)
    runs = f"{project.path}/commits/main/check-runs"
    found = project.app_client().get(runs, params={"check_name": "Shoal", "app_id": project.app.id}).json()
    assert [run["external_id"] for run in found["check_runs"]] == ["b"]
    assert project.app_client().get(runs, params={"filter": "all"}).json()["total_count"] == 2
    assert project.app_client().get(runs, params={"app_id": 1}).json()["total_count"] == 0
    suites = project.app_client().get(f"{project.path}/commits/main/check-suites").json()
    assert [(suite["status"], suite["latest_check_runs_count"]) for suite in suites["check_suites"]] == [("queued", 1)]


def test_a_check_run_names_the_pull_requests_of_its_commit(project: Project) -> None:
    """The open ones with that head."""
    sha = project.hub.commit(project.name, "work", {"a.txt": "1\n"}, login="mona")
    project.maintainer.open_pull(project.name, "work")
    made = _create(project, head_sha=sha).json()
    assert [pull["number"] for pull in made["pull_requests"]] == [1]
