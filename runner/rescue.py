"""Nothing an agent wrote is deleted unseen: before its folder starts afresh or goes, what is nowhere else goes into a bundle."""

import shutil
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import structlog
from pydantic import BaseModel, ConfigDict

from runner import publish, worktree
from runner.endings import AttemptEnds
from runner.folder import About, TaskFolder, read_about
from runner.phase import Work
from runner.pristine import remove
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

    repository: str
    branch: str
    issue: int
    when: datetime
    commits: int


def put_away(work: Work) -> None:
    """Keeps earlier work in `rescued/`; then only the checkout and the plan are left of the task."""
    keep(work)
    clear(work.folder)


def keep(work: Work) -> None:
    """Keeps what an agent has written, as far as it is nowhere else."""
    settle(work.folder, lambda about: worktree.own_desk(work.folder, work.sandbox, about, work.stop))


def settle(folder: TaskFolder, desk_for: Callable[[About], Desk]) -> None:
    """Afterwards nothing in the task's folder is only there: it is in a bundle, or moved as it was when git cannot read it."""
    if not folder.about.exists():
        return
    about = read_about(folder)
    if about is None or not _taken_in(desk_for(about)):
        _move(folder, about, folder.tree)
    if about is None:
        return
    new = folder.root / "rescue.bundle"
    try:
        commits = publish.bundle_what_is_only_here(folder, about, new)
    except (GitFailed, TransientError) as error:
        _log.warning("earlier work cannot be bundled", folder=str(folder.root), why=str(error))
        _move(folder, about, folder.publish)
        return
    if commits:
        place = _new_place(folder)
        shutil.move(new, place / _BUNDLE)
        _label(place, folder, about, commits)


def clear(folder: TaskFolder) -> None:
    """Removes all of a settled task but its checkout and its plan, which each go their own way."""
    for path in folder.root.iterdir():
        if path not in {folder.checkout, folder.plan}:
            remove(path)


def listing(work_dir: Path) -> list[Rescue]:
    """All rescued work, the oldest first."""
    places = [place for place in (work_dir / "rescued").glob("*") if (place / _ABOUT).is_file()]
    return sorted((_read(place) for place in places), key=lambda rescue: rescue.when)


def _taken_in(at: Desk) -> bool:
    """Whether the quarantine holds what the checkout holds."""
    try:
        publish.open_quarantine(at.folder)
        publish.take_in(at.folder, worktree.snapshot(at))
    except (AttemptEnds, GitFailed, TransientError, OSError) as error:
        _log.warning("earlier work cannot be read", folder=str(at.folder.root), why=str(error))
        return False
    return True


def _move(folder: TaskFolder, about: About | None, path: Path) -> None:
    if path.exists():
        place = _new_place(folder)
        path.rename(place / _FOLDER)
        _label(place, folder, about, 0)


def _new_place(folder: TaskFolder) -> Path:
    name = f"{folder.repository_id}-{folder.root.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    place = folder.work_dir / "rescued" / name
    place.mkdir(parents=True)
    return place


def _label(place: Path, folder: TaskFolder, about: About | None, commits: int) -> None:
    label = _Label(
        repository=about.repository if about else f"repository {folder.repository_id}",
        branch=about.branch if about else folder.branch,
        issue=about.issue if about else 0,
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
        command = f"cp -r {place / _FOLDER} FOLDER"
    return Rescue(label.repository, label.branch, label.issue, label.when, size, label.commits, place, command)
