"""Stories about places: no more runners are alive at once than there may be, for their memory adds up."""

import os
import signal
import socket
from pathlib import Path

import pytest

from app.backends.local import LocalBackend
from shared.messages import RunnerLaunch
from tests.backends.test_ahead import SECRET, told


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    """For one runner at a time."""
    return LocalBackend(tmp_path, 0, slots=1)


@pytest.fixture
def launches(tmp_path: Path) -> list[RunnerLaunch]:
    """Two attempts, at an app whose port nobody listens on: a runner says so in its log, and waits."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    return [RunnerLaunch(app_url=url, attempt_id=name, secret=SECRET, work_dir=str(tmp_path)) for name in ("a1", "a2")]


async def test_a_successor_starts_when_the_one_before_has_ended(
    tmp_path: Path, backend: LocalBackend, launches: list[RunnerLaunch]
) -> None:
    """One that ends has a moment to clear up; only then the memory of the next one is asked for."""
    first = await backend.start(launches[0])
    await told(tmp_path / "logs" / "a1.log")
    os.kill(first.pid, signal.SIGTERM)
    second = await backend.start(launches[1])
    assert not backend.alive(first.pid, first.started_at)
    assert await backend.stop(second.pid, second.started_at)


async def test_one_that_does_not_end_is_not_waited_for_for_ever(
    tmp_path: Path, backend: LocalBackend, launches: list[RunnerLaunch]
) -> None:
    """What it clears up may be large: its successor does not starve."""
    first = await backend.start(launches[0])
    await told(tmp_path / "logs" / "a1.log")
    os.kill(first.pid, signal.SIGSTOP)
    second = await backend.start(launches[1])
    assert backend.alive(first.pid, first.started_at)
    assert backend.alive(second.pid, second.started_at)
    assert await backend.stop(first.pid, first.started_at)
    assert await backend.stop(second.pid, second.started_at)
