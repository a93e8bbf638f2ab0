"""What an agent did to its git directory: nothing of it is used, but people are told, a line each."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from runner.phase import Work
from runner.room import Bind, Room
from runner.worktree import Desk, desk, read_left_file

_LIMIT = 1_000_000
_SHOWN = 5
_TAKEN = "only the files of its checkout are taken, as one commit on the start commit"
# Inside, since git reads the agent's configuration here; the git directory is read-only meanwhile.
_LOOK = """
sha256sum < "$PRIVATE/config" | sed 's/^/config /'
find "$PRIVATE/hooks" -mindepth 1 ! -name '*.sample' -printf 'hook %f %s %T@\\n' 2>/dev/null || true
echo "head $(cat "$PRIVATE/HEAD")"
private() { git --git-dir="$PRIVATE" "$@"; }
private for-each-ref --format='ref %(refname) %(objectname)'
private merge-base --is-ancestor "$COMMIT" "refs/heads/$BRANCH" || echo "rewritten yes"
echo "whole yes"
"""


class Traces(BaseModel):
    """A private git directory at one moment, as far as it is told; `is_whole` is false when git cannot read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_whole: bool = False
    config: str = ""
    hooks: Mapping[str, str] = {}
    head: str = ""
    refs: Mapping[str, str] = {}
    rewritten: bool = False
    # Whether the checkout's `.git` is the file that we put there.
    is_pointed_at: bool = True


def remember(work: Work) -> None:
    """How git looks before an agent has it: what the set-up command did to it is not the agent's doing."""
    work.state.traces = _look(desk(work, "snapshot")).model_dump_json()


def tell(work: Work) -> None:
    """Notes what the last pass did to it."""
    if not work.state.traces:
        return
    before, after = Traces.model_validate_json(work.state.traces), _look(desk(work, "snapshot"))
    for words in differences(before, after, work.brief.branch):
        work.state.note(words)
    work.state.traces = after.model_dump_json()


def differences(before: Traces, after: Traces, branch: str) -> Iterator[str]:
    """PURE: what was found, and what became of it."""
    if before.is_whole and not after.is_whole:
        yield f"the agent destroyed its git directory: {_TAKEN}"
    if before.is_pointed_at and not after.is_pointed_at:
        yield f"the agent replaced the `.git` of its checkout: {_TAKEN}"
    if not after.is_whole:
        return
    if before.config != after.config:
        yield "the agent changed its git configuration: nothing outside its sandbox reads it"
    if hooks := _changed(before.hooks, after.hooks):
        yield f"the agent changed git hooks ({_names(hooks)}): none of them runs outside its sandbox"
    own = f"refs/heads/{branch}"
    elsewhere = [name for name in _changed(before.refs, after.refs) if name != own]
    if before.head == after.head and elsewhere:
        yield f"the agent committed outside its branch ({_names(elsewhere)}): {_TAKEN}"
    if before.head != after.head:
        names = elsewhere or [after.head.removeprefix("ref: ")]
        yield f"the agent left its branch ({_names(names)}): {_TAKEN}"
    if after.rewritten and not before.rewritten:
        yield f"the agent rewrote the history of its branch: {_TAKEN}"


def _look(at: Desk) -> Traces:
    folder = at.folder
    pointer = read_left_file(folder.tree / ".git", _LIMIT)
    is_pointed_at = pointer == f"gitdir: {folder.git}\n".encode()
    env = {"PRIVATE": str(folder.git), "COMMIT": at.about.start_sha, "BRANCH": at.about.branch, "OUT": str(folder.out)}
    readable = tuple(Bind(path) for path in (folder.git, folder.mirror / "objects") if path.exists())
    cwd = folder.root if at.sandbox.level == "process" else Path("/")
    room = Room(cwd=cwd, home=folder.home, binds=(Bind(folder.out, writable=True), *readable), env=env)
    ended = at.run(["sh", "-ec", f'{{ {_LOOK} }} | head -c {_LIMIT} > "$OUT/git.txt"'], room)
    said = read_left_file(folder.out / "git.txt", _LIMIT).decode(errors="replace")
    return _parsed(said, is_pointed_at=is_pointed_at) if ended.ok else Traces(is_pointed_at=is_pointed_at)


def _parsed(said: str, *, is_pointed_at: bool) -> Traces:
    """Of what the sandbox says: only words, whatever an agent made of them."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in ("config", "hook", "head", "ref", "rewritten", "whole")}
    for line in said.splitlines():
        kind, _, rest = line.partition(" ")
        name, _, value = rest.partition(" ")
        found.get(kind, {})[name] = value
    return Traces(
        is_whole=bool(found["whole"]),
        config=next(iter(found["config"]), ""),
        hooks=found["hook"],
        head=" ".join(next(iter(found["head"].items()), ())).strip(),
        refs=found["ref"],
        rewritten=bool(found["rewritten"]),
        is_pointed_at=is_pointed_at,
    )


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _names(names: list[str]) -> str:
    short = [name.removeprefix("refs/heads/").removeprefix("refs/").replace("`", "'")[:60] for name in names]
    more = f" and {len(short) - _SHOWN} more" if len(short) > _SHOWN else ""
    return ", ".join(f"`{name}`" for name in short[:_SHOWN]) + more
