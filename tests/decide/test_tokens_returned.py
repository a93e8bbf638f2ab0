"""A token that its runner gave back needs no second revocation; what nobody can vouch for is revoked by the app."""

from datetime import timedelta

import pytest

from app.decide.state import Attempt
from app.events import AttemptFinished, TokenMinted
from app.tokens_held import TokensHeld
from shared.github import fingerprint
from shared.models import AttemptReport, Verdict, VerdictName
from tests.support.decisions import Desk


def attempt_of(desk: Desk) -> Attempt:
    """The only one."""
    [attempt] = desk.state.attempts.values()
    return attempt


def granted() -> Desk:
    """An attempt that was handed a write token for an hour."""
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.publish(5)
    attempt = attempt_of(desk).id
    expires = desk.now + timedelta(hours=1)
    desk.tell(TokenMinted(repository_id=1, attempt=attempt, sequence=1, holder="app-1", expires_at=expires))
    return desk


def finish(desk: Desk, *, dead_for: timedelta | None) -> list[str]:
    """The places that are asked to revoke after the last word."""
    attempt = attempt_of(desk)
    assert attempt.token_expires_at is not None
    report = AttemptReport(verdict=Verdict(name=VerdictName.SUCCEEDED, reason="because"), head_sha="head-5")
    until = None if dead_for is None else attempt.token_expires_at + dead_for
    desk.tell(AttemptFinished(repository_id=1, attempt=attempt.id, nonce="n", report=report, tokens_dead_until=until))
    return [action.place for action in desk.asked("revoke_tokens")]


def test_what_the_runner_gave_back_is_not_revoked_again() -> None:
    """Nobody can write any more: nothing is asked, and nothing is waited for."""
    desk = granted()
    assert finish(desk, dead_for=timedelta(0)) == []
    assert attempt_of(desk).token_expires_at is None


@pytest.mark.parametrize("dead_for", [None, timedelta(seconds=-1)])
def test_a_token_that_nobody_vouches_for_is_revoked(dead_for: timedelta | None) -> None:
    """No word of the runner, or one from before the last token."""
    desk = granted()
    assert finish(desk, dead_for=dead_for) == ["app-1"]
    assert attempt_of(desk).token_expires_at is not None


def test_a_last_word_after_the_lease_was_lost_returns_nothing() -> None:
    """Whoever fell silent is not believed about its tokens: the app revokes them itself."""
    desk = granted()
    desk.wait(3600 / 2)
    assert attempt_of(desk).status == "lost"
    assert finish(desk, dead_for=timedelta(0)) == ["app-1"]


def test_every_token_is_compared_by_its_fingerprint() -> None:
    """One that was minted and never arrived is known to the app alone; none at all is no proof."""
    held = TokensHeld()
    assert not held.all_among("a", {fingerprint("one")})
    held.hold("a", "one")
    held.hold("a", "two")
    assert not held.all_among("a", {fingerprint("one")})
    assert held.all_among("a", {fingerprint("one"), fingerprint("two")})
    held.forget("a", {fingerprint("one")})
    assert held.of("a") == ("two",)
    held.forget("a")
    assert held.of("a") == ()
