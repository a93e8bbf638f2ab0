"""Lists the files of a repository: of a checkout, of a commit, or of a plain folder."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app.facts.damage import Damaged, reading
from app.planning.tree import Tree
from shared.errors import UserError
from shared.git import GitFailed, git, run_git

_FILE_MODES = ("100644", "100755")  # no symbolic links: what they point to has a name of its own, or belongs elsewhere
_SUBMODULE = "160000"


@dataclass(frozen=True)
class Listing:
    """A tree and where its contents lie: the object of each file in git, or the file's own name below a plain folder.

    `head` is the commit whose past counts, empty where there is none; `is_head`: the tree is that commit's, nothing is staged
    beside it. An empty place means that there is nothing to read.
    """

    folder: Path
    tree: Tree
    places: tuple[str, ...]
    in_git: bool
    head: str = ""
    is_head: bool = False


def read_tree(folder: Path) -> Tree:
    """What git tracks at or below `folder`, relative to it; every file where it is no checkout."""
    return list_folder(folder).tree


def list_folder(folder: Path) -> Listing:
    """As `read_tree`, with the places of the contents."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give a git checkout or a folder with the repository's files")
    tracked = _tracked(folder)
    if tracked is None:
        return _listing(folder, [_Entry(shown(name), name) for name in _walk(folder)])
    entries = _entries(tracked, name_of_object=1)
    with reading(folder):
        status, head = run_git("rev-parse", "--verify", "--quiet", "HEAD", cwd=folder, accept=(0, 1, 128))
        if status:
            return _listing(folder, entries, in_git=True)
        staged, _ = run_git("diff-index", "--cached", "--quiet", head.strip(), cwd=folder, accept=(0, 1))
    return _listing(folder, entries, in_git=True, head=head.strip(), is_head=not staged)


def tree_at(git_dir: Path, sha: str) -> Tree:
    """The files of one commit; the repository may be bare."""
    return list_commit(git_dir, sha).tree


def list_commit(git_dir: Path, sha: str) -> Listing:
    """As `tree_at`, with the places of the contents."""
    with reading(git_dir):
        listed = git("ls-tree", "-r", "-z", "--end-of-options", sha, cwd=git_dir)
    return _listing(git_dir, _entries(listed, name_of_object=2), in_git=True, head=sha, is_head=True)


def _tracked(folder: Path) -> str | None:
    """The entries of git's index at or below a checkout's folder; None of a plain one.

    That is also one that git ignores, or a new one inside some other checkout: it holds no tracked file.
    """
    try:
        listed = git("ls-files", "-s", "-z", cwd=folder)
    except GitFailed as error:
        was_one = any((folder / ".git" / part).exists() for part in ("HEAD", "objects"))
        if was_one and "dubious ownership" not in error.stderr:
            raise Damaged(folder, error.stderr) from error
        if error.status != 128:
            raise UserError(f"git cannot read {folder}: {error.stderr.strip()[-300:]}") from error
        return None
    return listed if listed or (folder / ".git").exists() else None


class _Entry(NamedTuple):
    path: str
    place: str
    is_submodule: bool = False


def _entries(listed: str, *, name_of_object: int) -> list[_Entry]:
    """Of each line `MODE … OBJECT …<tab>PATH`."""
    entries = []
    for line in filter(None, listed.split("\0")):
        about, _, name = line.partition("\t")
        words = about.split(" ")
        entries.append(_Entry(shown(name), words[name_of_object] if words[0] in _FILE_MODES else "", words[0] == _SUBMODULE))
    return entries


def _listing(folder: Path, entries: list[_Entry], *, in_git: bool = False, head: str = "", is_head: bool = False) -> Listing:
    # Sub-modules are one entry each: their files belong to another repository.
    foreign = frozenset(entry.path for entry in entries if entry.is_submodule)
    # Two entries of a path are the sides of a merge: either will do.
    places = {entry.path: entry.place for entry in entries if entry.path not in foreign}
    paths = tuple(sorted(places))
    return Listing(folder, Tree(paths, foreign), tuple(places[path] for path in paths), in_git, head, is_head)


def _walk(folder: Path) -> list[str]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        found += [str((Path(parent) / name).relative_to(folder)) for name in files]
    return found


def shown(name: str) -> str:
    """Bytes that are not UTF-8 become `\\xNN`, so that every path can be printed and sent."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
