"""Stories about GitHub's secondary limits, on a clock that only moves when somebody sleeps."""

import asyncio
from datetime import timedelta

import pytest

from app.github.pacing import Pace, Pacer
from shared.errors import TransientError


class Clock:
    """Sleeping takes no time but moves this clock, as soon as nothing else can run."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        wake = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, wake)


def pacer(clock: Clock, **pace: float) -> Pacer:
    return Pacer(Pace(**pace), clock, clock.sleep)


async def test_a_burst_passes_and_a_stream_is_slowed_to_the_rate() -> None:
    """Ten writes at once, then one a second."""
    clock = Clock()
    paced = pacer(clock)
    for _ in range(10):
        await paced.admit(1, write=True)
    assert clock.now == 1000.0
    for _ in range(7):
        await paced.admit(1, write=True)
    assert clock.now == pytest.approx(1007.0)


async def test_waiting_callers_are_served_in_their_order() -> None:
    """Nobody overtakes."""
    clock = Clock()
    paced = pacer(clock)
    served: list[int] = []

    async def write(number: int) -> None:
        await paced.admit(1, write=True)
        served.append(number)

    await asyncio.gather(*[write(number) for number in range(15)])
    assert served == list(range(15))


async def test_no_minute_holds_more_than_eighty_creations_beyond_the_burst() -> None:
    """After 80 at once the next ones come at 80 a minute."""
    clock = Clock()
    paced = pacer(clock, writes_per_second=1000, points_per_minute=100_000)
    for _ in range(86):
        await paced.admit(1, write=True, creates=True)
    assert clock.now == pytest.approx(1000 + 6 / (80 / 60))


async def test_a_long_wait_goes_back_to_the_queue_and_costs_nothing() -> None:
    """Who would have to wait longer than five seconds is told how long; those before and after are not held up by it."""
    clock = Clock()
    paced = pacer(clock, writes_per_second=1000, points_per_minute=100_000)
    crowd = [paced.admit(1, write=True, creates=True) for _ in range(90)]
    refused = [error for error in await asyncio.gather(*crowd, return_exceptions=True) if error is not None]
    assert len(refused) == 4
    for error in refused:
        assert isinstance(error, TransientError)
        assert error.after is not None
        assert timedelta(seconds=5) < error.after < timedelta(seconds=6)


async def test_the_hourly_limit_is_its_own() -> None:
    """Slow enough for the minute is still too much for the hour: number 501 has to wait."""
    clock = Clock()
    paced = pacer(clock, writes_per_second=1000, points_per_minute=100_000, content_per_hour=500)
    sent = 0

    async def one_a_second_for_ever() -> None:
        nonlocal sent
        while True:
            await paced.admit(1, write=True, creates=True)
            sent += 1
            clock.now += 1

    with pytest.raises(TransientError):
        await one_a_second_for_ever()
    assert 500 <= sent <= 650


async def test_reads_cost_points_and_installations_do_not_share() -> None:
    """900 reads a minute pass for one installation; another one starts afresh."""
    clock = Clock()
    paced = pacer(clock)
    for _ in range(900):
        await paced.admit(1, write=False)
    before = clock.now
    await paced.admit(1, write=False)
    assert clock.now > before
    before = clock.now
    await paced.admit(2, write=False)
    assert clock.now == before


async def test_when_github_says_stop_everybody_of_that_installation_stops() -> None:
    """Also who was asleep already; afterwards all goes on."""
    clock = Clock()
    paced = pacer(clock)
    for _ in range(10):
        await paced.admit(1, write=True)
    asleep = asyncio.create_task(paced.admit(1, write=True))
    await asyncio.sleep(0)
    paced.close(1, timedelta(seconds=60))
    with pytest.raises(TransientError, match="limits leave room"):
        await asleep
    with pytest.raises(TransientError):
        await paced.admit(1, write=False)
    await paced.admit(2, write=False)
    clock.now += 60
    await paced.admit(1, write=False)


async def test_what_is_left_of_the_hour_can_be_asked() -> None:
    """All of it at first, less by what was created, refilled by the clock; nothing while GitHub says stop."""
    clock = Clock()
    paced = pacer(clock, content_per_hour=3600)
    assert paced.content_left(1) == 3600
    for _ in range(5):
        await paced.admit(1, write=True, creates=True)
    assert paced.content_left(1) == 3595
    clock.now += 2
    assert paced.content_left(1) == 3597
    paced.close(1, timedelta(seconds=60))
    assert (paced.content_left(1), paced.content_left(2)) == (0, 3600)
