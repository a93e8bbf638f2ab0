"""The traps of GitHub and of its client libraries, one story each; those about single parts stand with the parts.

Elsewhere: one token for many callers, a write token not minted twice (test_client); reads repeated and writes not, limits and
waits, renamed repositories, long tokens, the API version (test_transport); paces (test_pacing); limits inside a 200, partial
errors, fields that a server lacks (test_batch); outages (test_breaker); webhooks of any shape (test_payloads).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from app.github.client import GitHubApp
from app.github.transport import CONCURRENT, graphql_url
from shared.errors import TransientError
from tests.github.conftest import REPOSITORY, Home, open_app
from tests.support.serving import serving


@dataclass
class Crowded:
    """A server that answers after a moment, and remembers how many waited at once and over how many connections."""

    seconds: float
    now: int = 0
    most: int = 0
    ports: set[int] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.client is not None:
            self.ports.add(request.client.port)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        bodies = {"/app": {"id": 7, "slug": "shoal"}}
        token = {"token": "t", "expires_at": "2999-01-01T00:00:00Z"}
        body = token if scope["path"].endswith("/access_tokens") else bodies.get(scope["path"], {"id": 1, "full_name": "o/r"})
        await JSONResponse(body)(scope, receive, send)


@asynccontextmanager
async def crowded(home: Home, seconds: float) -> AsyncIterator[tuple[Crowded, GitHubApp]]:
    """A client of such a server."""
    server = Crowded(seconds)
    key = home.app.private_key_pem
    async with serving(server) as url, open_app(url, app_id="7", private_key=key, github_points_per_minute=1_000_000) as github:
        yield server, github


async def test_never_more_than_a_hundred_at_once(home: Home) -> None:
    """GitHub's limit counts everything of an App; what is too much waits its turn here instead of being refused there."""
    async with crowded(home, 0.05) as (server, github):
        client = github.repository("o/r", 1, 5)
        await client.about()
        await asyncio.gather(*[client.about() for _ in range(3 * CONCURRENT)])
    assert server.most <= CONCURRENT < 100


async def test_one_pool_for_the_whole_process(home: Home) -> None:
    """Also for tasks that were started elsewhere: githubkit alone would open a connection for each of their calls."""
    async with crowded(home, 0) as (server, github):
        for _ in range(20):
            await asyncio.create_task(github.repository("o/r", 1, 5).about())
    assert len(server.ports) <= 2


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever(home: Home) -> None:
    """githubkit alone has no time-out at all."""
    async with home.open_app() as github:
        timeout = github.repository(REPOSITORY, home.id, home.installation).calls.transport.http.timeout
    assert timeout == httpx.Timeout(30, connect=10)


async def test_a_long_wait_is_handed_back_and_not_slept(home: Home) -> None:
    """githubkit and PyGithub would sleep until the hour is over, 2,999 s were seen; here the work goes back to its queue."""
    async with home.open_app() as github:
        client = github.repository(REPOSITORY, home.id, home.installation)
        await client.about()
        home.hub.set_rate_limit(0)
        begun = time.monotonic()
        with pytest.raises(TransientError) as caught:
            await client.about()
    assert caught.value.after is not None
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("api", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://github.example.com/api/v3", "https://github.example.com/api/graphql"),
        ("https://github.example.com/api/v3/", "https://github.example.com/api/graphql"),
        ("https://api.octo.ghe.com", "https://api.octo.ghe.com/graphql"),
    ],
)
def test_enterprise_servers_have_graphql_elsewhere(api: str, graphql: str) -> None:
    """Beside REST and not below it."""
    assert graphql_url(api) == graphql


async def test_a_pull_request_by_our_account_is_ours_in_both_apis(home: Home, github: GitHubApp) -> None:
    """REST says `shoal-app[bot]`, GraphQL `shoal-app`: taken as it is, ours would be taken for a stranger's."""
    client = github.repository(REPOSITORY, home.id, home.installation)
    home.hub.commit(REPOSITORY, "shoal/1-x", {"x.txt": "x"}, login="mona")
    made = await client.create_pull("X", "x", head="shoal/1-x", base="main", draft=False)
    [found] = await client.pulls_by_head("shoal/1-x")
    assert found.author == made.author == github.login


async def test_what_stayed_the_same_costs_nothing(home: Home, github: GitHubApp) -> None:
    """A second look is answered with 304 and shows the same; a change shows; another token's tags are worth nothing."""
    client = github.repository(REPOSITORY, home.id, home.installation)
    number = home.mona.open_issue(REPOSITORY, "Mend it", labels=["shoal"])["number"]
    first = await client.labelled_issues("shoal")
    assert await client.labelled_issues("shoal") == first
    home.mona.edit_issue(REPOSITORY, number, body="More of it.")
    assert (await client.labelled_issues("shoal"))[0].snapshot.body == "More of it."
    await client.calls.tokens.revoke(await client.calls.tokens.of_installation(home.installation))
    assert (await client.labelled_issues("shoal"))[0].snapshot.body == "More of it."
    listed = [one["status"] for one in home.hub.requests("GET", f"/repos/{REPOSITORY}/issues") if one["actor"] != "mona"]
    assert listed == [200, 304, 200, 401, 200]
