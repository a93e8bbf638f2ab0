"""Issues, labels, comments, reactions and dependencies keep their history and their rules."""

from typing import Any

import pytest

from tests.localhub.conftest import Project
from tests.support.localhub import Failed, Person


def test_labels_are_made_told_and_remembered(project: Project) -> None:
    """An unknown label is made; the history says who labelled and when; twice is once."""
    project.maintainer.open_issue(project.name, "One")
    project.maintainer.label(project.name, 1, "shoal")
    project.maintainer.label(project.name, 1, "Shoal")
    events = project.maintainer.get(f"{project.path}/issues/1/events")
    assert [(event["event"], event["label"]["name"], event["actor"]["login"]) for event in events] == [("labeled", "shoal", "mona")]
    project.maintainer.unlabel(project.name, 1, "shoal")
    assert project.maintainer.get(f"{project.path}/issues/1")["labels"] == []
    again = project.maintainer.api.delete(f"{project.path}/issues/1/labels/shoal")
    assert (again.status_code, again.json()["message"]) == (404, "Label does not exist")


def test_a_label_with_a_slash_and_unicode_is_found(project: Project) -> None:
    """Label names may hold nearly anything."""
    project.maintainer.open_issue(project.name, "One", labels=["area/größe"])
    assert project.maintainer.get(f"{project.path}/labels/area%2Fgr%C3%B6%C3%9Fe")["name"] == "area/größe"
    project.maintainer.unlabel(project.name, 1, "area%2Fgr%C3%B6%C3%9Fe")


def test_issues_are_listed_by_state_and_labels_in_pages(project: Project) -> None:
    """Filters combine, and the Link header leads through the pages."""
    for number in range(1, 6):
        project.maintainer.open_issue(project.name, f"Number {number}", labels=["shoal"] if number % 2 else [])
    project.maintainer.edit_issue(project.name, 5, state="closed")
    assert _numbers(project, labels="shoal") == [3, 1]
    assert _numbers(project, state="all", labels="shoal", direction="asc") == [1, 3, 5]
    first = project.maintainer.api.get(f"{project.path}/issues", params={"state": "all", "per_page": 2})
    second = project.maintainer.api.get(first.links["next"]["url"])
    last = project.maintainer.api.get(second.links["last"]["url"])
    assert [row["number"] for page in (first, second, last) for row in page.json()] == [5, 4, 3, 2, 1]
    assert "next" not in last.links


def test_an_edit_tells_what_was_there_before(project: Project) -> None:
    """`changes` names the old words; the author may edit, a stranger may not."""
    author = project.hub.person("pat")
    author.open_issue(project.name, "One", "old")
    author.edit_issue(project.name, 1, body="new")
    (edited,) = project.hub.deliveries("issues", "edited")
    assert edited["payload"]["changes"] == {"body": {"from": "old"}}
    assert project.hub.person("eve").api.patch(f"{project.path}/issues/1", json={"body": "mine"}).status_code == 403


def test_comments_belong_to_their_author(project: Project) -> None:
    """An App edits its own comment, not a person's; a person with write access may edit the App's."""
    project.maintainer.open_issue(project.name, "One")
    theirs = project.maintainer.comment(project.name, 1, "Mine.")
    app = project.app_client()
    own = app.post(f"{project.path}/issues/1/comments", json={"body": "Working."}).json()
    assert own["user"]["login"] == "shoal-app[bot]"
    assert own["performed_via_github_app"]["slug"] == "shoal-app"
    assert app.patch(f"{project.path}/issues/comments/{own['id']}", json={"body": "Done."}).json()["body"] == "Done."
    assert app.patch(f"{project.path}/issues/comments/{theirs['id']}", json={"body": "No."}).status_code == 403
    assert project.maintainer.api.delete(f"{project.path}/issues/comments/{own['id']}").status_code == 204
    assert [row["body"] for row in project.maintainer.get(f"{project.path}/issues/1/comments")] == ["Mine."]


def test_a_comment_has_a_longest_form(project: Project) -> None:
    """65,536 characters pass, one more does not, and blank is nothing."""
    project.maintainer.open_issue(project.name, "One")
    comments = f"{project.path}/issues/1/comments"
    assert project.maintainer.api.post(comments, json={"body": "x" * 65_536}).status_code == 201
    assert project.maintainer.api.post(comments, json={"body": "x" * 65_537}).status_code == 422
    assert project.maintainer.api.post(comments, json={"body": "  "}).status_code == 422


def test_a_reaction_counts_once(project: Project) -> None:
    """The first is made, the same again is found."""
    project.maintainer.open_issue(project.name, "One")
    app = project.app_client()
    answers = [app.post(f"{project.path}/issues/1/reactions", json={"content": "eyes"}).status_code for _ in range(2)]
    assert answers == [201, 200]
    assert project.maintainer.get(f"{project.path}/issues/1")["reactions"]["eyes"] == 1


def test_blockers_are_kept_by_database_id(project: Project) -> None:
    """Added by id, shown from both sides, counted, never a circle; a number is not an id."""
    one, two = (project.maintainer.open_issue(project.name, title) for title in ("One", "Two"))
    project.maintainer.block(project.name, 2, one["id"])
    dependencies = f"{project.path}/issues/{{}}/dependencies/{{}}"
    assert [row["number"] for row in project.maintainer.get(dependencies.format(2, "blocked_by"))] == [1]
    assert [row["number"] for row in project.maintainer.get(dependencies.format(1, "blocking"))] == [2]
    assert project.maintainer.get(f"{project.path}/issues/2")["issue_dependencies_summary"]["blocked_by"] == 1
    circle = project.maintainer.api.post(dependencies.format(1, "blocked_by"), json={"issue_id": two["id"]})
    assert circle.status_code == 422
    assert project.maintainer.api.post(dependencies.format(1, "blocked_by"), json={"issue_id": 2}).status_code == 404
    assert project.maintainer.api.delete(f"{dependencies.format(2, 'blocked_by')}/{one['id']}").status_code == 200
    told = [row["action"] for row in project.hub.deliveries("issue_dependencies")]
    assert told == ["blocked_by_added", "blocking_added", "blocked_by_removed", "blocking_removed"]


def test_sub_issues_know_their_parent(project: Project) -> None:
    """One parent each, progress in percent, and the way back."""
    project.maintainer.open_issue(project.name, "Parent")
    child = project.maintainer.open_issue(project.name, "Child")
    sub_issues = f"{project.path}/issues/1/sub_issues"
    assert project.maintainer.api.post(sub_issues, json={"sub_issue_id": child["id"]}).status_code == 201
    assert project.maintainer.api.post(sub_issues, json={"sub_issue_id": child["id"]}).status_code == 422
    assert project.maintainer.get(f"{project.path}/issues/2/parent")["number"] == 1
    project.maintainer.edit_issue(project.name, 2, state="closed")
    assert project.maintainer.get(f"{project.path}/issues/1")["sub_issues_summary"]["percent_completed"] == 100


def _numbers(project: Project, **query: str) -> list[int]:
    found: list[dict[str, Any]] = project.maintainer.get(f"{project.path}/issues", **query)
    return [row["number"] for row in found]


def test_a_search_finds_what_fits_every_qualifier(project: Project) -> None:
    """In the repositories that it names and the asker may see; what is not known here is refused instead of overlooked."""
    hub, mona = project.hub, project.maintainer
    hubot = hub.person("hubot", {project.name: "write"})
    first = mona.open_issue(project.name, "A red buoy", "", ["in the harbour", "shoal"])["number"]
    second = hubot.open_issue(project.name, "A green buoy", "", ["shoal"])["number"]
    mona.edit_issue(project.name, mona.open_issue(project.name, "An old buoy", "", ["shoal"])["number"], state="closed")

    def found(query: str, person: Person = mona) -> list[int]:
        return [item["number"] for item in person.get("/search/issues", q=query)["items"]]

    here = f"repo:{project.name} is:issue is:open"
    assert sorted(found(f"buoy {here}")) == [first, second]
    assert found(f"{here} author:HUBOT") == [second]
    assert found(f'{here} label:"in the harbour"') == [first]
    assert found(f"{here} label:shoal -label:nothing red") == [first]
    assert found("repo:acme/nowhere is:open") == []
    first_page = mona.api.get("/search/issues", params={"q": here, "per_page": 1})
    assert 'rel="next"' in first_page.headers["Link"]
    for query in ("", f"{here} milestone:v2", "x" * 257):
        with pytest.raises(Failed, match="422"):
            found(query)
