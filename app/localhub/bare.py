"""What the embedded GitHub asks of its bare repositories; git itself is run by `shared.git` only."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from shared.git import GitFailed, git, identity, run_git

_SHA = re.compile(r"[0-9a-f]{40}")
_FIELDS = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x01"
_SETTINGS = "[http]\n\treceivepack = true\n[receive]\n\thideRefs = refs/pull\n[uploadpack]\n\tallowAnySHA1InWant = true\n"
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


class Author(NamedTuple):
    """Who makes a commit."""

    name: str
    email: str


@dataclass(frozen=True)
class Commit:
    """One commit as `git log` tells it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Author
    authored_at: str
    committer: Author
    committed_at: str
    message: str


@dataclass(frozen=True)
class FileDiff:
    """One changed file; `patch` is None for a binary one."""

    path: str
    previous: str | None
    status: str
    sha: str
    added: int
    removed: int
    patch: str | None


class Blob(NamedTuple):
    """One entry of a tree."""

    mode: str
    type: str
    sha: str
    size: int
    path: str


def create(repository: Path, default_branch: str) -> None:
    """An empty bare repository that accepts pushes."""
    repository.mkdir(parents=True)
    git("init", "--bare", "--quiet", "--template=", f"--initial-branch={default_branch}", ".", cwd=repository)
    with (repository / "config").open("a") as config:
        config.write(_SETTINGS)


def commit_folder(repository: Path, branch: str, folder: Path, message: str, author: Author) -> str:
    """The branch's first commit: all files of `folder` that its .gitignore lets through."""
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_INDEX_FILE": f"{scratch}/index", "GIT_DIR": str(repository), "GIT_WORK_TREE": str(folder.resolve())}
        git("add", "--all", ".", cwd=folder, env=env)
        return _commit_index(repository, branch, None, message, author, env)


def commit_files(repository: Path, branch: str, parent: str, files: Mapping[str, str | None], message: str, author: Author) -> str:
    """A commit on `branch` with these texts; None deletes a file."""
    lines = []
    for path, text in files.items():
        blob = "0" * 40 if text is None else git("hash-object", "-w", "--stdin", cwd=repository, stdin=text.encode()).strip()
        lines.append(f"{'0' if text is None else '100644'} {blob}\t{path}\0")
    with tempfile.TemporaryDirectory() as scratch:
        env = {"GIT_INDEX_FILE": f"{scratch}/index"}
        git("read-tree", parent, cwd=repository, env=env)
        git("update-index", "-z", "--index-info", cwd=repository, env=env, stdin="".join(lines).encode())
        return _commit_index(repository, branch, parent, message, author, env)


def _commit_index(repository: Path, branch: str, parent: str | None, message: str, author: Author, env: Mapping[str, str]) -> str:
    tree = git("write-tree", cwd=repository, env=env).strip()
    sha = commit_tree(repository, tree, (parent,) if parent else (), message, author)
    update_ref(repository, f"refs/heads/{branch}", sha)
    return sha


def commit_tree(repository: Path, tree: str, parents: tuple[str, ...], message: str, author: Author) -> str:
    """A commit object of a known tree."""
    flags = [part for parent in parents for part in ("-p", parent)]
    return git("commit-tree", tree, *flags, cwd=repository, env=identity(*author), stdin=message.encode()).strip()


def update_ref(repository: Path, ref: str, sha: str) -> None:
    git("update-ref", ref, sha, cwd=repository)


def delete_ref(repository: Path, ref: str) -> None:
    git("update-ref", "-d", ref, cwd=repository)


def is_ref_name(name: str) -> bool:
    """Whether git would take this as the full name of a reference."""
    return name.startswith("refs/") and run_git("check-ref-format", name, cwd=Path("/"), accept=(0, 1))[0] == 0


def refs(repository: Path) -> dict[str, str]:
    """Branches and tags."""
    text = git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags", cwd=repository)
    return {name: sha for sha, name in (line.split(" ", 1) for line in text.splitlines())}


def resolve(repository: Path, name: str) -> str | None:
    """The commit that a branch, a tag or a SHA names."""
    candidates = [name] if name.startswith("refs/") or _SHA.fullmatch(name) else [f"refs/heads/{name}", f"refs/tags/{name}"]
    if re.fullmatch(r"[0-9a-f]{7,39}", name):
        candidates.append(name)
    for candidate in candidates:
        status, out = run_git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}", cwd=repository, accept=(0, 1, 128)
        )
        if status == 0:
            return out.strip()
    return None


def log(repository: Path, *revisions: str, limit: int = 250, path: str = "") -> list[Commit]:
    """Commits of a range, newest first."""
    limits = ["--", path] if path else ["--"]
    text = git("log", f"--max-count={limit}", f"--format={_FIELDS}", *revisions, *limits, cwd=repository)
    return [_commit(entry.lstrip("\n")) for entry in text.split("\x01") if entry.strip("\n")]


def _commit(entry: str) -> Commit:
    sha, tree, parents, an, ae, authored, cn, ce, committed, message = entry.split("\0")
    return Commit(sha, tree, tuple(parents.split()), Author(an, ae), authored, Author(cn, ce), committed, message.strip("\n"))


@lru_cache(maxsize=2000)
def merge_base(repository: Path, base: str, head: str) -> str | None:
    """None for histories that have nothing in common."""
    status, out = run_git("merge-base", base, head, cwd=repository, accept=(0, 1))
    return out.strip() if status == 0 else None


@lru_cache(maxsize=2000)
def ahead_behind(repository: Path, base: str, head: str) -> tuple[int, int]:
    """How many commits only the head has, and only the base."""
    behind, ahead = git("rev-list", "--left-right", "--count", f"{base}...{head}", cwd=repository).split()
    return int(ahead), int(behind)


@lru_cache(maxsize=2000)
def is_ancestor(repository: Path, ancestor: str, descendant: str) -> bool:
    return run_git("merge-base", "--is-ancestor", ancestor, descendant, cwd=repository, accept=(0, 1, 128))[0] == 0


@lru_cache(maxsize=2000)
def merge_tree(repository: Path, base: str, head: str) -> str | None:
    """The tree of a clean merge, None where the two conflict."""
    try:
        status, out = run_git("merge-tree", "--write-tree", "--name-only", base, head, cwd=repository, accept=(0, 1))
    except GitFailed:
        return None
    return out.splitlines()[0] if status == 0 else None


# Objects never change, so what is asked about full SHAs is asked once.
@lru_cache(maxsize=200)
def diff(repository: Path, base: str, head: str) -> tuple[FileDiff, ...]:
    """What changed from `base` to `head`, file by file."""
    arguments = ("diff", "--no-color", "--no-ext-diff", "-M", "--no-abbrev", base, head)
    raw = git(*arguments, "--raw", "-z", cwd=repository).split("\0")[:-1]
    numbers = _numstat(git(*arguments, "--numstat", "-z", cwd=repository))
    patches = _patches(git(*arguments, "--patch", cwd=repository))
    found: list[FileDiff] = []
    while raw:
        meta = raw.pop(0).lstrip(":").split()
        old = raw.pop(0)
        new = raw.pop(0) if meta[4][0] in "RC" else old
        added, removed = numbers[new]
        patch = patches[len(found)] if len(found) < len(patches) else None
        sha = meta[2] if meta[4] == "D" else meta[3]
        found.append(FileDiff(new, old if new != old else None, _STATUS[meta[4][0]], sha, added, removed, patch))
    return tuple(found)


def _numstat(text: str) -> dict[str, tuple[int, int]]:
    parts, found = text.split("\0")[:-1], {}
    while parts:
        added, removed, path = parts.pop(0).split("\t")
        if not path:  # a rename: old and new name follow
            parts.pop(0)
            path = parts.pop(0)
        found[path] = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
    return found


def _patches(text: str) -> list[str | None]:
    sections: list[tuple[str, str]] = []
    for section in re.split(r"^(?=diff --git )", text, flags=re.MULTILINE):
        header = section.partition("\n")[0]
        if sections and sections[-1][0] == header:  # a changed file type is told as removal and addition
            sections[-1] = (header, sections[-1][1] + section)
        elif header:
            sections.append((header, section))
    hunks = [re.search(r"^@@ .*", section, flags=re.MULTILINE | re.DOTALL) for _, section in sections]
    return [hunk[0].rstrip("\n") if hunk else None for hunk in hunks]


def entries(repository: Path, commit: str, path: str) -> list[Blob]:
    """The tree entry at `path`, or, with a trailing slash (or empty), what lies in that folder."""
    return _tree(git("ls-tree", "-z", "--long", commit, "--", *([path] if path else []), cwd=repository))


def all_files(repository: Path, commit: str) -> list[Blob]:
    """Every file of a commit, folders opened."""
    return _tree(git("ls-tree", "-r", "-z", "--long", commit, cwd=repository))


def _tree(text: str) -> list[Blob]:
    found = []
    for line in text.split("\0")[:-1]:
        meta, name = line.split("\t", 1)
        mode, kind, sha, size = meta.split()
        found.append(Blob(mode, kind, sha, 0 if size == "-" else int(size), name))
    return found


def content(repository: Path, blob: str) -> bytes:
    """A blob's bytes."""
    return git("cat-file", "blob", blob, cwd=repository).encode("utf-8", "surrogateescape")
