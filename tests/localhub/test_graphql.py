"""The embedded GitHub's GraphQL: only what callers use, and as unforgiving as GitHub's."""

from typing import Any

import pytest

from tests.localhub.conftest import Project
from tests.support.localhub import Json


def ask(project: Project, query: str, authorization: str = "", **variables: Any) -> Json:
    """One query as the maintainer, or with another credential."""
    client = project.hub.client(authorization or f"token {project.maintainer.token}")
    answer = client.post(f"{project.hub.url}/api/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def _in_repository(project: Project, fields: str) -> str:
    owner, name = project.name.split("/")
    return f'{{ rateLimit {{ cost }} repository(owner: "{owner}", name: "{name}") {{ {fields} }} }}'


def test_aliases_are_answered_apart(project: Project) -> None:
    """One that is missing is null with an error that names it; the others are there."""
    number = project.maintainer.open_issue(project.name, "One", labels=["shoal"])["number"]
    shape = "{ ... on Issue { title labels(first: 5) { nodes { name } } } }"
    aliases = f"a: issueOrPullRequest(number: {number}) {shape} b: issueOrPullRequest(number: 99) {shape}"
    told = ask(project, _in_repository(project, aliases))
    where = told["data"]["repository"]
    assert where["a"] == {"title": "One", "labels": {"nodes": [{"name": "shoal"}]}}
    assert where["b"] is None
    assert [(error["type"], error["path"]) for error in told["errors"]] == [("NOT_FOUND", ["repository", "b"])]


def test_a_field_that_nobody_has_spoils_the_whole(project: Project) -> None:
    """As GitHub does it: no data at all, and the name of the field; an older server lacks those it is told to lack."""
    told = ask(project, _in_repository(project, "nameWithOwner stars"))
    assert "data" not in told
    assert told["errors"][0]["extensions"] == {"code": "undefinedField", "typeName": "Repository", "fieldName": "stars"}
    project.hub.set_graphql(without=["Repository.isPrivate"])
    assert ask(project, _in_repository(project, "isPrivate"))["errors"][0]["extensions"]["fieldName"] == "isPrivate"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("pullRequests { nodes { number } }", "`first` or `last`"),
        ("pullRequests(first: 101) { nodes { number } }", "`first` or `last`"),
        ("issueOrPullRequest(number: $n) { number }", "not declared"),
        ("issueOrPullRequest(number: 1) { ... on Issue { state } ... on PullRequest { state } }", "different aliases"),
        ("nameWithOwner }", "one operation"),
    ],
)
def test_mistakes_are_refused_in_words(project: Project, fields: str, words: str) -> None:
    """Paging is mandatory, variables are declared, and a name in the answer has one type."""
    project.maintainer.open_issue(project.name, "One")
    assert words in ask(project, _in_repository(project, fields))["errors"][0]["message"]


def test_connections_cost_points_of_their_own_budget(project: Project) -> None:
    """Fifty issues with three connections each are two points; when the hour is used up that is said inside a 200."""
    project.maintainer.open_issue(project.name, "One")
    links = " ".join(f"{name}(first: 9) {{ nodes {{ number }} }}" for name in ("blockedBy", "subIssues"))
    shape = f"{{ ... on Issue {{ labels(first: 9) {{ nodes {{ name }} }} {links} }} }}"
    aliases = " ".join(f"i{n}: issueOrPullRequest(number: 1) {shape}" for n in range(50))
    assert ask(project, _in_repository(project, aliases))["data"]["rateLimit"]["cost"] == 2
    project.hub.set_graphql(points=0)
    assert ask(project, _in_repository(project, "nameWithOwner"))["errors"][0]["type"] == "RATE_LIMITED"
    assert project.maintainer.get(project.path)["full_name"] == project.name


def test_a_narrow_token_reads_what_it_may(project: Project) -> None:
    """Pull requests yes, issues' checks no: forbidden for that field alone."""
    checks = "... on Commit { statusCheckRollup { contexts(first: 1) { nodes { __typename } } } }"
    wanted = _in_repository(project, f"pullRequests(first: 1) {{ nodes {{ number }} }} object(oid: $o) {{ {checks} }}")
    told = ask(
        project,
        f"query($o: GitObjectID!) {wanted}",
        f"token {project.token(permissions={'pull_requests': 'read'})}",
        o=project.maintainer.get(f"{project.path}/branches/main")["commit"]["sha"],
    )
    assert told["data"]["repository"]["pullRequests"] == {"nodes": []}
    assert [(error["type"], error["path"]) for error in told["errors"]] == [
        ("FORBIDDEN", ["repository", "object", "statusCheckRollup"])
    ]
