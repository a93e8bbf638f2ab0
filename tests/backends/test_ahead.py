"""Stories about runners that are started before there is an attempt: real processes of the real program."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from app.backends.local import LocalBackend
from shared import process
from shared.messages import RunnerLaunch

SECRET = "shoal_secret_" + "k" * 32
_APP = """
import asyncio, sys
from pathlib import Path
from app.backends.local import LocalBackend
backend = LocalBackend(Path(sys.argv[1]), 0, ahead=2)
asyncio.run(backend.prepare())
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[RunnerLaunch]:
    """To an app whose port nobody listens on: the runner says so in its log, again and again."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        yield RunnerLaunch(app_url=url, attempt_id="a1", secret=SECRET, work_dir=str(tmp_path))


async def prepared(backend: LocalBackend) -> list[psutil.Process]:
    """The runners that it has started for that."""
    before = psutil.Process().children()
    await backend.prepare()
    return [child for child in psutil.Process().children() if child not in before]


async def gone(*processes: psutil.Process) -> None:
    """Waits for their end (the test's own time-out is the limit)."""
    while any(process.is_alive(one.pid, one.create_time()) for one in processes if psutil.pid_exists(one.pid)):
        await asyncio.sleep(0.01)


async def told(log: Path) -> str:
    """What a log says, as soon as it says anything."""
    while not (log.exists() and log.stat().st_size):
        await asyncio.sleep(0.01)
    return log.read_text()


async def test_a_runner_that_waits_takes_the_next_attempt(tmp_path: Path, launch: RunnerLaunch) -> None:
    """It writes to the attempt's log, and the secret is in no argument and no variable; those that wait end with the app."""
    with closing(LocalBackend(tmp_path, 0, ahead=2)) as backend:
        ready = await prepared(backend)
        assert await prepared(backend) == []
        started = await backend.start(launch)
        assert len(ready) == 2
        assert started.pid in {one.pid for one in ready}
        runner = psutil.Process(started.pid)
        assert os.getsid(started.pid) == started.pid
        assert SECRET not in " ".join([*runner.cmdline(), *runner.environ().values()])
        assert await told(tmp_path / "logs" / "a1.log")
    await gone(*(one for one in ready if one.pid != started.pid))
    assert backend.alive(started.pid, started.started_at)
    assert await backend.stop(started.pid, started.started_at)


async def test_one_that_died_while_it_waited_is_missed_by_nobody(tmp_path: Path, launch: RunnerLaunch) -> None:
    """Another process is started instead; nothing is made ready once the app has closed."""
    with closing(LocalBackend(tmp_path, 0, ahead=1)) as backend:
        [ready] = await prepared(backend)
        ready.send_signal(signal.SIGKILL)
        await gone(ready)
        started = await backend.start(launch)
        assert started.pid != ready.pid
        assert await told(tmp_path / "logs" / "a1.log")
        assert await backend.stop(started.pid, started.started_at)
    assert await prepared(backend) == []


async def test_keys_in_a_file_and_keys_in_the_environment_are_not_mixed_up(tmp_path: Path, launch: RunnerLaunch) -> None:
    """One that was started with the operator's variables is not used for an attempt that shall read them from a file."""
    with closing(LocalBackend(tmp_path, 0, ahead=1)) as backend:
        [ready] = await prepared(backend)
        started = await backend.start(launch.model_copy(update={"model_keys": str(tmp_path / "keys")}))
        assert started.pid != ready.pid
        assert await backend.stop(started.pid, started.started_at)


async def test_those_that_wait_do_not_outlive_a_killed_app(tmp_path: Path) -> None:
    """kill -9: their standard input ends, and so do they."""
    command = [sys.executable, "-c", _APP, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        app.stdout.readline()
        ready = psutil.Process(app.pid).children()
        app.kill()
    assert len(ready) == 2
    await gone(*ready)
