"""The checkout an agent works in, and how its content gets out without git ever running outside on what the agent could write."""

import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from runner import pristine
from runner import verdict as verdicts
from runner.endings import AttemptEnds, Interrupted
from runner.folder import About, TaskFolder, about
from runner.phase import Work
from runner.pristine import remove
from runner.rules.contents import too_large
from runner.rules.entries import Entry, listed
from runner.sandbox import Bind, Room, Sandbox
from shared.git import identity
from shared.models import VerdictName
from shared.process import Ended, Limits

# Left behind by tools that run in a checkout; never part of what somebody asked for.
_LITTER = (
    "__pycache__/",
    "*.py[co]",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".coverage",
    "node_modules/",
    ".venv/",
    ".aider*",
)
_BUNDLE_LIMIT = 200 * 1024 * 1024
_LIST_LIMIT = 64 * 1024 * 1024
_GIT_MINUTES = 10
_NOTHING: Mapping[str, str] = {}
_log = structlog.get_logger()

# Each script runs inside the sandbox; its words come as environment, never as part of the script.
_OPEN = """
git init -q --bare "$PRIVATE"
echo "$MIRROR/objects" > "$PRIVATE/objects/info/alternates"
private() { git --git-dir="$PRIVATE" "$@"; }
private config core.bare false
private config user.name "$NAME"; private config user.email "$EMAIL"
private update-ref "refs/heads/$BRANCH" "$COMMIT"
private symbolic-ref HEAD "refs/heads/$BRANCH"
git init -q --bare "$SNAPSHOT"
echo "$MIRROR/objects" > "$SNAPSHOT/objects/info/alternates"
echo "$LITTER" > "$SNAPSHOT/info/exclude"
"""
# Only what the index calls changed is written; then git must find nothing that the commit does not hold.
_MAKE_PRISTINE = """
our() { git --git-dir="$SNAPSHOT" --work-tree="$PLACE" -c index.version=4 -c checkout.workers=0 "$@"; }
our update-ref --no-deref HEAD "$COMMIT"
our read-tree --reset -u "$COMMIT"
our clean -q -ffdx
left=$(our status --porcelain --ignored --untracked-files=all | head -c 500)
if [ -n "$left" ]; then echo "not pristine: $left"; exit 1; fi
"""
_HAND_OVER = """
cp "$GIT_INDEX_FILE" "$PRIVATE/index"
echo "gitdir: $PRIVATE" > "$PLACE/.git"
"""
_EXCLUDE_LEFTOVERS = """
git --git-dir="$SNAPSHOT" --work-tree="$PLACE" ls-files -o --exclude-standard --directory --no-empty-directory \
  | sed 's|^|/|' >> "$SNAPSHOT/info/exclude"
"""
# What the set-up command made stays, as it is in `info/exclude`.
_RESTORE = """
git --git-dir="$SNAPSHOT" --work-tree="$PLACE" read-tree --reset -u "$COMMIT"
git --git-dir="$SNAPSHOT" --work-tree="$PLACE" clean -q -ffd
"""
# What is too much to leave anyway is not packed first.
_TAKE_SNAPSHOT = """
our() { git --git-dir="$SNAPSHOT" "$@"; }
our --work-tree="$PLACE" add -A
tree=$(our write-tree)
our diff-tree -r --raw -z --no-renames --no-abbrev "$COMMIT" "$tree" > "$OUT/changed"
our diff-tree -r --no-renames --no-abbrev --diff-filter=d "$COMMIT" "$tree" | cut -d ' ' -f 4 \
  | our cat-file --batch-check='%(objectsize) %(objectname)' > "$OUT/sizes"
total=0
while read -r size _; do
  case "$size" in *[!0-9]*) ;; *) total=$((total + size)) ;; esac
done < "$OUT/sizes"
[ "$total" -le "$MOST" ] || exit 0
commit=$(our commit-tree "$tree" -p "$COMMIT" -m snapshot)
our update-ref refs/heads/snapshot "$commit"
our bundle create -q "$OUT/snapshot.bundle" refs/heads/snapshot "^$COMMIT"
"""


@dataclass(frozen=True)
class Desk:
    """A task's folder with the sandbox and the way to run there: an attempt has one, and so has the reaper without any attempt."""

    folder: TaskFolder
    sandbox: Sandbox
    about: About
    run: Callable[[Sequence[str], Room], Ended]


def desk(work: Work, log: str) -> Desk:
    """The attempt's own, which heeds its limits and its stop."""

    def run(argv: Sequence[str], room: Room) -> Ended:
        return work.run(argv, room, log=log, minutes=_GIT_MINUTES)

    return Desk(work.folder, work.sandbox, about(work.brief, work.state.start_sha), run)


def own_desk(folder: TaskFolder, sandbox: Sandbox, about: About, stop: threading.Event) -> Desk:
    """For what must be done whatever the attempt has left of its limits; a stop becomes Interrupted."""

    def run(argv: Sequence[str], room: Room) -> Ended:
        ended = sandbox.run(argv, room, limits=Limits(seconds=_GIT_MINUTES * 60), stop=stop)
        if stop.is_set():
            raise Interrupted
        return ended

    return Desk(folder, sandbox, about, run)


def prepare(work: Work) -> bool:
    """A checkout of the start commit, pristine, with new private git directories for the agent and for our snapshots.

    Whether it is one that an earlier task left.
    """
    return set_up(desk(work, "setup"))


def set_up(at: Desk) -> bool:
    """What `prepare` does, also without an attempt."""
    folder = at.folder
    for old in (folder.git, folder.home, folder.out, folder.snapshot):
        remove(old)
    at.sandbox.give(folder.git, folder.home, folder.out, folder.snapshot)
    reused = _make_pristine(at, folder.tree, at.about.start_sha, _OPEN + _MAKE_PRISTINE + _HAND_OVER)
    folder.about.write_text(at.about.model_dump_json(indent=1), encoding="utf-8")
    folder.gitfile.write_text(f"gitdir: {folder.git}\n", encoding="utf-8")
    at.sandbox.hand_over(folder.gitfile)
    return reused


def check_out_for_tests(work: Work, commit: str) -> bool:
    """Makes `check` hold exactly `commit`, and its home nothing; whether it was there and only reset."""
    empty(work, work.folder.check_home)
    return set_up_check(desk(work, "testing"), commit)


def set_up_check(at: Desk, commit: str) -> bool:
    """Makes `check` hold exactly `commit`; whether it was there and only reset."""
    return _make_pristine(at, at.folder.check, commit, _MAKE_PRISTINE)


def restore(work: Work, commit: str) -> None:
    """Makes the agent's checkout hold exactly `commit` again: a change that was dropped must not come back with the next one."""
    at = desk(work, "snapshot")
    _script(at, _RESTORE, at.folder.tree, commit, VerdictName.AGENT_FAILED, "the checkout could not be restored")


def exclude_leftovers(work: Work) -> None:
    """What the set-up command made is not part of the change."""
    at = desk(work, "setup")
    _script(at, _EXCLUDE_LEFTOVERS, at.folder.tree, at.about.start_sha, VerdictName.SETUP_FAILED, "the checkout could not be read")


def take_snapshot(work: Work) -> Path:
    """A bundle of the checkout's content as one commit on the start commit; made by a git directory that no agent ever saw.

    Raises AttemptEnds with the gate's own words when the changed files are together larger than any change may be.
    """
    settings = work.brief.settings
    at = desk(work, "snapshot")
    try:
        return snapshot(at, int(settings.max_change_mib * 2**20))
    except FileNotFoundError:
        refusals = too_large(changed_files(at.folder), settings)
    if not refusals:
        raise AttemptEnds(VerdictName.AGENT_FAILED, "the checkout was changed while it was being recorded")
    more = f" and {len(refusals) - 1} more" if len(refusals) > 1 else ""
    raise AttemptEnds(VerdictName.UNSAFE_DIFF, f"{refusals[0]}{more}", "\n".join(str(refusal) for refusal in refusals))


def changed_files(folder: TaskFolder) -> dict[Entry, int]:
    """The files that the latest snapshot found changed, with their sizes, as far as the sandbox's git told them."""
    changed, sizes = (read_left_file(folder.out / name, _LIST_LIMIT).decode(errors="replace") for name in ("changed", "sizes"))
    told = {blob: int(size) for size, _, blob in (line.partition(" ") for line in sizes.splitlines()) if size.isdecimal()}
    return {entry: told[entry.blob] for entry in listed(changed) if entry.is_kept and entry.blob in told}


def snapshot(at: Desk, most_bytes: int = sys.maxsize) -> Path:
    """What `take_snapshot` does, also when no attempt is there any more; FileNotFoundError when more than that was changed."""
    remove(at.folder.out)
    at.sandbox.give(at.folder.out)
    failure = "the agent left a checkout that git cannot record"
    most = {"MOST": str(most_bytes)}
    _script(at, _TAKE_SNAPSHOT, at.folder.tree, at.about.start_sha, VerdictName.AGENT_FAILED, failure, most)
    bundle = at.folder.out / "snapshot.bundle"
    status = bundle.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _BUNDLE_LIMIT:
        raise AttemptEnds(VerdictName.UNSAFE_DIFF, f"the change takes {status.st_size:,} bytes packed, more than {_BUNDLE_LIMIT:,}")
    return bundle


def _make_pristine(at: Desk, place: Path, commit: str, script: str) -> bool:
    """Takes the last use's traces back where that can be proven; else, and in a sandbox that proves nothing, makes it anew.

    True when it was not made anew.
    """
    stamp = place.with_name(f"{place.name}.pristine")
    failure = f"the checkout `{place.name}` could not be made"
    index = at.folder.indexes / place.name
    if at.sandbox.level == "bubblewrap" and stamp.exists():
        try:
            pristine.clear_touched(place, stamp.stat().st_ctime_ns)
            _script(at, script, place, commit, VerdictName.SETUP_FAILED, failure)
        except (OSError, AttemptEnds) as error:
            _log.warning("checkout is thrown away", place=str(place), why=str(error))
        else:
            stamp.write_text(commit, encoding="utf-8")
            return True
    stamp.unlink(missing_ok=True)
    for old in (place, index, index.with_name(f"{index.name}.lock")):
        pristine.throw_away(at.folder.work_dir, old)
    at.sandbox.give(at.folder.indexes, place)
    _script(at, script, place, commit, VerdictName.SETUP_FAILED, failure)
    if at.sandbox.level == "bubblewrap":
        stamp.write_text(commit, encoding="utf-8")
    return False


def agent_room(work: Work, *, network: bool, binds: tuple[Bind, ...] = (), env: dict[str, str] | None = None) -> Room:
    """What an agent sees: its tree, git directory, home and out folder; the mirror's objects to read."""
    folder = work.folder
    writable = [Bind(path, writable=True) for path in (folder.tree, folder.git, folder.home, folder.out)]
    shadow = Bind(folder.gitfile, target=folder.tree / ".git")
    readable = (Bind(folder.mirror / "objects"), *binds)
    return Room(cwd=folder.tree, home=folder.home, binds=(*writable, shadow, *readable), network=network, env=env or {})


def setup_room(work: Work, *, network: bool) -> Room:
    """What the set-up command of the agent's checkout sees: all but the out folder, where the tests beside it report."""
    room = agent_room(work, network=network)
    return room._replace(binds=tuple(bind for bind in room.binds if bind.source != work.folder.out))


def check_room(work: Work, *, network: bool, env: dict[str, str] | None = None) -> Room:
    """What the tests see: a fresh checkout, a fresh home, and a folder for their report."""
    folder = work.folder
    binds = tuple(Bind(path, writable=True) for path in (folder.check, folder.check_home, folder.out))
    return Room(cwd=folder.check, home=folder.check_home, binds=binds, network=network, env=env or {})


def review_room(work: Work, *, binds: tuple[Bind, ...] = (), env: dict[str, str] | None = None) -> Room:
    """What a reviewer sees: the tests' checkout of the commit, which it cannot change, a home of its own, and the out folder."""
    folder = work.folder
    empty(work, folder.review_home)
    writable = (Bind(folder.review_home, writable=True), Bind(folder.out, writable=True))
    return Room(cwd=folder.check, home=folder.review_home, binds=(*writable, Bind(folder.check), *binds), env=env or {})


def read_left_file(path: Path, limit: int) -> bytes:
    """A file that sandboxed content left for us: only a regular one, never through a link, at most `limit` bytes; else nothing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return b""
    with os.fdopen(handle, "rb") as file:
        return file.read(limit)


def empty(work: Work, folder: Path) -> None:
    remove(folder)
    work.sandbox.give(folder)


def _script(
    at: Desk, script: str, place: Path, commit: str, verdict: VerdictName, failure: str, more: Mapping[str, str] = _NOTHING
) -> None:
    folder = at.folder
    own = (place, folder.indexes, folder.git, folder.snapshot, folder.out)
    env = {
        "PLACE": str(place),
        "COMMIT": commit,
        "GIT_INDEX_FILE": str(folder.indexes / place.name),
        "PRIVATE": str(folder.git),
        "SNAPSHOT": str(folder.snapshot),
        "MIRROR": str(folder.mirror),
        "OUT": str(folder.out),
        "BRANCH": at.about.branch,
        "LITTER": "\n".join(_LITTER),
        "NAME": at.about.login,
        "EMAIL": at.about.email,
        **identity(at.about.login, at.about.email),
        **more,
    }
    binds = (*(Bind(path, writable=True) for path in own if path.exists()), Bind(folder.mirror / "objects"))
    room = Room(cwd=folder.root if at.sandbox.level == "process" else Path("/"), home=folder.home, binds=binds, env=env)
    ended = at.run(["sh", "-ec", script], room)
    if ended.ok:
        return
    if verdicts.is_full_disk(ended.tail):
        reason = f"{failure}: the disk is full, make room on the runner"
        raise AttemptEnds(VerdictName.LIMIT_REACHED, reason, ended.tail, limit=verdicts.DISK)
    raise AttemptEnds(verdict, f"{failure}: {_last_line(ended.tail) or ended.reason}", ended.tail)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else ""
