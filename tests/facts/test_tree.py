"""Trees of real folders and real repositories."""

import os
from pathlib import Path

import pytest

from app.facts.tree import read_tree, tree_at
from shared.errors import UserError
from shared.git import git, identity

AUTHOR = identity("Ada", "ada@example.com")


def commit_all(folder: Path) -> str:
    """The SHA of a commit of everything."""
    git("add", "-A", cwd=folder)
    git("commit", "-qm", "x", cwd=folder, env=AUTHOR)
    return git("rev-parse", "HEAD", cwd=folder).strip()


def make_repository(folder: Path, *names: str) -> str:
    """A repository with these files, and its commit."""
    git("init", "-q", str(folder), cwd=folder.parent)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return commit_all(folder)


def test_a_checkout_lists_what_git_tracks(tmp_path: Path) -> None:
    """Ignored and untracked files are not part of the tree; a folder below is read relative to itself."""
    sha = make_repository(tmp_path / "r", "a.py", "src/größe.py", ".gitignore")
    (tmp_path / "r/untracked.py").write_text("x")
    assert read_tree(tmp_path / "r").paths == (".gitignore", "a.py", "src/größe.py")
    assert read_tree(tmp_path / "r/src").paths == ("größe.py",)
    assert tree_at(tmp_path / "r/.git", sha).paths == (".gitignore", "a.py", "src/größe.py")


def test_a_plain_folder_is_walked(tmp_path: Path) -> None:
    """No git anywhere: every file below, without `.git` folders."""
    (tmp_path / "src/.git").mkdir(parents=True)
    (tmp_path / "src/.git/config").write_text("x")
    (tmp_path / "src/a.py").write_text("x")
    assert read_tree(tmp_path).paths == ("src/a.py",)


def test_an_untracked_folder_inside_a_checkout_is_walked(tmp_path: Path) -> None:
    """Git tracks nothing in it, which does not make it empty."""
    make_repository(tmp_path / "r", "a.py")
    (tmp_path / "r/build").mkdir()
    (tmp_path / "r/build/out.py").write_text("x")
    assert read_tree(tmp_path / "r/build").paths == ("out.py",)


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    """Bytes of another encoding are shown, from git and from the folder alike, and can be printed."""
    (tmp_path / "r").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "r") + b"/caf\xe9.py")).write_text("x")
    assert read_tree(tmp_path / "r").paths == ("caf\\xe9.py",)
    git("init", "-q", str(tmp_path / "r"), cwd=tmp_path)
    sha = commit_all(tmp_path / "r")
    assert read_tree(tmp_path / "r").paths == tree_at(tmp_path / "r", sha).paths == ("caf\\xe9.py",)


def test_a_submodule_is_no_part_of_the_tree(tmp_path: Path) -> None:
    """Its files belong to another repository."""
    make_repository(tmp_path / "inner", "b.py")
    make_repository(tmp_path / "outer", "a.py")
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "inner"), "sub", cwd=tmp_path / "outer")
    tree = read_tree(tmp_path / "outer")
    assert tree.paths == (".gitmodules", "a.py")
    assert tree.foreign == {"sub"}
    assert [tree.is_foreign(path) for path in ("sub", "sub/", "sub/b.py", "sub/a/b.py", "sub.py", "a.py")] == [True] * 4 + [
        False
    ] * 2
    sha = commit_all(tmp_path / "outer")
    assert tree_at(tmp_path / "outer/.git", sha) == tree


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    """A missing folder, or a file in its place."""
    with pytest.raises(UserError, match="missing is not a folder"):
        read_tree(tmp_path / "missing")
