"""A repository's own history as batches: nearby changes, their messages as issues, the files that they changed as truth."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.facts.index import read_commits
from app.facts.tree import Listing, list_commit
from app.planning.conflicts import is_regenerated
from app.planning.past import Commit
from shared.errors import UserError
from shared.git import GitFailed, run_git
from shared.github import issue_hash
from shared.models import IssueSnapshot

WINDOW, WINDOWS = 8, 30
MOST_FILES = 20  # a change of more is a sweep, not a task
_SPAN = 2_400  # commits that the windows are spread over
_LEFT_AS_PAST = 300
_LEAST_MESSAGE = 8
_TRAILER = re.compile(
    r"^(?:signed-off-by|co-authored-by|reviewed-by|change-id|pr-url|closes|fixes|refs?|pull request|resolves|acked-by|tested-by"
    r"|git-svn-id)\b.*$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"\(#\d+\)|#\d+|https?://\S+")


@dataclass(frozen=True)
class Window:
    """Issues on the parent of the oldest change, and what each of them changed among the files that were there."""

    base: Listing
    issues: tuple[IssueSnapshot, ...]
    changed: tuple[frozenset[str], ...]


def windows(repository: Path, count: int = WINDOWS) -> Iterator[Window]:
    """Spread evenly over the newest commits without merges; the newest first."""
    commits = read_commits(repository, _head(repository), _SPAN + _LEFT_AS_PAST)
    span = len(commits) - min(_LEFT_AS_PAST, len(commits) // 2)
    free_from = 0
    for index in range(count):
        first = max(index * span // count, free_from)
        chosen = list(islice((at for at in range(first, len(commits)) if _is_task(commits[at])), WINDOW))
        if len(chosen) < WINDOW:
            return
        free_from = chosen[-1] + 1
        if window := _window(repository, [commits[at] for at in chosen]):
            yield window


def _head(repository: Path) -> str:
    try:
        status, head = run_git("rev-parse", "--verify", "--quiet", "HEAD", cwd=repository, accept=(0, 1, 128))
    except (GitFailed, OSError) as error:
        raise UserError(f"git cannot read {repository}: {str(error)[-300:]}") from error
    if status != 0:
        raise UserError(f"{repository} is no git repository with a commit: give a checkout or a bare repository")
    return head.strip()


def _window(repository: Path, commits: Sequence[Commit]) -> Window | None:
    """None where the oldest has no parent, or hardly any change is of files that were there."""
    status, base = run_git("rev-parse", "--verify", "--quiet", f"{commits[-1].id}^", cwd=repository, accept=(0, 1, 128))
    if status != 0:
        return None
    listing = list_commit(repository, base.strip())
    pairs = [(_issue(commit, number), _truth(commit) & listing.tree.files) for number, commit in enumerate(commits, start=1)]
    known = [(issue, files) for issue, files in pairs if files]
    if len(known) < 2:
        return None
    return Window(listing, tuple(issue for issue, _ in known), tuple(files for _, files in known))


def _is_task(commit: Commit) -> bool:
    return 1 <= len(_truth(commit)) <= MOST_FILES and len(_said(commit.message)) >= _LEAST_MESSAGE


def _truth(commit: Commit) -> frozenset[str]:
    return frozenset(path for path in commit.files if not is_regenerated(path))


def _said(message: str) -> str:
    return _NUMBER.sub(" ", _TRAILER.sub("", message)).strip()


def _issue(commit: Commit, number: int) -> IssueSnapshot:
    title, _, body = _said(commit.message).partition("\n")
    return IssueSnapshot(number=number, title=title, body=body, hash=issue_hash(title, body))
