"""Contents and past of real repositories and folders, also of odd ones."""

import os
from pathlib import Path

from app.facts.index import read_index, read_past
from app.facts.tree import list_commit, list_folder
from app.planning.contents import Wanted
from app.planning.past import NO_PAST
from shared.git import git
from tests.facts.test_tree import AUTHOR, commit_all, make_repository

WANTED = Wanted(frozenset({"router", "session"}), frozenset({"open_session"}))


def test_a_checkout_and_its_bare_repository_say_the_same(tmp_path: Path) -> None:
    """By the words asked for; a binary file, a link and a sub-module say nothing."""
    make_repository(tmp_path / "sub", "x.py")
    make_repository(tmp_path / "r", "a.py")
    (tmp_path / "r/a.py").write_text("class Router:\n    def open_session(self): ...\n")
    (tmp_path / "r/b.bin").write_bytes(b"router\0router")
    (tmp_path / "r/link.py").symlink_to("/etc/passwd")
    (tmp_path / "r/caf\udce9.py").write_bytes(b"# router caf\xe9")
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "sub"), "sub", cwd=tmp_path / "r")
    sha = commit_all(tmp_path / "r")
    here = read_index(list_folder(tmp_path / "r"), WANTED)
    bare = read_index(list_commit(tmp_path / "r/.git", sha), WANTED)
    assert (here.names.tree, here.contents, here.past) == (bare.names.tree, bare.contents, bare.past)
    paths = here.names.tree.paths
    assert [paths[number] for number in here.contents.words["router"]] == ["a.py", "caf\\xe9.py"]
    assert [paths[number] for number in here.contents.definitions["open_session"]] == ["a.py"]


def test_a_plain_folder_is_read_without_a_past(tmp_path: Path) -> None:
    """Its files count; what is no regular file is passed by, also a pipe that nobody writes to."""
    (tmp_path / "a.py").write_text("session = 1\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    os.mkfifo(tmp_path / "pipe.py")
    index = read_index(list_folder(tmp_path), WANTED)
    assert index.contents.words == {"session": (0,)}
    assert index.past == NO_PAST


def test_the_past_is_messages_and_files_newest_first(tmp_path: Path) -> None:
    """Whatever a message holds, and files by the names that the tree shows."""
    make_repository(tmp_path / "r", "a.py")
    (tmp_path / "r/caf\udce9.py").write_text("x")
    git("add", "-A", cwd=tmp_path / "r")
    git("commit", "-qm", "Title\n\nBody with \x01 and\n\n\nlines", cwd=tmp_path / "r", env=AUTHOR)
    git("commit", "-qm", "Nothing changed", "--allow-empty", cwd=tmp_path / "r", env=AUTHOR)
    git("commit", "-q", "--allow-empty-message", "--allow-empty", "-m", "", cwd=tmp_path / "r", env=AUTHOR)
    past = read_past(list_folder(tmp_path / "r")).commits
    assert [commit.message.strip().partition("\n")[0] for commit in past] == ["", "Nothing changed", "Title", "x"]
    assert [commit.files for commit in past] == [(), (), ("caf\\xe9.py",), ("a.py",)]


def test_a_shallow_clone_has_the_past_that_it_has(tmp_path: Path) -> None:
    """One commit, no error."""
    make_repository(tmp_path / "r", "a.py")
    (tmp_path / "r/a.py").write_text("y")
    commit_all(tmp_path / "r")
    git("clone", "-q", "--depth=1", f"file://{tmp_path}/r", "s", cwd=tmp_path)
    assert len(read_past(list_folder(tmp_path / "s")).commits) == 1


def test_a_folder_of_a_repository_has_its_own_past(tmp_path: Path) -> None:
    """Names are relative to it, changes elsewhere are none of its own."""
    make_repository(tmp_path / "r", "top.py", "src/a.py")
    listing = list_folder(tmp_path / "r/src")
    assert [commit.files for commit in read_past(listing).commits] == [("a.py",)]


def test_a_repository_without_a_commit_has_no_past(tmp_path: Path) -> None:
    """What is staged counts as its tree."""
    git("init", "-q", str(tmp_path / "r"), cwd=tmp_path)
    (tmp_path / "r/a.py").write_text("router\n")
    git("add", "-A", cwd=tmp_path / "r")
    index = read_index(list_folder(tmp_path / "r"), WANTED)
    assert index.contents.words == {"router": (0,)}
    assert index.past == NO_PAST
