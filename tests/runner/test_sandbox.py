"""The sandbox: the strongest level that really works, and an honest word where it is weaker."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runner.sandbox import Bind, Room, Sandbox, choose
from shared.process import Limits

BUBBLEWRAP = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed here")


def room_in(sandbox: Sandbox, folder: Path, *binds: Bind) -> Room:
    sandbox.give(folder)
    return Room(cwd=folder, home=folder, binds=(Bind(folder, writable=True), *binds))


@BUBBLEWRAP
def test_bubblewrap_is_chosen_where_it_works(tmp_path: Path) -> None:
    """It is tried, not assumed."""
    sandbox = choose("preferred", "key", tmp_path)
    assert (sandbox.level, sandbox.why) == ("bubblewrap", "")
    assert list(tmp_path.iterdir()) == []


def test_without_the_program_the_package_is_named(tmp_path: Path) -> None:
    """And the level is what is left."""
    ask = (
        "import sys; from pathlib import Path; from runner.sandbox import choose\n"
        "sandbox = choose('preferred', 'key', Path(sys.argv[1])); print(sandbox.level, sandbox.why)"
    )
    seen = subprocess.run([sys.executable, "-c", ask, str(tmp_path)], env={"PATH": ""}, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "process bwrap is not installed (package bubblewrap)"


@BUBBLEWRAP
def test_two_tasks_cannot_touch_each_other(tmp_path: Path) -> None:
    """What is not bound does not exist; what is bound to read cannot be written; a rebind by name changes nothing."""
    mine, theirs = choose("preferred", "one", tmp_path), choose("preferred", "two", tmp_path)
    theirs.give(tmp_path / "theirs")
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "file").write_text("text")
    room = room_in(mine, tmp_path / "mine", Bind(shared))
    script = f"cat {shared}/file; ls {tmp_path}/theirs; echo x > {shared}/file; echo y > mine; id -u"
    ended = mine.run(["sh", "-c", script], room, limits=Limits(seconds=20))
    assert ended.tail.startswith("text")
    assert "No such file" in ended.tail
    assert "Read-only" in ended.tail or "Permission denied" in ended.tail
    assert (shared / "file").read_text() == "text"
    assert (tmp_path / "mine" / "mine").exists()
    if os.geteuid() == 0:
        assert ended.tail.split("\n")[-1] not in {"0", str(theirs.uid)}


@BUBBLEWRAP
def test_folders_that_only_we_can_reach_work_all_the_same(tmp_path: Path) -> None:
    """The work may lie below a folder of mode 700."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    sandbox = choose("preferred", "key", closed)
    assert sandbox.level == "bubblewrap"
    room = room_in(sandbox, closed / "room")
    assert sandbox.run(["sh", "-c", "echo x > file"], room, limits=Limits(seconds=20)).ok


@BUBBLEWRAP
def test_the_machines_python_works_inside(tmp_path: Path) -> None:
    """Also when a version manager keeps it in a home directory behind a shim."""
    sandbox = choose("preferred", "key", tmp_path)
    inside = sandbox.run(
        ["python3", "-c", "import ssl, sqlite3; print('works')"], room_in(sandbox, tmp_path / "r"), limits=Limits(seconds=20)
    )
    assert inside.tail == "works"


@BUBBLEWRAP
def test_no_network_unless_the_room_has_one(tmp_path: Path) -> None:
    """Loopback included: there is none of ours."""
    sandbox = choose("preferred", "key", tmp_path)
    room = room_in(sandbox, tmp_path / "r")
    count = ["sh", "-c", "cat /proc/net/dev | grep -c :"]
    alone = sandbox.run(count, room, limits=Limits(seconds=20))
    shared = sandbox.run(count, room._replace(network=True), limits=Limits(seconds=20))
    assert alone.tail == "1", "only its own, unconfigured loopback"
    assert int(shared.tail) >= int(alone.tail)


def test_without_isolation_home_and_environment_are_still_private(tmp_path: Path) -> None:
    """The weakest level keeps our variables away from an agent."""
    sandbox = choose("none", "key", tmp_path)
    room = room_in(sandbox, tmp_path / "r")
    ended = sandbox.run(["sh", "-c", "echo $HOME $SHOAL_ATTEMPT $PYTEST_CURRENT_TEST"], room, limits=Limits(seconds=20))
    assert ended.tail == f"{tmp_path / 'r'} 1"


@BUBBLEWRAP
def test_the_user_inside_has_a_name_and_a_home(tmp_path: Path) -> None:
    """Programs ask for it when they start, and some end when there is none."""
    sandbox = choose("preferred", "key", tmp_path)
    room = room_in(sandbox, tmp_path / "r")
    ask = "import getpass, pwd, os; print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir)"
    python = sandbox.run(["python3", "-c", ask], room, limits=Limits(seconds=20))
    assert python.tail == f"agent {tmp_path / 'r'}"
    if shutil.which("node"):
        ask = "const user = require('os').userInfo(); console.log(user.username, user.homedir)"
        assert sandbox.run(["node", "-e", ask], room, limits=Limits(seconds=20)).tail == python.tail


@BUBBLEWRAP
@pytest.mark.parametrize("network", [False, True])
def test_our_environment_can_be_read_nowhere(tmp_path: Path, network: bool) -> None:
    """Not its own, not that of the first process, not that of any parent: a secret of the runner is not in them."""
    ask = """
import sys
from pathlib import Path
from runner.sandbox import Bind, Room, choose
from shared.process import Limits
place, script = Path(sys.argv[1]), sys.argv[2]
sandbox = choose("required", "key", place)
sandbox.give(place / "r")
room = Room(place / "r", place / "r", (Bind(place / "r", writable=True),), network=sys.argv[3] == "True")
print(sandbox.level, sandbox.run(["sh", "-c", script], room, limits=Limits(seconds=20)).tail)
"""
    script = "for one in /proc/[0-9]*; do tr '\\0' '\\n' < $one/environ; cat $one/cmdline; done; echo; echo its parent is $PPID"
    env = {"PATH": os.environ["PATH"], "MODEL_KEY": "sk-very-secret"}
    run = subprocess.run(
        [sys.executable, "-c", ask, str(tmp_path), script, str(network)], env=env, capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("bubblewrap ")
    assert "SHOAL_ATTEMPT=1" in run.stdout
    assert run.stdout.rstrip().endswith("its parent is 1")
    assert "sk-very-secret" not in run.stdout


@BUBBLEWRAP
def test_writing_outside_fails(tmp_path: Path) -> None:
    """Neither beside the work, nor in the system, nor through a link, nor a device."""
    sandbox = choose("preferred", "key", tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    room = room_in(sandbox, tmp_path / "r")
    places = [f"{outside}/x", "/usr/x", "/etc/passwd", "/x", "/dev/x", "/proc/sys/kernel/core_pattern", "link/x"]
    write = "(echo x > $place) 2> /dev/null && echo wrote $place"
    script = f"ln -s {outside} link; for place in {' '.join(places)}; do {write}; done; echo done"
    assert sandbox.run(["sh", "-c", script], room, limits=Limits(seconds=20)).tail == "done"
    assert list(outside.iterdir()) == []


@BUBBLEWRAP
def test_places_in_memory_have_an_end(tmp_path: Path) -> None:
    """Files in shared memory are in no process's account, so they could take the whole machine."""
    sandbox = choose("preferred", "key", tmp_path)
    script = "df --output=size -B1M /dev/shm /run /tmp | tail -n 3 | xargs"
    ended = sandbox.run(["sh", "-c", script], room_in(sandbox, tmp_path / "r"), limits=Limits(seconds=20))
    assert ended.tail == "256 16 2048"


@pytest.fixture
def listening() -> Iterator[int]:
    """A service of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@BUBBLEWRAP
def test_services_on_loopback_cannot_be_reached(tmp_path: Path, listening: int) -> None:
    """A database of the machine is none of the agent's business."""
    sandbox = choose("preferred", "key", tmp_path)
    room = room_in(sandbox, tmp_path / "r")
    ask = ["python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {listening}), 5); print('reached')"]
    assert "refused" in sandbox.run(ask, room, limits=Limits(seconds=20)).tail
    assert sandbox.run(ask, room._replace(network=True), limits=Limits(seconds=20)).tail == "reached"


@BUBBLEWRAP
def test_a_socket_can_be_brought_in(tmp_path: Path) -> None:
    """The only way out of a room without network: to the model's proxy."""
    sandbox = choose("preferred", "key", tmp_path)
    place = tmp_path / "closed" / "model.sock"
    place.parent.mkdir(mode=0o700)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(place))
        server.listen()
        sandbox.hand_over(place)

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.sendall(b"from the proxy")

        answering = threading.Thread(target=answer)
        answering.start()
        room = room_in(sandbox, tmp_path / "r", Bind(place, target=Path("/run/model.sock")))
        ask = "import socket; to = socket.socket(socket.AF_UNIX); to.connect('/run/model.sock'); print(to.recv(99).decode())"
        ended = sandbox.run(["python3", "-c", ask], room, limits=Limits(seconds=20))
        assert ended.tail == "from the proxy"
        answering.join()


@BUBBLEWRAP
def test_memory_inside_is_counted_for_all_together(tmp_path: Path) -> None:
    """Three children that each stay below the limit are above it together."""
    sandbox = choose("preferred", "key", tmp_path)
    room = room_in(sandbox, tmp_path / "r")
    eat = "python3 -c 'x = bytearray(60 << 20); import time; time.sleep(300)' &"
    ended = sandbox.run(["sh", "-c", f"{eat} {eat} {eat} wait"], room, limits=Limits(seconds=60, memory_mib=120))
    assert ended.reason == "memory_limit"
    assert ended.peak_memory_mib > 120


def test_two_commands_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    """What one left behind is ended, what the other still runs is not: linters run beside the tests."""
    ask = """
import sys, threading
from pathlib import Path
from runner.sandbox import Room, adopt_orphans, choose
from shared.process import Limits
adopt_orphans()
place = Path(sys.argv[1])
sandbox, room, tails = choose("none", "key", place), Room(place, place, ()), []
def work(script):
    tails.append(sandbox.run(["sh", "-c", script], room, limits=Limits(seconds=30)).tail)
wait = "do sleep 0.02; done"
slow = f"(setsid sleep 300 & echo $! > theirs); until [ -e first-is-done ]; {wait}; kill -0 $(cat theirs) && echo alive"
other = threading.Thread(target=work, args=(slow,))
other.start()
work(f"until [ -s theirs ]; {wait}; (setsid sleep 300 & echo $! > mine)")
work("kill -0 $(cat mine) 2> /dev/null || echo gone")
(place / "first-is-done").touch()
other.join()
print(tails)
"""
    run = subprocess.run([sys.executable, "-c", ask, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "['', 'gone', 'alive']"
