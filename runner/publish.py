"""The quarantine: takes the sandbox's bundle in, makes the one commit that may leave, and pushes it."""

from pathlib import Path

from runner import mirror, pull_request_text
from runner.folder import TaskFolder
from shared.git import GitFailed, credentials, git, run_git
from shared.models import AttemptBrief

_SNAPSHOT = "refs/shoal/snapshot"
_CHECKED = ("-c", "transfer.fsckObjects=true", "-c", "fetch.fsckObjects=true")


class PushRejected(Exception):
    """The branch is not what the permit said, or the token may not write; a new permit decides."""


def open_quarantine(folder: TaskFolder) -> None:
    """An empty bare repository that reads the mirror's objects; the agent never sees it."""
    if not (folder.publish / "HEAD").exists():
        git("init", "--quiet", "--bare", str(folder.publish), cwd=folder.root)
        alternates = folder.publish / "objects" / "info" / "alternates"
        alternates.write_text(f"{folder.mirror / 'objects'}\n", encoding="utf-8")


def take_in(folder: TaskFolder, bundle: Path) -> str:
    """The snapshot commit's SHA; raises GitFailed when an object in it is not sound."""
    git(*_CHECKED, "fetch", "--quiet", "--no-tags", str(bundle), f"+refs/heads/snapshot:{_SNAPSHOT}", cwd=folder.publish)
    return git("rev-parse", _SNAPSHOT, cwd=folder.publish).strip()


def make_commit(folder: TaskFolder, brief: AttemptBrief, start: str, snapshot: str) -> str:
    """One commit with the snapshot's tree, by the App, on the start commit; start itself when nothing changed."""
    tree = git("rev-parse", f"{snapshot}^{{tree}}", cwd=folder.publish).strip()
    if tree == git("rev-parse", f"{start}^{{tree}}", cwd=folder.publish).strip():
        return start
    head = mirror.commit(folder.publish, brief, tree, (start,), pull_request_text.commit_message(brief))
    git("update-ref", "refs/shoal/head", head, cwd=folder.publish)
    return head


def holds(folder: TaskFolder, sha: str) -> bool:
    return (folder.publish / "HEAD").exists() and run_git("cat-file", "-e", sha, cwd=folder.publish, accept=(0, 1, 128))[0] == 0


def push(folder: TaskFolder, brief: AttemptBrief, sha: str, expected: str, token: str) -> None:
    """Writes the branch if it still is `expected` (empty: if it does not exist); raises PushRejected when GitHub says no."""
    url = brief.repository.clone_url
    lease = f"--force-with-lease=refs/heads/{brief.branch}:{expected}"
    target = f"{sha}:refs/heads/{brief.branch}"
    try:
        git("push", "--quiet", lease, url, target, cwd=folder.publish, env=credentials(url, token) if token else {})
    except GitFailed as error:
        raise PushRejected(error.stderr.strip()[-500:]) from error
