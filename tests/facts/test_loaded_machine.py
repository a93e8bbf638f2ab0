"""A really loaded machine: what may run at once shrinks while it is pressed, and grows again when it is calm."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.facts.capacity import read_pressure
from app.loop import Loop
from app.planning.capacity import CALM, Marks, Sample, Throttle
from app.store import pool
from tests.support.loops import open_loop

_SLOTS = 4  # of the policy that the loops of tests have


@contextmanager
def burners(count: int) -> Iterator[None]:
    """So many processes that do nothing but reckon."""
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()


async def measured_until(loop: Loop, marks: dict[str, Marks], is_so: Callable[[Throttle], bool]) -> Throttle:
    """Real samples, one a second, until it is so; what the loop keeps of them is read from its database."""
    while True:
        await loop.measured(read_pressure(), marks)
        found = await loop.database.read(lambda c: pool.throttle(c, loop.membership.me.host))
        if found is not None and is_so(found):
            return found
        await asyncio.sleep(1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_slots_shrink_under_load_and_come_back_one_by_one(tmp_path: Path) -> None:
    """Twelve times as many burners as cores; the marks lie above what others load this machine with while the test runs."""
    cores = os.cpu_count() or 1
    before = read_pressure().values["load"]
    marks = {"load": Marks(high=before + 3, low=before + 1.5)}
    async with open_loop(tmp_path, run=False, pressure=read_pressure) as loop:
        with burners(12 * cores):
            halved = await measured_until(loop, marks, lambda now: now.allowed == _SLOTS // 2)
        assert halved.because.startswith("load ")
        assert halved.shrunk_at is not None
        grown = await measured_until(loop, marks, lambda now: now.allowed == _SLOTS // 2 + 1)

    assert grown.calm_since is not None
    assert grown.calm_since - halved.shrunk_at >= CALM


async def test_what_was_measured_is_still_known_after_a_restart(tmp_path: Path) -> None:
    """The next app on this database starts with what the last one had allowed."""
    async with open_loop(tmp_path, run=False, pressure=read_pressure) as loop:
        await loop.measured(Sample({"load": 9.0}))
    async with open_loop(tmp_path, run=False, pressure=read_pressure) as loop:
        room = await loop.room()
    async with open_loop(tmp_path, run=False) as unmeasured:
        assert (await unmeasured.room()).allowed == _SLOTS
    assert (room.slots, room.allowed, room.because) == (_SLOTS, _SLOTS // 2, "load 9.0 per core")
