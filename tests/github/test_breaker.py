"""When GitHub is down: asked no more after a row of failures, tried by one request, and told to whoever looks."""

from collections.abc import Iterator

import pytest
import stamina

from app.github.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Breaker
from app.github.client import NotFound
from shared.errors import TransientError
from tests.github.conftest import REPOSITORY, Home


@pytest.fixture
def no_waiting() -> Iterator[None]:
    """Tries are counted as always; the pauses between them are left out."""
    stamina.set_testing(True, attempts=9, cap=True)
    yield
    stamina.set_testing(False)


def _down(now: float = 0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES):
        breaker = breaker.failed(now)
    return breaker


def test_bad_luck_is_not_an_outage() -> None:
    """Whatever answers in between begins the count anew."""
    breaker = Breaker()
    for _ in range(5):
        for _ in range(FAILURES - 1):
            breaker = breaker.failed(0)
        breaker = breaker.succeeded()
    assert (breaker.state(0), breaker.admit(0)[1]) == ("closed", 0)


def test_an_outage_is_tried_by_one_request_at_a_time() -> None:
    """Nobody asks for a while, then one does; an answer opens the door to all."""
    down = _down()
    assert (down.state(1), down.admit(1)[1]) == ("open", FIRST_PAUSE - 1)
    probing, wait = down.admit(FIRST_PAUSE)
    assert (probing.state(FIRST_PAUSE), wait) == ("half_open", 0)
    assert probing.admit(FIRST_PAUSE + 1)[1] > 0
    assert probing.succeeded().admit(FIRST_PAUSE + 1) == (Breaker(), 0)


def test_each_try_that_fails_makes_the_pause_longer() -> None:
    """Up to a minute; a request that was under way when it opened does not count as a try."""
    breaker = _down()
    assert breaker.failed(1).until == breaker.until
    pauses = []
    for _ in range(6):
        assert breaker.until is not None
        pauses.append(breaker.pause)
        probing, _ = breaker.admit(breaker.until)
        breaker = probing.failed(breaker.until)
    assert pauses == [FIRST_PAUSE, 10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE]


def test_a_probe_that_never_came_back_lets_another_one_go() -> None:
    """Its task was cancelled: nobody waits for it longer than a pause."""
    probing, _ = _down().admit(FIRST_PAUSE)
    assert probing.admit(3 * FIRST_PAUSE)[1] == 0


@pytest.mark.usefixtures("no_waiting")
async def test_a_dead_github_is_left_alone(home: Home) -> None:
    """Real HTTP: after the row of failures nothing is sent, the caller hears how long; a refusal is an answer like any other."""
    async with home.open_app() as github:
        client = github.repository(REPOSITORY, home.id, home.installation)
        await client.about()
        home.hub.fault("/repos/", 503, times=1000)
        for _ in range(4):
            with pytest.raises(TransientError):
                await client.about()
        sent = len(home.hub.requests("GET", f"/repos/{REPOSITORY}"))
        assert sent == 1 + FAILURES
        assert github.health == "open"
        with pytest.raises(TransientError, match="has not answered") as caught:
            await client.about()
        assert caught.value.after is not None
        assert len(home.hub.requests("GET", f"/repos/{REPOSITORY}")) == sent


async def test_a_refusal_is_no_outage(home: Home) -> None:
    """404 again and again says that GitHub is well."""
    async with home.open_app() as github:
        client = github.repository(f"{REPOSITORY}-gone", home.id, home.installation)
        for _ in range(FAILURES + 1):
            with pytest.raises(NotFound):
                await client.about()
        assert github.health == "closed"
