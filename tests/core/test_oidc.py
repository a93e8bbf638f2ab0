"""Who a job is, by tokens of the embedded GitHub's issuer: the right one counts, and each wrong one is refused by name."""

import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from app.oidc import Expected, NotProven, Verifier, why_not
from shared.errors import TransientError
from tests.support.localhub import Hub

HOME, AUDIENCE = "acme/widgets", "https://shoal.example.com"
WORKFLOW = "on: workflow_dispatch\njobs: {work: {runs-on: self-hosted, steps: [{run: 'true'}]}}\n"


@pytest.fixture
def run_id(hub: Hub, tmp_path: Path) -> int:
    """A run that waits for a runner for ever."""
    file = tmp_path / ".github/workflows/shoal.yml"
    file.parent.mkdir(parents=True)
    file.write_text(WORKFLOW)
    hub.repository(HOME, tmp_path)
    mona = hub.person("mona", {HOME: "admin"})
    body = {"ref": "main", "return_run_details": True}
    return int(mona.ask("POST", f"/repos/{HOME}/actions/workflows/shoal.yml/dispatches", body)["workflow_run_id"])


def token(hub: Hub, run: int, /, *, audience: str = AUDIENCE, **claims: Any) -> str:
    """As the issuer signs it, with claims of one's own."""
    return str(hub.ask("POST", "/issuer/tokens", {"run_id": run, "audience": audience, "claims": claims})["value"])


def verifier(hub: Hub) -> Verifier:
    """For the embedded GitHub."""
    return Verifier(f"{hub.url}/_services/token", AUDIENCE)


async def expected(hub: Hub, run_id: int) -> Expected:
    """What the app knows of the run that it dispatched."""
    mine = await verifier(hub).claims(token(hub, run_id))
    return Expected(mine.repository_id, run_id, 1, f"{HOME}/.github/workflows/shoal.yml@refs/heads/main")


async def test_the_run_that_was_dispatched_is_believed(hub: Hub, run_id: int) -> None:
    """Nothing speaks against its token."""
    claims = await verifier(hub).claims(token(hub, run_id))
    assert why_not(claims, await expected(hub, run_id)) == ""


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"repository_id": "1"}, "of repository 1"),
        ({"run_id": "7"}, "of run 7"),
        ({"run_attempt": "2"}, "run again by hand"),
        ({"event_name": "pull_request"}, "not by a dispatch"),
        ({"workflow_ref": f"{HOME}/.github/workflows/evil.yml@refs/heads/main"}, "evil.yml"),
        ({"workflow_ref": f"{HOME}/.github/workflows/shoal.yml@refs/heads/mine"}, "refs/heads/mine"),
    ],
)
async def test_another_runs_token_is_refused(hub: Hub, run_id: int, claims: dict[str, str], words: str) -> None:
    """Though GitHub signed it: repository, run, attempt, event, workflow and branch must be ours."""
    found = await verifier(hub).claims(token(hub, run_id, **claims))
    assert words in why_not(found, await expected(hub, run_id))


async def test_what_was_made_for_somebody_else_or_is_over_proves_nothing(hub: Hub, run_id: int) -> None:
    """Another audience, an expired one, one from the future, another issuer, one without an id, and no token at all."""
    now = int(time.time())
    wrong = [
        token(hub, run_id, audience="https://elsewhere.example.com"),
        token(hub, run_id, exp=now - 60),
        token(hub, run_id, nbf=now + 300),
        token(hub, run_id, iss="https://token.actions.githubusercontent.com"),
        token(hub, run_id, jti=None),
        "no.token.this",
        "",
    ]
    for one in wrong:
        with pytest.raises(NotProven):
            await verifier(hub).claims(one)


async def test_an_enterprise_that_put_its_name_into_the_issuer_is_believed_where_that_was_set(hub: Hub, run_id: int) -> None:
    """Elsewhere it is another issuer: told with both names and the setting."""
    theirs = f"{hub.url}/_services/token/acme-inc"
    mine = token(hub, run_id, iss=theirs)
    assert (await Verifier(theirs, AUDIENCE).claims(mine)).run_id == run_id
    with pytest.raises(NotProven, match=rf"of issuer `{theirs}`, expected is `{hub.url}/_services/token` \(SHOAL_OIDC_ISSUER\)"):
        await verifier(hub).claims(mine)


async def test_a_token_by_another_key_proves_nothing(hub: Hub, run_id: int) -> None:
    """Neither one that names our issuer's key, nor one by HMAC with a public value as its secret."""
    good = token(hub, run_id)
    name, claims = jwt.get_unverified_header(good)["kid"], jwt.decode(good, options={"verify_signature": False})
    forged = jwt.encode(claims, "a secret of at least thirty-two bytes", algorithm="HS256", headers={"kid": name})
    for one in (forged, good[:-8] + "AAAAAAAA", jwt.encode(claims, "", algorithm="none", headers={"kid": name})):
        with pytest.raises(NotProven):
            await verifier(hub).claims(one)


async def test_a_changed_key_is_fetched_once(hub: Hub, run_id: int) -> None:
    """The new key is found when a token names it; strangers who name keys that nobody has make us ask no more often."""
    ours = verifier(hub)
    await ours.claims(token(hub, run_id))
    hub.ask("POST", "/issuer/rotate")
    ours._fetched -= 60
    fresh = token(hub, run_id)
    assert (await ours.claims(fresh)).run_id == run_id
    stranger = jwt.encode({}, "a secret of at least thirty-two bytes", algorithm="HS256", headers={"kid": "unknown"})
    before = ours._fetched
    for _ in range(3):
        with pytest.raises(NotProven, match="does not have"):
            await ours.claims(stranger)
    assert ours._fetched == before


async def test_an_issuer_that_does_not_answer_is_no_refusal() -> None:
    """The runner is asked to come again."""
    with pytest.raises(TransientError):
        await Verifier("http://127.0.0.1:9/_services/token", AUDIENCE).claims(
            jwt.encode({}, "a secret of at least thirty-two bytes", algorithm="HS256", headers={"kid": "k"})
        )
