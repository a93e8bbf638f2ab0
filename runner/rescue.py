"""Nothing an agent wrote is deleted unseen: before a task's folder starts afresh, its work goes into a bundle."""

from datetime import UTC, datetime

import structlog

from runner import worktree
from runner.endings import AttemptEnds
from runner.phase import Work
from runner.state import State

_log = structlog.get_logger()


def put_away(work: Work, state: State | None) -> None:
    """Moves earlier work to `rescued/`: one bundle when it can be read, else the folder as it is; then the folder is empty."""
    folder = work.folder
    if not folder.tree.exists():
        return
    rescued = folder.work_dir / "rescued"
    rescued.mkdir(exist_ok=True)
    place = rescued / f"{work.brief.repository.id}-{folder.root.name}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    if state is not None and state.start_sha and _bundle(work, state):
        (folder.out / "snapshot.bundle").replace(place.with_suffix(".bundle"))
        worktree.remove(folder.root)
    else:
        folder.root.replace(place)
    folder.root.mkdir(parents=True)
    _log.info("earlier work was rescued", place=str(place))


def _bundle(work: Work, state: State) -> bool:
    mine, work.state = work.state, state
    try:
        worktree.take_snapshot(work)
    except AttemptEnds:
        return False
    finally:
        work.state = mine
    return True
