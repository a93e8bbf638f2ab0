"""Stories about GitHub on bad days, told by a server that answers exactly as a test says."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import stamina
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.github.client import Forbidden, NotFound
from app.github.repository import RepositoryClient
from shared.errors import TransientError
from shared.github import API_VERSION
from tests.github.conftest import open_app
from tests.support.scripted_server import Answer, Script
from tests.support.serving import serving

ISSUE = {"id": 1, "number": 3, "title": "Mend it", "body": None, "user": None}
ABOUT = {"id": 1, "full_name": "o/r"}
READ, WRITE, TOKEN = "GET /repos/o/r", "POST /repos/o/r/issues/3/reactions", "POST /app/installations/5/access_tokens"
FRESH = Answer(201, {"token": "ghs_1_" + "a.b" * 170, "expires_at": "2999-01-01T00:00:00Z"})


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Tries are counted as always; the pauses between them are left out."""
    stamina.set_testing(True, attempts=9, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


@asynccontextmanager
async def scripted(key: str, **answers: list[Answer]) -> AsyncIterator[tuple[Script, RepositoryClient]]:
    """A client of `o/r` and the server it speaks to; `read` and `write` are its answers."""
    named = {"read": READ, "write": WRITE, "token": TOKEN}
    script = Script(
        {
            "GET /app": [Answer(200, {"id": 7, "slug": "shoal"})],
            TOKEN: [FRESH],
            **{named[name]: list(given) for name, given in answers.items()},
        }
    )
    async with serving(script) as url, open_app(url, app_id="7", private_key=key) as github:
        yield script, github.repository("o/r", 1, 5)


async def test_a_read_is_tried_again_a_write_is_not(key: str) -> None:
    """502 twice: the read gets its answer on the third try, the write is told to its caller after the first."""
    trouble = Answer(502, {"message": "Bad Gateway"})
    async with scripted(key, read=[trouble, trouble, Answer(200, ABOUT)], write=[trouble, Answer(201, {})]) as (script, client):
        assert (await client.about()).default_branch == "main"
        with pytest.raises(TransientError, match="502"):
            await client.react(3, "eyes")
    assert (script.count(READ), script.count(WRITE)) == (3, 1)


async def test_reads_do_not_go_on_for_ever(key: str) -> None:
    """Four tries, then the caller decides."""
    async with scripted(key, read=[Answer(503, {})]) as (script, client):
        with pytest.raises(TransientError):
            await client.about()
    assert script.count(READ) == 4


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        (Answer(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "42"}), 42, 42),
        (Answer(429, {"message": "slow down"}, {"retry-after": "7"}), 7, 7),
        (Answer(403, {"message": "API rate limit exceeded"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "RESET"}), 80, 91),
        (Answer(403, {"message": "You have exceeded a secondary rate limit"}, {"x-ratelimit-remaining": "12"}), 60, 60),
        (Answer(429, {}), 60, 60),
    ],
)
async def test_a_rate_limit_says_how_long_and_stops_the_installation(key: str, limit: Answer, least: int, most: int) -> None:
    """The wait GitHub asks for reaches the caller at once, and nothing else is sent until it is over."""
    reset = str(int(time.time()) + 90)
    answer = Answer(limit.status, limit.body, {name: reset if text == "RESET" else text for name, text in limit.headers.items()})
    async with scripted(key, write=[answer], read=[Answer(200, ABOUT)]) as (script, client):
        with pytest.raises(TransientError) as caught:
            await client.react(3, "eyes")
        assert caught.value.after is not None
        assert timedelta(seconds=least) <= caught.value.after <= timedelta(seconds=most)
        with pytest.raises(TransientError, match="limits leave room"):
            await client.react(3, "eyes")
    assert script.count(WRITE) == 1


async def test_a_plain_403_is_no_rate_limit(key: str) -> None:
    """Waiting would not help: it names the permission instead."""
    refusal = Answer(403, {"message": "Resource not accessible by integration"}, {"x-accepted-github-permissions": "issues=write"})
    async with scripted(key, write=[refusal]) as (_, client):
        with pytest.raises(Forbidden, match="issues=write"):
            await client.react(3, "eyes")


async def test_what_is_gone_is_not_found(key: str) -> None:
    """410 Gone is how GitHub says that something was deleted."""
    async with scripted(key, read=[Answer(410, {"message": "This issue was deleted"})]) as (_, client):
        with pytest.raises(NotFound):
            await client.about()


async def test_a_renamed_repository_is_read_under_its_new_name_and_not_written(key: str) -> None:
    """A read follows; a redirected POST would become a GET, so a write waits for the event with the new name."""
    async with scripted(
        key,
        read=[Answer(301, {}, {"location": "/repositories/1"})],
        write=[Answer(307, {}, {"location": "/repositories/1/issues/3/reactions"})],
    ) as (script, client):
        script.answers["GET /repositories/1"] = [Answer(200, ABOUT)]
        assert (await client.about()).id == 1
        with pytest.raises(TransientError, match="renamed"):
            await client.react(3, "eyes")


async def test_pages_are_followed_by_their_query_and_never_by_their_address(key: str) -> None:
    """A link to somebody else's machine is read for its page number only: the token goes nowhere else."""
    path = "GET /repos/o/r/issues"
    async with scripted(key) as (script, client):
        elsewhere = {"link": '<https://evil.example/steal?page=2&per_page=100>; rel="next"'}
        script.answers[path] = [Answer(200, [ISSUE], elsewhere), Answer(200, [{**ISSUE, "number": 4}])]
        assert [issue.snapshot.number for issue in await client.labelled_issues("shoal")] == [3, 4]
    assert script.count(path) == 2


async def test_every_request_names_the_api_version_and_the_long_token_survives(key: str) -> None:
    """Tokens are opaque: today's have 520 characters with dots."""
    async with scripted(key, read=[Answer(200, ABOUT)]) as (script, client):
        await client.about()
    assert {headers["x-github-api-version"] for headers in script.headers} == {API_VERSION}
    assert script.headers[-1]["authorization"] == f"token {FRESH.body['token']}"


async def test_a_token_is_renewed_five_minutes_before_its_end(key: str) -> None:
    """One that would die during the call is not used."""
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 240))
    async with scripted(key, token=[Answer(201, {"token": "old", "expires_at": soon}), FRESH], read=[Answer(200, ABOUT)]) as (s, c):
        for _ in range(3):
            await c.about()
    assert s.count(TOKEN) == 2


async def test_a_server_that_hangs_up_is_tried_again(key: str) -> None:
    """Nobody listening: TransientError that names the call, no traceback of the HTTP library."""
    async with scripted(key) as (_, client):
        pass
    with pytest.raises(Exception, match=r"did not answer|client has been closed"):
        await client.about()
