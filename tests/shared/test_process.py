"""Commands end whole, within their limits, and say how."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from shared.process import Ended, Limits, end_tree, environment, is_alive, run, started_at

# A child that leaves its session and its parent, writes its process id, and ignores the polite signal.
_ESCAPE = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > escaped; sleep 300' & "


def command(folder: Path, script: str, limits: Limits | None = None, **more: object) -> Ended:
    return run(["sh", "-c", script], cwd=folder, env=environment(), limits=limits, **more)  # type: ignore[arg-type]


def wait_for_file(path: Path) -> str:
    for _ in range(500):
        if path.exists() and (text := path.read_text().strip()):
            return text
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


def test_a_command_that_ends_well_is_ok_and_its_output_is_kept(tmp_path: Path) -> None:
    """Both streams, in the tail, in the log and line by line."""
    lines: list[str] = []
    ended = command(tmp_path, "echo one; echo two >&2; printf three", log=tmp_path / "log", on_line=lines.append)
    assert ended.ok
    assert ended.tail == "one\ntwo\nthree"
    assert (tmp_path / "log").read_text() == "one\ntwo\nthree"
    assert lines == ["one", "two", "three"]


def test_exit_code_and_signal_are_told_apart(tmp_path: Path) -> None:
    """`exit 3` is not a kill, and a kill is not an exit code."""
    assert (command(tmp_path, "exit 3").reason, command(tmp_path, "exit 3").exit_code) == ("exited", 3)
    killed = command(tmp_path, "kill -KILL $$")
    assert (killed.reason, killed.exit_code, killed.ok) == ("signalled", -9, False)


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("sleep 300", Limits(seconds=0.2), "timeout"),
        ("echo once; sleep 300", Limits(inactive_seconds=0.2), "inactive"),
        ("yes", Limits(output_bytes=1_000_000), "output_limit"),
        (
            f"exec {sys.executable} -c 'x = bytearray(300 << 20); import time; time.sleep(300)'",
            Limits(memory_mib=100),
            "memory_limit",
        ),
    ],
)
def test_every_limit_ends_the_command_and_is_named(tmp_path: Path, script: str, limits: Limits, reason: str) -> None:
    """A limit that is hit is never mistaken for success, even when the shell would exit 0 on TERM."""
    ended = command(tmp_path, f"trap 'exit 0' TERM; {script}", limits)
    assert (ended.reason, ended.ok) == (reason, False)


def test_a_stop_ends_children_that_left_the_session(tmp_path: Path) -> None:
    """Descendants are listed before the first signal: setsid and an ignored TERM do not save them."""
    stop = threading.Event()
    ended: list[Ended] = []
    runner = threading.Thread(target=lambda: ended.append(command(tmp_path, f"{_ESCAPE} sleep 300", stop=stop)))
    runner.start()
    escaped = int(wait_for_file(tmp_path / "escaped"))
    stop.set()
    runner.join()
    assert ended[0].reason == "stopped"
    assert started_at(escaped) is None


def test_background_children_of_its_group_do_not_outlive_the_command(tmp_path: Path) -> None:
    """A command that ends well may have left something running; it does not go on."""
    assert command(tmp_path, "sleep 300 & echo $! > left").ok
    left = int((tmp_path / "left").read_text())
    for _ in range(200):
        if started_at(left) is None:
            return
        time.sleep(0.01)
    raise AssertionError("it still runs")


def test_a_flood_of_output_is_not_held_in_memory(tmp_path: Path) -> None:
    """300 MB of tiny lines: counted to the last byte, both ends in the log, and we are no larger for it."""
    before = psutil.Process().memory_info().rss
    script = "echo first; yes | head -c 300000000; echo last"
    ended = command(tmp_path, script, Limits(output_bytes=None, log_bytes=1_000_000), log=tmp_path / "log")
    assert ended.ok
    assert ended.output_bytes == 300_000_000 + len("first\nlast\n")
    log = (tmp_path / "log").read_text()
    assert (log[:7], log[-7:], len(log)) == ("first\ny", "y\nlast\n", 1_000_000)
    assert psutil.Process().memory_info().rss - before < 20 * 2**20


def test_a_flood_is_ended_by_its_limit(tmp_path: Path) -> None:
    """And its log is whole."""
    ended = command(tmp_path, "yes", Limits(output_bytes=5_000_000, log_bytes=100_000), log=tmp_path / "log")
    assert ended.reason == "output_limit"
    assert (tmp_path / "log").stat().st_size == 100_000


def test_an_event_of_a_megabyte_arrives_whole(tmp_path: Path) -> None:
    """Agents say in one line of JSON what a tool printed; only what is longer still is cut, and the next line is not lost."""
    lines: list[str] = []
    script = "head -c 1000000 /dev/zero | tr '\\0' x; echo; head -c 3000000 /dev/zero | tr '\\0' y; echo; echo next"
    ended = command(tmp_path, script, on_line=lines.append)
    assert [(line[0], len(line)) for line in lines] == [("x", 1_000_000), ("y", 2**20), ("n", 4)]
    assert [len(line) for line in ended.tail.split("\n")] == [4000, 4000, 4]


def test_a_bug_in_who_listens_is_not_lost(tmp_path: Path) -> None:
    """The command ends, and the error comes to whoever started it."""

    def listen(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="hello"):
        command(tmp_path, "echo hello; sleep 300", on_line=listen)


def test_a_command_that_lingers_after_its_result_is_ended(tmp_path: Path) -> None:
    """It has done its work, so that is a good end; one that goes away by itself is simply that."""
    finished = threading.Event()

    def listen(_line: str) -> None:
        finished.set()

    hangs = command(tmp_path, "echo result; sleep 300", Limits(linger_seconds=0.1), on_line=listen, finished=finished)
    assert (hangs.reason, hangs.ok) == ("lingered", True)
    goes = command(tmp_path, "echo result; exit 3", Limits(linger_seconds=20), on_line=listen, finished=finished)
    assert (goes.reason, goes.exit_code, goes.ok) == ("exited", 3, False)


def test_a_spent_budget_ends_a_command_at_once(tmp_path: Path) -> None:
    """Told apart from a stop by a person."""
    cut = threading.Event()
    ended = command(tmp_path, "echo turn; sleep 300", on_line=lambda _: cut.set(), cut=cut)
    assert (ended.reason, ended.ok) == ("cut", False)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_a_command_that_fills_the_disk_is_ended_before_it_is_full(tmp_path: Path) -> None:
    """Others live on that disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "small", str(disk)], check=True)
    try:
        fill = "while true; do head -c 1000000 /dev/zero >> file; sleep 0.01; done"
        ended = run(["sh", "-c", fill], cwd=disk, env=environment(), limits=Limits(free_disk_mib=32))
        assert (ended.reason, ended.ok) == ("disk_limit", False)
        assert (disk / "file").stat().st_size < 64_000_000
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_log_that_cannot_be_written_does_not_end_the_command(tmp_path: Path) -> None:
    """It is said in the tail."""
    ended = command(tmp_path, "echo hello", log=Path("/dev/full"))
    assert ended.ok
    assert ended.tail == "(its log could not be written: No space left on device)\nhello"


def test_children_that_left_by_a_double_fork_do_not_outlive_a_limit(tmp_path: Path) -> None:
    """Twenty of them, no longer below the command, in their own sessions, deaf to TERM: within two seconds none is left."""
    escape = "(setsid sh -c 'trap \"\" TERM; echo $$ >> escaped; while true; do sleep 1; done' &)"
    script = f"trap '' TERM; for n in $(seq 20); do {escape}; done; while true; do sleep 1; done"
    stop = threading.Event()
    ended: list[Ended] = []
    runner = threading.Thread(target=lambda: ended.append(command(tmp_path, script, stop=stop)))
    runner.start()
    while len(wait_for_file(tmp_path / "escaped").split()) < 20:
        time.sleep(0.01)
    escaped = [int(pid) for pid in (tmp_path / "escaped").read_text().split()]
    assert all(started_at(pid) for pid in escaped)
    stop.set()
    runner.join()
    assert ended[0].reason == "stopped"
    assert [pid for pid in escaped if started_at(pid)] == []


def test_no_command_leaves_its_memory_on_the_disk(tmp_path: Path) -> None:
    """A core file may hold what was secret."""
    assert command(tmp_path, "sleep 0.3; ulimit -c; ulimit -Hc").tail == "0\n0"


def test_a_line_without_an_end_is_cut(tmp_path: Path) -> None:
    """A progress bar of a megabyte is no line that anybody wants in a report."""
    ended = command(tmp_path, "head -c 1000000 /dev/zero | tr '\\0' x")
    assert ended.ok
    assert max(len(line) for line in ended.tail.split("\n")) <= 4000


def test_time_and_memory_of_short_commands_are_counted(tmp_path: Path) -> None:
    """Also when they begin and end between two samples.

    Asked by a process as small as a runner, which something larger has started: the kernel's peak of a child counts from
    its parent's.
    """
    large = bytearray(b"x") * (500 << 20)
    busy = "x = bytearray(400 << 20)\nfor index in range(300_000): x[index] = 1"
    script = (
        "import pathlib, sys, shared.process as p\n"
        f"ended = p.run([sys.executable, '-c', {busy!r}], cwd=pathlib.Path({str(tmp_path)!r}), env=p.environment())\n"
        "print(ended.cpu_seconds > 0, ended.peak_memory_mib > 400)"
    )
    seen = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert len(large) > 0
    assert seen.split() == ["True", "True"]


def test_the_environment_is_an_allow_list() -> None:
    """A credential or an interpreter setting of ours reaches no child."""
    script = (
        "import os, shared.process\n"
        "os.environ.update(GITHUB_TOKEN='x', PYTHONPATH='y', LANG='C.UTF-8', VIRTUAL_ENV='/v', PATH='/v/bin:/usr/bin')\n"
        "print(sorted(shared.process.environment({'HOME': '/h'}).items()))"
    )
    seen = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env={"PATH": "/usr/bin"}
    ).stdout
    assert seen.strip() == "[('HOME', '/h'), ('LANG', 'C.UTF-8'), ('PATH', '/usr/bin')]"


def test_a_program_that_is_missing_is_an_error_of_the_caller(tmp_path: Path) -> None:
    """It is not confused with a command that failed."""
    with pytest.raises(FileNotFoundError):
        run(["no-such-program-anywhere"], cwd=tmp_path, env=environment())


def test_a_process_is_named_by_pid_and_start(tmp_path: Path) -> None:
    """A recycled pid is somebody else; a zombie is nobody."""
    child = subprocess.Popen(["sleep", "300"], cwd=tmp_path)
    start = started_at(child.pid)
    assert start is not None
    assert is_alive(child.pid, start)
    assert not is_alive(child.pid, start - 100)
    end_tree(child.pid)
    assert not is_alive(child.pid, start)
    assert child.wait() == -15, "its status was left for us"
    end_tree(os.getpid() + 4_000_000)  # nobody there: nothing happens
