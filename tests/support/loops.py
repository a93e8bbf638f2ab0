"""A loop on a database of its own, outside of an app."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.actions import AnyAction
from app.events import AnyEvent, IssueLabelled, RepositoryRef
from app.loop import Loop
from app.metrics import Metrics
from app.planning.capacity import Sample
from app.replica import Membership
from app.store.database import Database, open_engine
from tests.support.decisions import POLICY
from tests.support.protocol import REPOSITORY

Pressure = Callable[[], Sample]
Perform = Callable[[AnyAction], Awaitable[Sequence[AnyEvent]]]


def labelled(issue: int) -> IssueLabelled:
    """Our label was put on an issue."""
    return IssueLabelled(repository_id=1, repository=REPOSITORY, issue=issue, label="shoal", sender="ann")


def translate(kind: str, body: bytes) -> AnyEvent | None:
    """A webhook of these tests is an issue's number, and where its repository is now; the number 13 cannot be digested."""
    if kind != "issues":
        return None
    number, *moved = body.decode().split()
    event = labelled({13: "x"}.get(int(number), int(number)))  # type: ignore[arg-type]
    if not moved:
        return event
    repository = RepositoryRef(id=REPOSITORY.id, full_name=moved[0], installation_id=int(moved[1]))
    return event.model_copy(update={"repository": repository})


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


async def nothing(_action: AnyAction) -> Sequence[AnyEvent]:
    """An effect from which nothing follows."""
    return []


@asynccontextmanager
async def open_loop(
    folder: Path,
    perform: Perform = nothing,
    *,
    run: bool = True,
    clock: Callable[[], datetime] = utc_now,
    pressure: Pressure | None = None,
) -> AsyncIterator[Loop]:
    """A loop on a database in `folder`, at work when `run`."""
    loop = Loop(
        policy=POLICY,
        translate=translate,
        clock=clock,
        pressure=pressure,
        metrics=Metrics(),
        tick_seconds=0.05,
        membership=Membership(clock, timedelta(seconds=5)),
        grace_seconds=0,
    )
    loop.database = Database(open_engine(f"sqlite:///{folder}/shoal.db"), loop.forget)
    work = asyncio.create_task(loop.run(perform)) if run else None
    try:
        yield loop
    finally:
        if work is not None:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        await loop.database.close()
