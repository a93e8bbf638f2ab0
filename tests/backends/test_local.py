"""Stories about runners as processes, with the real runner program: it calls an app that is not there, and waits."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.backends.backend import Started
from app.backends.local import LocalBackend
from shared import process
from shared.messages import RunnerLaunch

SECRET = "shoal_secret_" + "k" * 32


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[RunnerLaunch]:
    """To an app whose port is taken but answers nobody: the runner stays in its first call."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        yield RunnerLaunch(app_url=url, attempt_id="a1", secret=SECRET, work_dir=str(tmp_path))


async def test_a_runner_starts_in_its_own_session_with_nothing_of_ours(tmp_path: Path, launch: RunnerLaunch) -> None:
    """Neither Ctrl-C in our terminal nor our variables reach it, and the secret is in no argument and no variable."""
    backend = LocalBackend(tmp_path, 0)
    os.environ["SHOAL_WEBHOOK_SECRET"] = "not for runners"
    try:
        started = await backend.start(launch)
    finally:
        del os.environ["SHOAL_WEBHOOK_SECRET"]
    runner = psutil.Process(started.pid)
    assert os.getsid(started.pid) == started.pid
    assert backend.alive(started.pid, started.started_at)
    while not (words := runner.cmdline()):  # for a moment the kernel has closed what it inherited and not yet written the new words
        await asyncio.sleep(0.01)
    assert words[1:] == ["-I", "-m", "runner"]
    assert not [name for name in runner.environ() if name.startswith("SHOAL_")]
    assert SECRET not in " ".join([*runner.cmdline(), *runner.environ().values()])
    assert await backend.stop(started.pid, started.started_at)
    assert not backend.alive(started.pid, started.started_at)


async def test_a_runner_that_ends_leaves_no_zombie(tmp_path: Path, launch: RunnerLaunch) -> None:
    """Nobody has to ask for it."""
    backend = LocalBackend(tmp_path, 0)
    started = await backend.start(launch)
    os.kill(started.pid, signal.SIGKILL)
    # Only looked at: psutil's own wait would take the zombie away itself.
    for _ in range(2000):
        if not psutil.pid_exists(started.pid):
            break
        await asyncio.sleep(0.01)
    assert not psutil.pid_exists(started.pid)


async def test_a_stopped_runner_is_ended_with_all_it_started(tmp_path: Path, launch: RunnerLaunch) -> None:
    """SIGSTOP is no protection, and stopping what is dead already is fine."""
    backend = LocalBackend(tmp_path, 0)
    started = await backend.start(launch)
    os.kill(started.pid, signal.SIGSTOP)
    assert await backend.stop(started.pid, started.started_at)
    assert await backend.stop(started.pid, started.started_at)


async def test_another_process_with_that_number_is_left_alone(tmp_path: Path) -> None:
    """After a restart a pid may be anybody's: without the right start time nothing is signalled."""
    backend = LocalBackend(tmp_path, 0)
    with subprocess.Popen(["sleep", "60"]) as bystander:
        start = process.started_at(bystander.pid)
        assert start is not None
        assert await backend.stop(bystander.pid, start - 100)
        assert bystander.poll() is None
        bystander.kill()


def test_a_runner_outlives_a_killed_app_and_is_known_to_the_next_one(tmp_path: Path, launch: RunnerLaunch) -> None:
    """kill -9 of the app: its runner goes on, and a new app's backend finds and ends it by pid and start time."""
    program = (
        "import asyncio, json, sys\n"
        "from pathlib import Path\n"
        "from app.backends.local import LocalBackend\n"
        "from shared.messages import RunnerLaunch\n"
        "backend = LocalBackend(Path(sys.argv[1]), 0)\n"
        "started = asyncio.run(backend.start(RunnerLaunch.model_validate_json(sys.stdin.readline())))\n"
        "print(json.dumps([started.pid, started.started_at]), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as app:
        assert app.stdin is not None
        assert app.stdout is not None
        app.stdin.write(launch.model_dump_json() + "\n")
        app.stdin.flush()
        started = Started(*json.loads(app.stdout.readline()))
        app.kill()
    next_app = LocalBackend(tmp_path, 0)
    assert next_app.alive(started.pid, started.started_at)
    process.end_tree(started.pid)
    assert not next_app.alive(started.pid, started.started_at)


def test_room_is_what_is_left_beyond_the_reserve(tmp_path: Path) -> None:
    """More reserve is less room, never less than none."""
    assert LocalBackend(tmp_path, 0).machine().free_memory_mib > 0
    assert LocalBackend(tmp_path, 1e9).machine().free_memory_mib == 0
