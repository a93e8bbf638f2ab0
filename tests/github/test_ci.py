"""The repository's own CI as GitHub tells of it: checks and statuses of everybody but us, and the end of what red ones said."""

from app.github.repository import RepositoryClient
from tests.github.conftest import REPOSITORY, Home


def status(home: Home, state: str, context: str = "lint", description: str = "") -> None:
    """The maintainer's CI leaves a status on the first commit."""
    home.mona.ask(
        "POST", f"/repos/{REPOSITORY}/statuses/{home.sha}", {"state": state, "context": context, "description": description}
    )


def check_of(home: Home, slug: str, conclusion: str | None, text: str = "") -> None:
    """Another App's check run on the first commit."""
    app = home.hub.app(slug)
    token = home.hub.app_token(app, home.hub.install(app, REPOSITORY))
    body = {"name": f"{slug} tests", "head_sha": home.sha, "output": {"title": "Tests", "summary": "2 failed", "text": text}}
    ended = {"status": "completed", "conclusion": conclusion} if conclusion else {"status": "in_progress"}
    answer = home.hub.client(f"token {token}").post(f"/repos/{REPOSITORY}/check-runs", json={**body, **ended})
    assert answer.status_code == 201, answer.text


async def test_only_others_count(home: Home, client: RepositoryClient) -> None:
    """Our own check run says nothing about their CI."""
    token = home.hub.app_token(home.app, home.installation)
    own = {"name": "Shoal", "head_sha": home.sha, "status": "completed", "conclusion": "failure"}
    home.hub.client(f"token {token}").post(f"/repos/{REPOSITORY}/check-runs", json=own)
    assert (await client.ci(home.sha))[0].status == "none"


async def test_the_newest_status_of_each_name_counts(home: Home, client: RepositoryClient) -> None:
    """Pending is waited for, red names the status and what it says, a later success forgets it."""
    status(home, "success", "docs")
    status(home, "pending")
    assert (await client.ci(home.sha))[0].status == "waiting"
    status(home, "failure", description="3 lines are too long")
    red, _ = await client.ci(home.sha)
    assert (red.status, [(one.name, one.tail) for one in red.failures]) == ("red", [("lint", "3 lines are too long")])
    status(home, "success")
    assert (await client.ci(home.sha))[0].status == "green"


async def test_a_red_check_run_tells_what_it_said(home: Home, client: RepositoryClient) -> None:
    """Its output, from the end; one that still runs keeps everything waiting."""
    check_of(home, "other-ci", "failure", text="x" * 10_000 + "\nAssertionError: 1 != 2")
    red, _ = await client.ci(home.sha)
    assert red.status == "red"
    assert red.failures[0].name == "other-ci tests"
    assert red.failures[0].tail.endswith("AssertionError: 1 != 2")
    assert len(red.failures[0].tail) <= 4_000
    check_of(home, "slow-ci", None)
    assert (await client.ci(home.sha))[0].status == "waiting"


async def test_a_comment_is_read_as_it_stands(home: Home, client: RepositoryClient) -> None:
    """Its author, its words now, and the issue it stands on."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    made = home.mona.comment(REPOSITORY, number, "/shoal retry")
    home.mona.ask("PATCH", f"/repos/{REPOSITORY}/issues/comments/{made['id']}", {"body": "/shoal cancel"})
    found = await client.comment(made["id"])
    assert (found.number, found.author, found.body) == (number, "mona", "/shoal cancel")
    await client.react_to_comment(made["id"], "+1")
