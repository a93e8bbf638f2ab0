"""Nothing an agent wrote is deleted unseen: before its folder starts afresh or goes, what is nowhere else goes into a bundle."""

import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from pydantic import BaseModel, ConfigDict

from runner import pool, publish, worktree
from runner.endings import AttemptEnds
from runner.folder import TaskFolder
from runner.phase import Work
from runner.pristine import remove
from runner.state import State
from runner.worktree import Desk
from shared.errors import TransientError
from shared.git import GitFailed

_ABOUT, _BUNDLE, _FOLDER = "about.json", "work.bundle", "folder"
_log = structlog.get_logger()


class Rescue(NamedTuple):
    """One piece of work that is nowhere else, until a person fetches or removes it."""

    repository: str
    branch: str
    issue: int
    when: datetime
    bytes: int
    # 0: a folder that git could not read, kept as it was.
    commits: int
    path: Path
    restore: str


class _Label(BaseModel):
    """What lies beside a rescued bundle or folder."""

    model_config = ConfigDict(frozen=True)

    repository_id: int
    repository: str
    branch: str
    issue: int
    when: datetime
    commits: int


def put_away(work: Work, state: State | None) -> None:
    """Keeps earlier work in `rescued/`, as a bundle when git can read it, else as it is; then only the checkout is left."""
    folder = work.folder
    if not folder.tree.exists() and not folder.publish.exists():
        return
    at = worktree.desk(work, "snapshot")
    if state is not None and state.start_sha and _kept(_since(at, state.start_sha)):
        clear(folder)
        return
    key = folder.key.read_text(encoding="utf-8") if folder.key.exists() else ""
    keep_folder(at)
    folder.root.mkdir(parents=True)
    if key:
        pool.renew(folder, key)


def keep(work: Work, state: State) -> bool:
    """Puts what the agent has written since `state`'s start commit into a bundle; False when git cannot read it."""
    return _kept(_since(worktree.desk(work, "snapshot"), state.start_sha))


def settle(at: Desk) -> None:
    """Makes sure that nothing in a task's folder is only there: by a bundle, or by keeping the folder."""
    if at.folder.tree.exists() and not _kept(at):
        keep_folder(at)


def clear(folder: TaskFolder) -> None:
    """Removes all of a settled task but its checkout."""
    for path in folder.root.iterdir():
        if path != folder.checkout:
            remove(path)


def keep_folder(at: Desk) -> None:
    """The folder as it is, where git cannot read what is in it."""
    place = _new_place(at.folder)
    at.folder.root.rename(place / _FOLDER)
    _label(place, at, 0)


def listing(work_dir: Path) -> list[Rescue]:
    """All rescued work, the oldest first."""
    places = [place for place in (work_dir / "rescued").glob("*") if (place / _ABOUT).is_file()]
    return sorted((_read(place) for place in places), key=lambda rescue: rescue.when)


def _since(at: Desk, start_sha: str) -> Desk:
    about = at.about.model_copy(update={"start_sha": start_sha})
    return Desk(at.folder, at.sandbox, about, at.run)


def _kept(at: Desk) -> bool:
    """False when git cannot read the checkout."""
    try:
        bundle = worktree.snapshot(at)
        publish.open_quarantine(at.folder)
        publish.take_in(at.folder, bundle)
    except (AttemptEnds, GitFailed, TransientError, OSError) as error:
        _log.warning("earlier work cannot be bundled", folder=str(at.folder.root), why=str(error))
        return False
    new = at.folder.root / "rescue.bundle"
    if commits := publish.bundle_what_is_only_here(at.folder, at.about, new):
        place = _new_place(at.folder)
        shutil.move(new, place / _BUNDLE)
        _label(place, at, commits)
    return True


def _new_place(folder: TaskFolder) -> Path:
    name = f"{folder.repository_id}-{folder.root.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    place = folder.work_dir / "rescued" / name
    place.mkdir(parents=True)
    return place


def _label(place: Path, at: Desk, commits: int) -> None:
    about = at.about
    label = _Label(
        repository_id=about.repository_id,
        repository=about.repository,
        branch=about.branch,
        issue=about.issue,
        when=datetime.now(UTC),
        commits=commits,
    )
    (place / _ABOUT).write_text(label.model_dump_json(indent=1), encoding="utf-8")
    _log.info("earlier work is kept", place=str(place), commits=commits)


def _read(place: Path) -> Rescue:
    label = _Label.model_validate_json((place / _ABOUT).read_bytes())
    bundle = place / _BUNDLE
    if bundle.is_file():
        size, command = bundle.stat().st_size, f"git fetch {bundle} '+refs/shoal/*:refs/rescued/{label.branch}/*'"
    else:
        size = sum(path.lstat().st_size for path in place.rglob("*") if not path.is_dir())
        command = f"cp -r {place / _FOLDER}/checkout/tree ."
    return Rescue(label.repository, label.branch, label.issue, label.when, size, label.commits, place, command)
