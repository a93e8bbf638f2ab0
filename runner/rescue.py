"""Nothing an agent wrote is deleted unseen: before a task's folder starts afresh, its work goes into a bundle."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import structlog

from runner import worktree
from runner.endings import AttemptEnds
from runner.phase import Work
from runner.state import State

_log = structlog.get_logger()


def put_away(work: Work, state: State | None) -> None:
    """Keeps earlier work in `rescued/`, as one bundle when it can be read, else the folder as it is; then the folder is empty."""
    folder = work.folder
    if not folder.tree.exists():
        return
    if state is not None and state.start_sha and keep(work, state):
        worktree.remove(folder.root)
    else:
        folder.root.replace(_place(work))
    folder.root.mkdir(parents=True)


def keep(work: Work, state: State) -> bool:
    """Puts what the agent has written since `state`'s start commit into a bundle; False when git cannot read it."""
    mine, work.state = work.state, state
    try:
        bundle = worktree.take_snapshot(work)
    except AttemptEnds:
        return False
    finally:
        work.state = mine
    shutil.move(bundle, _place(work).with_suffix(".bundle"))
    return True


def _place(work: Work) -> Path:
    rescued = work.folder.work_dir / "rescued"
    rescued.mkdir(exist_ok=True)
    place = rescued / f"{work.brief.repository.id}-{work.folder.root.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    _log.info("earlier work is kept", place=str(place))
    return place
