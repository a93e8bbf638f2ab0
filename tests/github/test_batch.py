"""Many reads as one query: what is asked, how partial answers are told apart, and which refusals come inside a 200."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.github import batch
from app.github.answers import IssueFacts
from app.github.batch import BranchAsk, ChecksAsk, ChecksPage, IssueAsk, Limited, LinksAsk, NoSuchField, TooLarge
from app.github.client import Forbidden, NotFound
from app.github.repository import RepositoryClient
from shared.errors import TransientError
from tests.github.conftest import REPOSITORY, Home

ASKS = (IssueAsk(1, history=True), IssueAsk(2), LinksAsk(1), BranchAsk("shoal/1-x"), ChecksAsk("c" * 40, 7))


def _issue(number: int, **more: Any) -> dict[str, Any]:
    return {"__typename": "Issue", "number": number, "state": "OPEN", "repository": {"nameWithOwner": "o/r"}, **more}


def _body(errors: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    return {"data": {"repository": {"nameWithOwner": "o/r", **fields}}, **({"errors": errors} if errors else {})}


def test_what_people_wrote_travels_beside_the_query() -> None:
    """A branch's name cannot change what is asked, and two batches of the same shape are the same text."""
    wild = 'x") { viewer { login } } #'
    text = batch.query("o/r", [BranchAsk(wild)])
    assert "viewer" not in text.text
    assert wild in text.variables.values()
    assert text.text == batch.query("p/q", [BranchAsk("y")]).text


def test_one_that_fails_takes_nothing_from_the_others() -> None:
    """Each alias has its own error: gone, forbidden, broken, and one that is fine."""
    errors = [
        {"type": "NOT_FOUND", "path": ["repository", "a1"], "message": "Could not resolve"},
        {"type": "FORBIDDEN", "path": ["repository", "b3"], "message": "Resource not accessible by integration"},
        {"path": ["repository", "a4", "statusCheckRollup"], "message": "Something went wrong"},
    ]
    body = _body(errors, a0=_issue(1), a1=None, a2=_issue(1, blockedBy={"nodes": []}, subIssues=None), a3=None, b3=None, a4=None)
    first, gone, links, forbidden, broken = batch.replies("o/r", ASKS, body)
    assert isinstance(first, IssueFacts)
    assert isinstance(gone, NotFound)
    assert links == ((), ())
    assert isinstance(forbidden, Forbidden)
    assert isinstance(broken, TransientError)


def test_a_repository_that_is_not_there_is_so_for_everybody() -> None:
    """Null for the whole, and the reason."""
    body = {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "path": ["repository"], "message": "x"}]}
    assert all(isinstance(one, NotFound) for one in batch.replies("o/r", ASKS, body))


def test_a_transferred_issue_is_gone_from_here() -> None:
    """GraphQL may answer with what it became in another repository; that is not the one that was approved."""
    moved = _issue(9) | {"repository": {"nameWithOwner": "o/elsewhere"}}
    assert isinstance(batch.replies("o/r", [IssueAsk(1)], _body(a0=moved))[0], NotFound)


def test_an_apps_login_is_the_one_that_rest_has() -> None:
    """Without that, no pull request of ours would be found to be ours."""
    pull = {"number": 3, "state": "MERGED", "headRefName": "b", "headRefOid": "c" * 40, "baseRefName": "main"}
    nodes = [
        {**pull, "author": {"__typename": "Bot", "login": "shoal"}},
        {**pull, "author": {"__typename": "User", "login": "mona"}, "isCrossRepository": True},
    ]
    [found] = batch.replies("o/r", [BranchAsk("b")], _body(a0={"target": {"oid": "d"}}, b0={"nodes": nodes}))
    assert [(one.author, one.merged, one.state) for one in found.pulls] == [("shoal[bot]", True, "closed")]


def test_checks_of_a_commit_that_nobody_checks() -> None:
    """No rollup is no checks, whatever else is null."""
    assert batch.replies("o/r", [ChecksAsk("c" * 40, 7)], _body(a0={"statusCheckRollup": None}, b0={"mergeable": "UNKNOWN"})) == [
        ChecksPage((), None, "")
    ]


@pytest.mark.parametrize(
    ("error", "secondary"),
    [
        ({"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 1."}, False),
        ({"type": "RATE_LIMIT", "message": "API rate limit exceeded"}, False),
        ({"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}, True),
    ],
)
def test_limits_inside_a_200_are_recognised(error: dict[str, Any], *, secondary: bool) -> None:
    """Both kinds, with the wait that headers ask for or a minute."""
    told = batch.refusal({"errors": [error]}, timedelta(seconds=7))
    assert isinstance(told, Limited)
    assert (told.after, told.secondary) == (timedelta(seconds=7), secondary)
    untold = batch.refusal({"data": None, "errors": [error]}, None)
    assert isinstance(untold, Limited)
    assert untold.after == timedelta(seconds=60)


def test_an_old_server_names_the_field_that_it_lacks() -> None:
    """And a query that was too much is told apart from an answer."""
    missing = {"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField", "fieldName": "blockedBy"}}
    found = batch.refusal({"errors": [missing]}, None)
    assert isinstance(found, NoSuchField)
    assert found.field == "blockedBy"
    assert isinstance(batch.refusal({"data": None, "errors": [{"message": "timeout"}]}, None), TooLarge)
    assert batch.refusal(_body([{"type": "NOT_FOUND", "path": ["repository", "a0"]}], a0=None), None) is None
    assert "blockedBy" not in batch.query("o/r", [LinksAsk(1)], frozenset({"blockedBy"})).text


# On the embedded GitHub


async def test_eight_issues_are_one_query(home: Home, client: RepositoryClient) -> None:
    """Texts, labels and who put ours on, the role of those people once, and the one that is missing is missed alone."""
    numbers = [home.mona.open_issue(REPOSITORY, f"Mend {n}", labels=["shoal"])["number"] for n in range(8)]
    asked = [client.issue_facts(number, history=True) for number in (*numbers, 999)]
    *found, missing = await asyncio.gather(*asked, return_exceptions=True)
    facts = [one for one in found if isinstance(one, IssueFacts)]
    assert [one.issue.snapshot.title for one in facts] == [f"Mend {n}" for n in range(8)]
    assert [event and event.actor for event in (one.labelled("shoal") for one in facts)] == ["mona"] * 8
    assert isinstance(missing, NotFound)
    assert await asyncio.gather(*[client.permission("mona") for _ in numbers]) == ["write"] * 8
    assert len(home.hub.requests("POST", "/api/graphql")) == 1
    assert len(home.hub.requests("GET", "/collaborators/")) == 1


async def test_a_relabel_is_another_approval_by_either_api(home: Home, client: RepositoryClient) -> None:
    """A hundred other labels later GraphQL no longer shows ours: REST is asked, and tells the same event."""
    number = home.mona.open_issue(REPOSITORY, "Mend it", labels=["shoal"])["number"]
    first = await client.labelled(await client.issue_facts(number, history=True), "shoal")
    for turn in range(50):
        home.mona.label(REPOSITORY, number, f"a{turn % 2}", f"b{turn % 2}")
        home.mona.unlabel(REPOSITORY, number, f"a{turn % 2}")
        home.mona.unlabel(REPOSITORY, number, f"b{turn % 2}")
    again = await client.labelled(await client.issue_facts(number, history=True), "shoal")
    assert first is not None
    assert again == first
    assert len(home.hub.requests("GET", f"/issues/{number}/events")) >= 1


async def test_the_hours_points_stop_graphql_and_not_rest(home: Home, client: RepositoryClient) -> None:
    """The two budgets are apart; the wait is until the hour ends, and nothing more is sent."""
    home.hub.set_graphql(points=0)
    with pytest.raises(TransientError) as caught:
        await client.issue(1)
    assert caught.value.after is not None
    with pytest.raises(TransientError, match="limits leave room"):
        await client.issue(1)
    assert len(home.hub.requests("POST", "/api/graphql")) == 1
    assert (await client.about()).full_name == REPOSITORY


async def test_a_secondary_limit_inside_a_200_stops_everything(home: Home, client: RepositoryClient) -> None:
    """It is one limit for both, whichever of them was told."""
    words = {"errors": [{"message": "You have exceeded a secondary rate limit."}]}
    home.hub.fault("/api/graphql$", 200, answer=words, headers={"retry-after": "30"})
    with pytest.raises(TransientError):
        await client.issue(1)
    with pytest.raises(TransientError, match="limits leave room"):
        await client.about()


async def test_a_query_that_takes_too_long_is_asked_in_halves(home: Home, client: RepositoryClient) -> None:
    """GitHub's 502 for a query it could not finish: each half is answered."""
    numbers = [home.mona.open_issue(REPOSITORY, f"Mend {n}")["number"] for n in range(4)]
    home.hub.fault("/api/graphql$", 502, times=3)
    found = await asyncio.gather(*[client.issue(number) for number in numbers])
    assert [one.snapshot.number for one in found] == numbers
    assert len(home.hub.requests("POST", "/api/graphql")) == 5
