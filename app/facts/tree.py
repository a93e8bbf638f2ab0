"""Lists the files of a repository: of a checkout, of a commit, or of a plain folder."""

import os
from pathlib import Path

from app.planning.tree import Tree
from shared.errors import UserError
from shared.git import GitFailed, git, run_git


def read_tree(folder: Path) -> Tree:
    """What git tracks at or below `folder`, relative to it; every file where it is no checkout."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: give a git checkout or a folder with the repository's files")
    if not _is_checkout(folder):
        return Tree(tuple(sorted(_walk(folder))))
    # Sub-modules are one entry each: their files belong to another repository.
    return _tree(git("ls-files", "-z", cwd=folder))


def tree_at(git_dir: Path, sha: str) -> Tree:
    """The files of one commit; the repository may be bare."""
    return _tree(git("ls-tree", "-r", "-z", "--name-only", "--end-of-options", sha, cwd=git_dir))


def _is_checkout(folder: Path) -> bool:
    """A folder that git ignores, or a new one inside some other checkout, holds no tracked file: it counts as a plain folder."""
    try:
        status, listed = run_git("ls-files", "-z", cwd=folder, accept=(0, 128))
    except GitFailed as error:
        raise UserError(f"git cannot read {folder}: {error.stderr.strip()[-300:]}") from error
    return status == 0 and (bool(listed) or (folder / ".git").exists())


def _tree(listing: str) -> Tree:
    return Tree(tuple(sorted({_shown(name) for name in listing.split("\0") if name})))


def _walk(folder: Path) -> list[str]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        found += [_shown(str((Path(parent) / name).relative_to(folder))) for name in files]
    return found


def _shown(name: str) -> str:
    """Bytes that are not UTF-8 become `\\xNN`, so that every path can be printed and sent."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
