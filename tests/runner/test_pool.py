"""Checkouts that go from task to task: always one owner, never a trace of the one before."""

import multiprocessing
import os
import signal
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest

from runner import pool, worktree
from runner.folder import TaskFolder
from tests.runner.checkouts import Checkouts, content, play

# What an agent or a test may leave behind to reach whoever comes next; each line is a trace that git alone may not see.
TRACES = {
    "an untracked file": "echo 'import os' > conftest.py",
    "an ignored file": "mkdir build; echo evil > build/words.log; echo evil > debug.log",
    "a changed file with its old time": "touch -r words.py /tmp/t; echo 'x = 9' > words.py; touch -r /tmp/t words.py",
    "a file marked executable": "chmod 755 words.py",
    "a mode that git does not record": "chmod 666 words.py; chmod 777 src; chmod 4755 run.sh",
    "a second link to a file": "ln words.py src/deep/link.py; ln run.sh other.sh",
    "two files that are one": "cp words.py a; rm src/deep/part.py; ln words.py src/deep/part.py",
    "a link out": "rm words.py; ln -s /etc/passwd words.py; ln -s / root",
    "a removed folder": "rm -rf src",
    "a file for a folder": "rm -rf src; echo no > src",
    "a folder for a file": "rm words.py; mkdir -p words.py/deep; echo x > words.py/deep/x",
    "swapped folders": "mkdir other; mv src/deep other/deep; mkdir src/deep; cp other/deep/part.py src/deep/part.py",
    "an empty folder": "mkdir -p empty/empty build",
    "a folder nobody may enter": "mkdir shut; echo x > shut/x; chmod 000 shut; chmod 000 src/deep",
    "a nested repository": "git init -q inner; echo x > inner/x",
    "a repository in a tracked folder": "git init -q src; git -C src config core.fsmonitor /tmp/evil",
    "a pipe": "mkfifo pipe; mkfifo src/deep/pipe",
    "attributes of git": "echo '* filter=evil' > .gitattributes; echo '!*' > src/.gitignore",
    "a name that is no text": "printf x > \"$(printf 'a\\377\\nb')\"",
}
# Deeper than a path may be long.
_DEEP = "import os; [(os.mkdir('d' * 200), os.chdir('d' * 200)) for _ in range(60)]"
_QUICK = {"an ignored file", "a changed file with its old time", "a second link to a file", "a repository in a tracked folder"}
EACH_TRACE = [pytest.param(name, marks=[] if name in _QUICK else pytest.mark.slow) for name in TRACES]


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    return Checkouts(tmp_path / "work")


@pytest.mark.parametrize("trace", EACH_TRACE)
def test_nothing_of_one_task_reaches_the_next(checkouts: Checkouts, trace: str) -> None:
    """The tree that comes out of the pool is the tree of a fresh checkout: names, kinds, modes, links and content."""
    fresh = checkouts.start("shoal/1-fresh", checkouts.second)
    one = checkouts.start("shoal/2-one")
    play(one, one.folder.tree, TRACES[trace])
    key, marked = one.folder.key.read_text(), one.folder.checkout.stat().st_ino
    checkouts.end(one)
    two = checkouts.start("shoal/3-two", checkouts.second)
    assert two.folder.checkout.stat().st_ino == marked, "it came from the pool"
    assert two.folder.key.read_text() == key
    assert content(two.folder.tree) == content(fresh.folder.tree)
    assert (two.folder.tree / ".git").read_text() == f"gitdir: {two.folder.git}\n"


@pytest.mark.parametrize("trace", EACH_TRACE)
def test_nothing_of_one_run_of_the_tests_reaches_the_next(checkouts: Checkouts, trace: str) -> None:
    """Evidence comes from commits: whatever tests leave behind, the next run sees only its commit."""
    fresh, desk = checkouts.start("shoal/1-fresh"), checkouts.start("shoal/2-one")
    worktree.set_up_check(fresh, checkouts.second)
    worktree.set_up_check(desk, checkouts.first)
    play(desk, desk.folder.check, TRACES[trace])
    worktree.set_up_check(desk, checkouts.second)
    assert content(desk.folder.check) == content(fresh.folder.check)


def test_what_did_not_change_is_not_written_again(checkouts: Checkouts) -> None:
    """That is what the pool saves: on another commit only the files that differ are made."""
    one = checkouts.start("shoal/1-one")
    same, changed = one.folder.tree / "src/deep/part.py", one.folder.tree / "words.py"
    before = same.stat().st_ino, same.stat().st_ctime_ns, changed.stat().st_ino
    checkouts.end(one)
    two = checkouts.start("shoal/2-two", checkouts.second)
    same, changed = two.folder.tree / "src/deep/part.py", two.folder.tree / "words.py"
    assert (same.stat().st_ino, same.stat().st_ctime_ns) == before[:2]
    assert changed.read_text() == "x = 2\n"


@pytest.mark.parametrize("what", ["attributes", "deep", "index", "stamp"])
def test_a_checkout_that_cannot_be_proven_is_thrown_away(checkouts: Checkouts, what: str) -> None:
    """Whatever is odd ends in a fresh checkout, never in an error and never in a doubt."""
    one = checkouts.start("shoal/1-one")
    if what == "attributes":
        os.setxattr(one.folder.tree / "src", "user.evil", b"x")
    elif what == "deep":
        play(one, one.folder.tree, f'python3 -c "{_DEEP}"')
    elif what == "index":
        (one.folder.indexes / "tree").write_bytes(b"DIRC no index")
    else:
        (one.folder.checkout / "tree.pristine").unlink()
    worktree.set_up(one)
    fresh = checkouts.start("shoal/2-fresh")
    assert content(one.folder.tree) == content(fresh.folder.tree)


def test_a_task_keeps_its_checkout_until_it_gives_it_back(checkouts: Checkouts) -> None:
    """A killed attempt's folder resumes with the same files and the same user; nobody else gets them."""
    one = checkouts.start("shoal/1-one")
    play(one, one.folder.tree, "echo work > work.txt")
    other = checkouts.start("shoal/2-other")
    assert pool.take(one.folder) == one.folder.key.read_text() != other.folder.key.read_text()
    assert (one.folder.tree / "work.txt").read_text() == "work\n"


def test_at_most_eight_wait_and_the_oldest_goes(checkouts: Checkouts) -> None:
    """Idle checkouts do not fill the disk."""
    for age in range(10):
        folder = checkouts.folder(f"shoal/{age}-x")
        pool.renew(folder, f"key {age}")
        (folder.checkout / "tree.pristine").touch()
        pool.give_back(folder)
        [entry] = [entry for entry in checkouts.entries() if (entry / "key").read_text() == f"key {age}"]
        os.utime(entry, (age, age))
    assert {(entry / "key").read_text() for entry in checkouts.entries()} == {f"key {age}" for age in range(2, 10)}
    assert not list((checkouts.work_dir / "trash").iterdir())


def _take(work_dir: Path, branch: str, gate: Barrier, found: "multiprocessing.Queue[tuple[str, str]]") -> None:
    folder = TaskFolder(work_dir, 7, branch)
    folder.root.mkdir(parents=True)
    gate.wait()
    found.put((branch, pool.take(folder)))


def test_runners_that_take_at_once_never_get_the_same(checkouts: Checkouts) -> None:
    """Eight processes, four entries: four keys from the pool and four new ones, each once."""
    desks = [checkouts.start(f"shoal/{number}-old") for number in range(4)]
    keys = {desk.folder.key.read_text() for desk in desks}
    for desk in desks:
        pool.give_back(desk.folder)
    context = multiprocessing.get_context("spawn")
    gate, found = context.Barrier(8), context.Queue()
    runners = [context.Process(target=_take, args=(checkouts.work_dir, f"shoal/{n}-new", gate, found)) for n in range(8)]
    for runner in runners:
        runner.start()
    taken = dict(found.get(timeout=60) for _ in runners)
    for runner in runners:
        runner.join()
    assert len(set(taken.values())) == 8
    assert keys < set(taken.values())
    assert not checkouts.entries()


def _hand_on_for_ever(work_dir: Path, branch: str, begun: Event) -> None:
    folder = TaskFolder(work_dir, 7, branch)
    folder.root.mkdir(parents=True, exist_ok=True)
    while True:
        pool.take(folder)
        (folder.checkout / "tree.pristine").touch()
        pool.give_back(folder)
        begun.set()


def test_a_runner_killed_while_it_hands_on_leaves_each_entry_in_one_place(checkouts: Checkouts) -> None:
    """Wherever SIGKILL meets it: in the task, in the pool or nowhere, never in two places, and never without its key."""
    context = multiprocessing.get_context("spawn")
    for number in range(6):
        begun = context.Event()
        runner = context.Process(target=_hand_on_for_ever, args=(checkouts.work_dir, f"shoal/{number}-x", begun))
        runner.start()
        assert begun.wait(timeout=60)
        assert runner.pid
        os.kill(runner.pid, signal.SIGKILL)
        runner.join()
    places = [*checkouts.entries(), *(checkouts.work_dir / "tasks" / "7").glob("*/checkout")]
    keys = [(place / "key").read_text() for place in places if (place / "key").exists()]
    assert len(keys) == len(set(keys))
    assert all((entry / "key").exists() for entry in checkouts.entries())
    after = checkouts.start("shoal/99-after")
    assert (after.folder.tree / "words.py").read_text() == "x = 1\n"
