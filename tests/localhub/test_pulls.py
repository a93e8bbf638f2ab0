"""Pull requests: refused where GitHub refuses, mergeable as git says, finished by a merge however it comes about."""

import pytest

from tests.localhub.conftest import Project

_HEAD = "shoal/1-size"


def _branch(project: Project, name: str = _HEAD, text: str = "def size() -> int:\n    return 2\n") -> str:
    return project.hub.commit(project.name, name, {"widgets.py": text}, login="mona")


def _refusal(project: Project, **body: str) -> dict[str, str]:
    answer = project.app_client().post(f"{project.path}/pulls", json={"title": "T", "base": "main", **body})
    assert answer.status_code == 422, answer.text
    error: dict[str, str] = answer.json()["errors"][0]
    return error


def test_a_pull_request_needs_two_branches_and_a_difference(project: Project) -> None:
    """Missing head, missing base, and nothing between them."""
    _branch(project)
    project.hub.commit(project.name, "same", {}, login="mona")
    assert (_refusal(project, head="nowhere")["field"], _refusal(project, head=_HEAD, base="nowhere")["field"]) == ("head", "base")
    project.app_client().post(f"{project.path}/git/refs", json={"ref": "refs/heads/equal", "sha": _tip(project, "main")})
    assert _refusal(project, head="equal")["message"] == "No commits between main and equal"


def test_the_same_pull_request_twice_is_refused_in_githubs_words(project: Project) -> None:
    """The words by which a client adopts what is there; found by head over every state."""
    _branch(project)
    project.maintainer.open_pull(project.name, _HEAD)
    assert _refusal(project, head=_HEAD)["message"] == f"A pull request already exists for acme:{_HEAD}."
    project.maintainer.api.patch(f"{project.path}/pulls/1", json={"state": "closed"})
    found = project.maintainer.get(f"{project.path}/pulls", head=f"acme:{_HEAD}", state="all")
    assert [(row["number"], row["state"]) for row in found] == [(1, "closed")]
    assert project.maintainer.get(f"{project.path}/pulls", head=f"acme:{_HEAD}") == []


def test_mergeable_is_what_git_says(project: Project) -> None:
    """Clean at first; dirty as soon as the base changes the same line."""
    _branch(project)
    project.maintainer.open_pull(project.name, _HEAD)
    shown = project.maintainer.get(f"{project.path}/pulls/1")
    assert (shown["mergeable"], shown["mergeable_state"], shown["commits"], shown["changed_files"]) == (True, "clean", 1, 1)
    _branch(project, "main", "def size() -> int:\n    return 3\n")
    shown = project.maintainer.get(f"{project.path}/pulls/1")
    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    assert project.maintainer.api.put(f"{project.path}/pulls/1/merge", json={}).status_code == 405


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1)])
def test_a_merge_finishes_it(project: Project, method: str, parents: int) -> None:
    """Merged, with the commit it says, and the named issue closed; a second merge is refused."""
    project.maintainer.open_issue(project.name, "One")
    _branch(project)
    project.maintainer.open_pull(project.name, _HEAD, body="Fixes #1.")
    sha = project.maintainer.merge(project.name, 2, method)["sha"]
    shown = project.maintainer.get(f"{project.path}/pulls/2")
    assert (shown["merged"], shown["state"], shown["merge_commit_sha"], shown["merged_by"]["login"]) == (
        True,
        "closed",
        sha,
        "mona",
    )
    assert len(project.maintainer.get(f"{project.path}/commits/main")["parents"]) == parents
    assert project.maintainer.get(f"{project.path}/issues/1")["state"] == "closed"
    assert project.maintainer.api.put(f"{project.path}/pulls/2/merge", json={}).status_code == 405


def test_a_base_that_gains_the_head_merges_it(project: Project) -> None:
    """Two branches, one on the other: merging the upper one into main finishes both."""
    _branch(project)
    project.hub.commit(project.name, "upper", {"more.py": "x = 1\n"}, login="mona", start=_HEAD)
    project.maintainer.open_pull(project.name, _HEAD)
    project.maintainer.open_pull(project.name, "upper")
    project.maintainer.merge(project.name, 2)
    assert [project.maintainer.get(f"{project.path}/pulls/{number}")["merged"] for number in (1, 2)] == [True, True]


def test_a_deleted_head_closes_it(project: Project) -> None:
    """Without its branch a pull request is closed, and cannot be opened again."""
    _branch(project)
    project.maintainer.open_pull(project.name, _HEAD)
    assert project.maintainer.api.delete(f"{project.path}/git/refs/heads/{_HEAD}").status_code == 204
    shown = project.maintainer.get(f"{project.path}/pulls/1")
    assert (shown["state"], shown["merged"]) == ("closed", False)
    assert project.maintainer.api.patch(f"{project.path}/pulls/1", json={"state": "open"}).status_code == 422


def test_nobody_approves_their_own(project: Project) -> None:
    """An App's own pull request: a comment yes, an approval no; a person may."""
    _branch(project)
    app = project.app_client()
    app.post(f"{project.path}/pulls", json={"title": "T", "head": _HEAD, "base": "main"})
    reviews = f"{project.path}/pulls/1/reviews"
    refused = app.post(reviews, json={"event": "APPROVE"})
    assert (refused.status_code, refused.json()["message"]) == (422, "Unprocessable Entity: Can not approve your own pull request")
    assert app.post(reviews, json={"event": "COMMENT", "body": "Seen."}).status_code == 200
    assert project.maintainer.api.post(reviews, json={"event": "APPROVE"}).status_code == 200
    assert [row["state"] for row in project.maintainer.get(reviews)] == ["COMMENTED", "APPROVED"]


def test_files_follow_renames_binaries_and_deletions(project: Project) -> None:
    """Each file once, with its numbers; a binary one has no patch."""
    long = "".join(f"line {number}\n" for number in range(30))
    project.hub.commit(project.name, "main", {"old.txt": long, "gone.txt": "x\n"}, login="mona")
    project.hub.commit(
        project.name, "work", {"old.txt": None, "neu/größe.txt": long, "gone.txt": None, "data.bin": "\0\1\2"}, login="mona"
    )
    project.maintainer.open_pull(project.name, "work")
    found = {row["filename"]: row for row in project.maintainer.get(f"{project.path}/pulls/1/files")}
    assert {name: row["status"] for name, row in found.items()} == {
        "data.bin": "added",
        "gone.txt": "removed",
        "neu/größe.txt": "renamed",
    }
    assert found["neu/größe.txt"]["previous_filename"] == "old.txt"
    assert "patch" not in found["data.bin"]
    assert found["gone.txt"]["deletions"] == 1


def test_compare_and_contents_and_references(project: Project) -> None:
    """What planning and the fencing protocol read."""
    sha = _branch(project)
    compared = project.maintainer.get(f"{project.path}/compare/main...{_HEAD}")
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("ahead", 1, 0)
    assert compared["commits"][0]["sha"] == sha
    assert [row["filename"] for row in compared["files"]] == ["widgets.py"]
    refs = project.maintainer.get(f"{project.path}/git/matching-refs/heads/shoal/1-")
    assert [(row["ref"], row["object"]["sha"]) for row in refs] == [(f"refs/heads/{_HEAD}", sha)]
    assert project.maintainer.get(f"{project.path}/git/matching-refs/heads/nothing") == []
    assert sorted(row["name"] for row in project.maintainer.get(f"{project.path}/contents/")) == ["README.md", "widgets.py"]
    assert project.maintainer.get(f"{project.path}/contents/README.md", ref=_HEAD)["encoding"] == "base64"
    assert project.maintainer.api.get(f"{project.path}/contents/.github/shoal.yml").status_code == 404


def _tip(project: Project, branch: str) -> str:
    return str(project.maintainer.get(f"{project.path}/branches/{branch}")["commit"]["sha"])
