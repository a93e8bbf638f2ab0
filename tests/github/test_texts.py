"""Texts of ours that differ are written together, and what cannot be is written by itself: the same is there in the end."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.github import edits
from app.github.client import GitHubApp
from app.github.edits import CheckEdit, CommentEdit, NewComment
from app.github.repository import CheckWrite, RepositoryClient
from app.github.texts import CheckText, CommentText, Text
from shared.errors import TransientError
from tests.github.conftest import REPOSITORY, Home

MARKS = [f"<!-- mark:{number} -->" for number in range(3)]


def texts(home: Home, issues: list[int], words: str, ids: list[int | None] | None = None) -> list[Text]:
    """A comment on each issue and one check run."""
    known = ids or [None] * (len(issues) + 1)
    comments = [
        CommentText(issue, mark, f"{mark}\n{words}", one) for issue, mark, one in zip(issues, MARKS, known[:-1], strict=True)
    ]
    return [*comments, CheckText(check(home, words), known[-1])]


def check(home: Home, title: str, **more: Any) -> CheckWrite:
    """Concluded, with a button."""
    button = {"label": "Retry", "description": "Again", "identifier": "retry"}
    return CheckWrite("Shoal", home.sha, "o:1", "completed", "neutral", title, "words", actions=(button,), **more)


def sent(home: Home) -> Counter[str]:
    """What the App has asked of the embedded GitHub, GraphQL by its operation."""
    return Counter(
        one.get("operation") or f"{one['method']} {one['path'].removeprefix('/api/v3/repos/' + REPOSITORY)}"
        for one in home.hub.requests()
        if one.get("agent") == "shoal" and "access_tokens" not in one["path"]
    )


def shown(home: Home, issues: list[int]) -> tuple[list[list[str]], list[str]]:
    """Comments by issue, and the titles of the check runs."""
    comments = [[one["body"] for one in home.mona.get(f"/repos/{REPOSITORY}/issues/{issue}/comments")] for issue in issues]
    runs = home.mona.get(f"/repos/{REPOSITORY}/commits/{home.sha}/check-runs")["check_runs"]
    return comments, [run["output"]["title"] for run in runs]


@pytest.fixture
def issues(home: Home) -> list[int]:
    return [home.mona.open_issue(REPOSITORY, f"Issue {number}")["number"] for number in range(3)]


async def test_what_is_new_is_made_after_one_look_and_edited_without_any(
    home: Home, client: RepositoryClient, issues: list[int]
) -> None:
    """One query and one mutation make four texts; one mutation more changes them all."""
    before = sent(home)
    ids = await client.write_texts(texts(home, issues, "one"))
    assert None not in ids
    assert sent(home) - before == {"query": 1, "mutation": 1}
    assert await client.write_texts(texts(home, issues, "two", ids)) == ids
    assert sent(home) - before == {"query": 1, "mutation": 2}
    assert shown(home, issues) == ([[f"{mark}\ntwo"] for mark in MARKS], ["two"])


async def test_an_app_that_starts_again_finds_what_it_wrote(home: Home, client: RepositoryClient, issues: list[int]) -> None:
    """Nothing is made twice by one that remembers nothing."""
    ids = await client.write_texts(texts(home, issues, "one"))
    async with home.open_app() as other:
        again = other.repository(REPOSITORY, home.id, home.installation)
        assert await again.write_texts(texts(home, issues, "two")) == ids
    assert shown(home, issues) == ([[f"{mark}\ntwo"] for mark in MARKS], ["two"])


async def test_one_that_is_gone_takes_nothing_from_the_others(home: Home, client: RepositoryClient, issues: list[int]) -> None:
    """A comment that a person deleted is left to whoever looks first; the rest is written."""
    first, *rest = await client.write_texts(texts(home, issues, "one"))
    home.mona.api.delete(f"/repos/{REPOSITORY}/issues/comments/{first}")
    assert await client.write_texts(texts(home, issues, "two", [first, *rest])) == [None, *rest]
    made = await client.upsert_comment(issues[0], MARKS[0], f"{MARKS[0]}\ntwo", first)
    assert made != first
    assert shown(home, issues) == ([[f"{mark}\ntwo"] for mark in MARKS], ["two"])


async def test_an_answer_that_was_lost_is_looked_for(home: Home, client: RepositoryClient, issues: list[int]) -> None:
    """The mutation took effect and nobody heard of it: sent once, and the next one finds all that it made."""
    looked = await client.write_texts([CheckText(check(home, "none"))])
    home.hub.fault("/api/graphql$", 0, method="POST")  # the look goes through
    home.hub.fault("/api/graphql$", 503, method="POST", after_effect=True)
    with pytest.raises(TransientError):
        await client.write_texts(texts(home, issues, "one"))
    assert None not in await client.write_texts(texts(home, issues, "two"))
    assert looked != [None]
    assert shown(home, issues) == ([[f"{mark}\ntwo"] for mark in MARKS], ["two"])


async def test_annotations_are_added_once_and_then_left_alone(home: Home, client: RepositoryClient) -> None:
    """They go by REST, which adds them; from then on the table around them changes with everybody else's."""
    mark = {"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "red"}
    [alone] = await client.write_texts([CheckText(check(home, "one", annotations=(mark,)))])
    assert alone is None
    made = await client.upsert_check(check(home, "one", annotations=(mark,)))
    assert await client.write_texts([CheckText(check(home, "two", annotations=(mark,)), made)]) == [made]
    assert len(home.mona.get(f"/repos/{REPOSITORY}/check-runs/{made}/annotations")) == 1


async def test_a_server_without_these_mutations_is_asked_once(home: Home, client: RepositoryClient, issues: list[int]) -> None:
    """An older Enterprise server: everything is written one by one, as before."""
    home.hub.set_graphql(without=["Mutation.createCheckRun"])
    assert await client.write_texts(texts(home, issues, "one")) == [None] * 4
    before = sent(home)
    assert await client.write_texts(texts(home, issues, "one")) == [None] * 4
    assert sent(home) == before
    assert shown(home, issues) == ([[], [], []], [])


async def test_reactions_that_come_together_are_sent_together(home: Home, github: GitHubApp, issues: list[int]) -> None:
    """Of issues that were read; one that nobody has read is reacted to by itself."""
    client = github.repository(REPOSITORY, home.id, home.installation)
    for issue in issues:
        await client.issue(issue)
    before = sent(home)
    for _ in range(2):
        await asyncio.gather(*[client.react(issue, "eyes") for issue in issues])
    await github.repository(REPOSITORY, home.id, home.installation).react(issues[0], "eyes")
    assert (sent(home) - before)["mutation"] == 3
    assert [home.mona.get(f"/repos/{REPOSITORY}/issues/{issue}")["reactions"]["eyes"] for issue in issues] == [1, 1, 1]


def test_a_mutation_has_as_much_as_github_takes_in_its_time() -> None:
    """Twenty at once, fewer when they are long; none is left out, and the order stays."""
    many: list[edits.Edit] = [CommentEdit(str(number), "short") for number in range(45)]
    assert [len(some) for some in edits.chunks(many)] == [20, 20, 5]
    long: list[edits.Edit] = [NewComment(str(number), "x" * 100_000) for number in range(5)]
    assert [edit for some in edits.chunks(long) for edit in some] == long
    assert max(len(some) for some in edits.chunks(long)) == 2
    assert list(edits.chunks([])) == []


def test_what_people_wrote_travels_beside_the_mutation(home: Home) -> None:
    """Neither body nor title can change what is done."""
    wild = '"}) { x } } #'
    query = edits.mutation([CommentEdit("n", wild), CheckEdit("r", "c", check(home, wild))])
    assert wild not in query.text
    assert query.variables["i0"] == {"id": "n", "body": wild}
    assert query.variables["i1"]["conclusion"] == "NEUTRAL"
