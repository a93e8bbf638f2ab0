"""Stories about the App on GitHub: who it is, its tokens, where it is installed."""

import asyncio

import pytest

from app.github.client import GitHubApp, Invalid, NotFound, Unauthorized
from app.github.repository import RepositoryClient
from shared.errors import UserError
from tests.github.conftest import REPOSITORY, Home, open_app

_TOKENS = "/access_tokens"


async def test_the_app_knows_itself(home: Home, github: GitHubApp) -> None:
    """Login and address are those that GitHub gives to its account."""
    assert (github.login, github.identity.id) == (home.app.bot_login, home.app.id)
    assert github.email.endswith("shoal-app[bot]@users.noreply.github.com")


async def test_installed_repositories_come_with_their_installation(home: Home, github: GitHubApp) -> None:
    """This is what the sweep walks over."""
    (found,) = (await github.installed()).repositories
    assert (found.id, found.full_name, found.installation_id, found.private) == (home.id, REPOSITORY, home.installation, True)


async def test_twenty_callers_at_once_mint_one_token(home: Home, client: RepositoryClient) -> None:
    """githubkit alone would mint twenty."""
    await asyncio.gather(*[client.about() for _ in range(20)])
    assert len(home.hub.requests("POST", _TOKENS)) == 1


async def test_a_refused_token_is_replaced_and_the_call_repeated_once(home: Home, client: RepositoryClient) -> None:
    """Revoked behind our back: the next write goes through with a fresh token, done once."""
    number = home.mona.open_issue(REPOSITORY, "Mend it")["number"]
    await client.calls.tokens.revoke(await client.calls.tokens.of_installation(home.installation))
    await client.upsert_comment(number, "<!-- m -->", "<!-- m --> hello")
    assert len(home.hub.requests("POST", _TOKENS)) == 2
    assert len(home.mona.get(f"/repos/{REPOSITORY}/issues/{number}/comments")) == 1


async def test_a_runners_token_is_narrow_and_dies_when_told(home: Home, github: GitHubApp) -> None:
    """It reads its repository, cannot write, and revoking it twice is fine."""
    minted = await github.tokens.mint(home.installation, home.id, {"contents": "read"})
    runner = home.hub.client(f"token {minted.token}")
    assert runner.get(f"/repos/{REPOSITORY}/contents/README.md").status_code == 200
    assert runner.post(f"/repos/{REPOSITORY}/issues", json={"title": "x"}).status_code == 403
    assert minted.token not in repr(minted)
    await github.tokens.revoke(minted.token)
    await github.tokens.revoke(minted.token)
    assert runner.get(f"/repos/{REPOSITORY}").status_code == 401


async def test_a_write_token_whose_answer_was_lost_is_not_minted_again(home: Home, github: GitHubApp) -> None:
    """The caller hears of it: a second token beside an unknown first one is for nobody to decide here."""
    home.hub.fault(_TOKENS, 502, after_effect=True)
    with pytest.raises(Exception, match="502"):
        await github.tokens.mint(home.installation, home.id, {"contents": "write"})
    assert len(home.hub.requests("POST", _TOKENS)) == 1


async def test_more_than_was_granted_is_refused(home: Home, github: GitHubApp) -> None:
    """A token cannot exceed the installation's permissions, nor reach a repository that is not in it."""
    with pytest.raises(Invalid):
        await github.tokens.mint(home.installation, home.id, {"administration": "write"})
    with pytest.raises((Invalid, NotFound)):
        await github.tokens.mint(home.installation, home.id + 1000, {"contents": "read"})


async def test_a_short_outage_at_the_start_is_waited_out(home: Home) -> None:
    """GitHub's 502 on the first look does not keep the app from starting."""
    home.hub.fault("/app$", 502, times=2)
    async with home.open_app() as github:
        assert github.login == home.app.bot_login


async def test_a_wrong_key_or_app_id_is_said_as_such(home: Home) -> None:
    """One line with what to check, and no key in it."""
    with pytest.raises(Unauthorized, match="check SHOAL_APP_ID, the private key, and this machine's clock"):
        await home.open_app(app_id="424242").__aenter__()
    with pytest.raises(UserError, match="SHOAL_PRIVATE_KEY_PATH does not hold a private key") as caught:
        await open_app(home.hub.api_url, app_id="1", private_key="-----BEGIN nonsense").__aenter__()
    assert "nonsense" not in str(caught.value)
