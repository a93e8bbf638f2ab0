"""The bare mirror of a repository that all its tasks share, and the commit a task starts from."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from runner.endings import AttemptEnds, Interrupted
from runner.folder import lock
from shared.errors import TransientError
from shared.git import GitFailed, credentials, git, identity, run_git
from shared.messages import AttemptBrief
from shared.models import VerdictName
from shared.retry import on_transient


@contextmanager
def locked(path: Path, stop: threading.Event) -> Iterator[None]:
    """Holds `path` against other runners; waiting ends when we are told to stop."""
    while (handle := lock(path)) is None:
        if stop.wait(0.05):
            raise Interrupted
    try:
        yield
    finally:
        os.close(handle)


def fetch(mirror: Path, brief: AttemptBrief, stop: threading.Event, lent: Callable[[], AbstractContextManager[str]]) -> bool:
    """Brings the commits this task needs into the mirror; no network and no token, and true, when they are there already."""
    published = (brief.published.report.head_sha,) if brief.published else ()
    wanted = (brief.base_sha, *brief.merge_shas, *published)
    if not brief.base_sha.strip("0"):
        raise AttemptEnds(VerdictName.SETUP_FAILED, _empty(brief))
    with locked(mirror.with_suffix(".lock"), stop):
        if not (mirror / "HEAD").exists():
            git("init", "--quiet", "--bare", str(mirror), cwd=mirror.parent)
        os.utime(mirror)  # used: the reaper leaves it alone
        if all(_has(mirror, sha) for sha in wanted):
            return True
        try:
            with lent() as token:
                for attempt in on_transient():
                    with attempt:
                        _fetch_all(mirror, brief, wanted, token)
        except (GitFailed, TransientError) as error:
            raise AttemptEnds(VerdictName.SETUP_FAILED, f"{brief.repository.full_name} could not be fetched", str(error)) from error
    return False


def start_commit(mirror: Path, brief: AttemptBrief) -> str:
    """The base with the finished predecessors merged into it; the same on every machine and in every retry."""
    start = brief.base_sha
    for sha in brief.merge_shas:
        if run_git("merge-base", "--is-ancestor", sha, start, cwd=mirror, accept=(0, 1))[0] == 0:
            continue
        arguments = ("merge-tree", "--write-tree", "--name-only", "--no-messages", start, sha)
        status, out = run_git(*arguments, cwd=mirror, accept=(0, 1))
        tree, *conflicted = out.splitlines()
        if status == 1:
            files = ", ".join(name for name in conflicted if name)
            reason = f"the work this issue builds on cannot be merged with it: conflict in {files}; merge or rebase those first"
            raise AttemptEnds(VerdictName.BLOCKED, reason)
        start = commit(mirror, brief, tree, (start, sha), f"Merge {sha[:12]} for #{brief.issue.number}\n")
    return start


class Entry(NamedTuple):
    """One path of a commit."""

    mode: str
    path: str


def entries(mirror: Path, sha: str) -> list[Entry]:
    """Every file, link and submodule of a commit."""
    lines = git("ls-tree", "-r", "-z", "--full-tree", sha, cwd=mirror).split("\0")
    return [Entry(line[:6], line.split("\t", 1)[1]) for line in lines if line]


def files_with(mirror: Path, sha: str, pattern: str, paths: str) -> list[str]:
    """The files of a commit under the pathspec `paths` with a line that matches."""
    found = git("grep", "-z", "-l", "-E", "-e", pattern, sha, "--", paths, cwd=mirror, accept=(0, 1))
    return [name.removeprefix(f"{sha}:") for name in found.split("\0") if name]


def commit(repository: Path, brief: AttemptBrief, tree: str, parents: tuple[str, ...], message: str) -> str:
    """One commit by the App, dated like its base, so that the same content has the same SHA whenever it is made."""
    date = git("show", "-s", "--format=%cI", brief.base_sha, cwd=repository).strip()
    env = {**identity(brief.app_login, brief.app_email), "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    options = [part for parent in parents for part in ("-p", parent)]
    return git("commit-tree", tree, *options, cwd=repository, env=env, stdin=message.encode()).strip()


def _fetch_all(mirror: Path, brief: AttemptBrief, wanted: tuple[str, ...], token: str) -> None:
    """The default branch, then what it does not hold: a predecessor's branch, or a base that has been moved away since."""
    url, branch = brief.repository.clone_url, brief.repository.default_branch
    env = credentials(url, token) if token else {}
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
    try:
        git("fetch", *options, url, f"+refs/heads/{branch}:refs/heads/{branch}", cwd=mirror, env=env)
    except GitFailed as error:  # renamed or removed since, and the commit may still be there; or there never was one
        if "find remote ref" not in error.stderr:
            raise
        if not git("ls-remote", "--heads", url, cwd=mirror, env=env):
            raise AttemptEnds(VerdictName.SETUP_FAILED, _empty(brief)) from error
    for sha in wanted:
        if _has(mirror, sha):
            continue
        try:
            git("fetch", *options, url, f"{sha}:refs/shoal/{sha}", cwd=mirror, env=env)
        except GitFailed as error:
            reason = f"commit {sha} is not in {brief.repository.full_name} any more"
            raise AttemptEnds(VerdictName.SETUP_FAILED, reason, error.stderr) from error


def _empty(brief: AttemptBrief) -> str:
    return f"{brief.repository.full_name} is empty: push a first commit, then label the issue again"


def _has(mirror: Path, sha: str) -> bool:
    return run_git("cat-file", "-e", f"{sha}^{{commit}}", cwd=mirror, accept=(0, 1, 128))[0] == 0
