"""The sandbox: the strongest level that really works, and an honest word where it is weaker."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.sandbox import Bind, Room, Sandbox, choose, program_binds
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


def test_a_configured_program_brings_its_own_files(tmp_path: Path) -> None:
    """A command outside /usr is bound with its prefix, and so is every file that its arguments name."""
    program = tmp_path / "tool" / "bin" / "agent"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    settings = tmp_path / "settings.json"
    settings.touch()
    assert {bind.source for bind in program_binds((str(program), "--settings", str(settings), "/usr/bin/env"))} == {
        tmp_path / "tool",
        settings,
        program,
    }
