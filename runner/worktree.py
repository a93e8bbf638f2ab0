"""The checkout an agent works in, and how its content gets out without git ever running outside on what the agent could write."""

import os
import shutil
import stat
from pathlib import Path

from runner import verdict as verdicts
from runner.endings import AttemptEnds
from runner.phase import Work
from runner.sandbox import Bind, Room
from runner.verdict import is_full_disk
from shared.models import VerdictName
from shared.process import Ended, Limits

# Left behind by tools that run in a checkout; never part of what somebody asked for.
_LITTER = ("__pycache__/", "*.py[co]", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".coverage", "node_modules/", ".venv/")
_BUNDLE_LIMIT = 200 * 1024 * 1024
_GIT_LIMITS = Limits(seconds=600)

# Each script runs inside the sandbox; its words come as environment, never as part of the script.
_CHECK_OUT = """
git init -q "$TREE" --separate-git-dir "$PRIVATE"
echo "$MIRROR/objects" > "$PRIVATE/objects/info/alternates"
cd "$TREE"
git config user.name "$NAME"; git config user.email "$EMAIL"
git update-ref "refs/heads/$BRANCH" "$START"
git symbolic-ref HEAD "refs/heads/$BRANCH"
git reset -q --hard
git init -q --bare "$SNAPSHOT"
echo "$MIRROR/objects" > "$SNAPSHOT/objects/info/alternates"
echo "$LITTER" > "$SNAPSHOT/info/exclude"
cp "$PRIVATE/index" "$SNAPSHOT/index"
"""
_EXCLUDE_LEFTOVERS = """
git --git-dir="$SNAPSHOT" --work-tree="$TREE" ls-files -o --exclude-standard --directory --no-empty-directory \
  | sed 's|^|/|' >> "$SNAPSHOT/info/exclude"
"""
_TAKE_SNAPSHOT = """
git --git-dir="$SNAPSHOT" --work-tree="$TREE" add -A
tree=$(git --git-dir="$SNAPSHOT" write-tree)
commit=$(git --git-dir="$SNAPSHOT" commit-tree "$tree" -p "$START" -m snapshot)
git --git-dir="$SNAPSHOT" update-ref refs/heads/snapshot "$commit"
git --git-dir="$SNAPSHOT" bundle create -q "$OUT/snapshot.bundle" refs/heads/snapshot "^$START"
"""
_CHECK_OUT_FOR_TESTS = """
export GIT_INDEX_FILE="$SNAPSHOT/check.index"
git --git-dir="$SNAPSHOT" --work-tree="$CHECK" read-tree --reset -u "$COMMIT"
"""


def prepare(work: Work) -> None:
    """A fresh checkout of the start commit, with private git directories for the agent and for our snapshots."""
    folder = work.folder
    for old in (folder.tree, folder.git, folder.home, folder.out, folder.snapshot):
        remove(old)
    work.sandbox.give(folder.tree, folder.git, folder.home, folder.out, folder.snapshot)
    _script(work, _CHECK_OUT, "setup", VerdictName.SETUP_FAILED, "the checkout could not be made")
    folder.gitfile.write_text(f"gitdir: {folder.git}\n", encoding="utf-8")
    work.sandbox.hand_over(folder.gitfile)


def exclude_leftovers(work: Work) -> None:
    """What the set-up command made is not part of the change."""
    _script(work, _EXCLUDE_LEFTOVERS, "setup", VerdictName.SETUP_FAILED, "the checkout could not be read")


def take_snapshot(work: Work) -> Path:
    """A bundle of the checkout's content as one commit on the start commit; made by a git directory that no agent ever saw."""
    empty(work, work.folder.out)
    _script(work, _TAKE_SNAPSHOT, "snapshot", VerdictName.AGENT_FAILED, "the agent left a checkout that git cannot record")
    bundle = work.folder.out / "snapshot.bundle"
    status = bundle.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _BUNDLE_LIMIT:
        raise AttemptEnds(VerdictName.UNSAFE_DIFF, f"the change takes {status.st_size:,} bytes packed, more than {_BUNDLE_LIMIT:,}")
    return bundle


def check_out_for_tests(work: Work, commit: str) -> None:
    """Makes `check` hold exactly `commit`, and its home nothing."""
    for old in (work.folder.check, work.folder.check_home):
        empty(work, old)
    _script(work, _CHECK_OUT_FOR_TESTS, "testing", VerdictName.SETUP_FAILED, "the tests' checkout could not be made", COMMIT=commit)


def agent_room(work: Work, *, network: bool, binds: tuple[Bind, ...] = (), env: dict[str, str] | None = None) -> Room:
    """What an agent sees: its tree, git directory, home and out folder; the mirror's objects to read."""
    folder = work.folder
    writable = [Bind(path, writable=True) for path in (folder.tree, folder.git, folder.home, folder.out)]
    shadow = Bind(folder.gitfile, target=folder.tree / ".git")
    readable = (Bind(folder.mirror / "objects"), *binds)
    return Room(cwd=folder.tree, home=folder.home, binds=(*writable, shadow, *readable), network=network, env=env or {})


def check_room(work: Work, *, network: bool, env: dict[str, str] | None = None) -> Room:
    """What the tests see: a fresh checkout, a fresh home, and a folder for their report."""
    folder = work.folder
    binds = tuple(Bind(path, writable=True) for path in (folder.check, folder.check_home, folder.out))
    return Room(cwd=folder.check, home=folder.check_home, binds=binds, network=network, env=env or {})


def read_left_file(path: Path, limit: int) -> bytes:
    """A file that sandboxed content left for us: only a regular one, never through a link, at most `limit` bytes; else nothing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        return file.read(limit) if stat.S_ISREG(os.fstat(handle).st_mode) else b""


def empty(work: Work, folder: Path) -> None:
    remove(folder)
    work.sandbox.give(folder)


def remove(folder: Path) -> None:
    """Also folders whose owner took the right to write away."""
    if not folder.exists():
        return
    for parent, names, _ in os.walk(folder):
        for name in names:
            child = Path(parent, name)
            if not child.is_symlink() and not os.access(child, os.W_OK | os.X_OK | os.R_OK):
                child.chmod(0o700)
    shutil.rmtree(folder)


def _script(work: Work, script: str, log: str, verdict: VerdictName, failure: str, **more: str) -> Ended:
    folder, brief = work.folder, work.brief
    own = [folder.tree, folder.git, folder.snapshot, folder.out, *([folder.check] if "COMMIT" in more else [])]
    env = {
        "TREE": str(folder.tree),
        "PRIVATE": str(folder.git),
        "SNAPSHOT": str(folder.snapshot),
        "MIRROR": str(folder.mirror),
        "OUT": str(folder.out),
        "CHECK": str(folder.check),
        "START": work.state.start_sha,
        "BRANCH": brief.branch,
        "LITTER": "\n".join(_LITTER),
        "NAME": brief.app_login,
        "EMAIL": brief.app_email,
        "GIT_AUTHOR_NAME": brief.app_login,
        "GIT_AUTHOR_EMAIL": brief.app_email,
        "GIT_COMMITTER_NAME": brief.app_login,
        "GIT_COMMITTER_EMAIL": brief.app_email,
        **more,
    }
    binds = (*(Bind(path, writable=True) for path in own), Bind(folder.mirror / "objects"))
    room = Room(cwd=folder.root if work.sandbox.level == "process" else Path("/"), home=folder.home, binds=binds, env=env)
    ended = work.run(["sh", "-ec", script], room, log=log, limits=_GIT_LIMITS)
    if not ended.ok and verdicts.is_full_disk(ended.tail):
        raise AttemptEnds(VerdictName.LIMIT_REACHED, f"{failure}: the disk is full, make room on the runner", ended.tail)
    if not ended.ok:
        verdict = VerdictName.LIMIT_REACHED if is_full_disk(ended.tail) else verdict
        raise AttemptEnds(verdict, f"{failure}: {_last_line(ended.tail) or ended.reason}", ended.tail)
    return ended


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else ""
