"""The quarantine: takes the sandbox's bundle in, makes the one commit that may leave, and pushes it."""

from pathlib import Path

from runner import mirror
from runner.folder import About, TaskFolder
from shared.git import GitFailed, credentials, git, run_git
from shared.messages import AttemptBrief

_SNAPSHOT = "refs/shoal/snapshot"
_HEAD = "refs/shoal/head"
_PUSHED = "refs/shoal/pushed"
_HELD = "refs/shoal/held"


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
    return _fetch_checked(folder, bundle, "refs/heads/snapshot", _SNAPSHOT)


def make_commit(folder: TaskFolder, brief: AttemptBrief, parent: str, snapshot: str, message: str) -> str:
    """One commit with the snapshot's tree, by the App; `parent` itself when nothing changed."""
    tree = git("rev-parse", f"{snapshot}^{{tree}}", cwd=folder.publish).strip()
    if tree == git("rev-parse", f"{parent}^{{tree}}", cwd=folder.publish).strip():
        return parent
    head = mirror.commit(folder.publish, brief, tree, (parent,), message)
    git("update-ref", _HEAD, head, cwd=folder.publish)
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
    is_elsewhere(folder, sha)


def bundle_commit(folder: TaskFolder, about: About, sha: str, place: Path) -> None:
    """A bundle of one commit with all that GitHub's own commits do not bring."""
    git("update-ref", _HELD, sha, cwd=folder.publish)
    git("bundle", "create", "--quiet", str(place), _HELD, "--not", *about.published, cwd=folder.publish)


def take_in_commit(folder: TaskFolder, bundle: Path) -> str:
    """The commit that `bundle_commit` packed, checked like everything that comes from outside; raises GitFailed."""
    return _fetch_checked(folder, bundle, _HELD, _HELD)


def _fetch_checked(folder: TaskFolder, bundle: Path, source: str, target: str) -> str:
    """What `target` is then. An unsound object raises GitFailed, and nothing of its pack stays.

    `fetch.fsckObjects` alone is not enough: from a bundle git 2.39 takes anything.
    """
    before = run_git("rev-parse", "--quiet", "--verify", target, cwd=folder.publish, accept=(0, 1))[1].strip()
    git("fetch", "--quiet", "--no-tags", str(bundle), f"+{source}:{target}", cwd=folder.publish)
    for pack in (folder.publish / "objects" / "pack").glob("*.pack"):
        index = folder.publish / "checked.idx"
        try:
            git("index-pack", "--fsck-objects", "-o", str(index), str(pack), cwd=folder.publish)
        except GitFailed:
            git("update-ref", *((target, before) if before else ("-d", target)), cwd=folder.publish)
            for part in pack.parent.glob(f"{pack.stem}.*"):
                part.unlink()
            raise
        finally:
            for left in folder.publish.glob("checked.*"):
                left.unlink()
    return git("rev-parse", target, cwd=folder.publish).strip()


def is_elsewhere(folder: TaskFolder, sha: str) -> None:
    """Somebody else keeps this commit now: it need not be rescued from here."""
    git("update-ref", _PUSHED, sha, cwd=folder.publish)


def bundle_what_is_only_here(folder: TaskFolder, about: About, place: Path) -> int:
    """Bundles the snapshot and our last commit as far as they are neither pushed nor empty; how many commits the bundle holds."""
    known = {tree for name in (about.start_sha, _PUSHED) if (tree := _tree(folder, name))}
    refs = [name for name in (_SNAPSHOT, _HEAD) if (tree := _tree(folder, name)) and tree not in known]
    if not refs:
        return 0
    # Not without the start commit: where it joins predecessors it is ours, and only GitHub's own commits can be expected elsewhere.
    wanted = (*refs, "--not", *about.published)
    git("bundle", "create", "--quiet", str(place), *wanted, cwd=folder.publish)
    return int(git("rev-list", "--count", *wanted, cwd=folder.publish))


def _tree(folder: TaskFolder, name: str) -> str:
    status, tree = run_git("rev-parse", "--quiet", "--verify", f"{name}^{{tree}}", cwd=folder.publish, accept=(0, 1, 128))
    return tree.strip() if status == 0 else ""
