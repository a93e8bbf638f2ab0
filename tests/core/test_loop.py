"""The loop: durable in, decided once, done at least once."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from app.actions import AnyAction, ReadIssue
from app.events import AnyEvent, IssueRead
from app.loop import Loop
from app.store.rows import load_repository, repository_ids
from shared.errors import TransientError, UserError
from tests.support.decisions import Desk
from tests.support.loops import nothing, open_loop


async def until(loop: Loop, query: str, expected: object) -> None:
    """Waits for the database to say so (the test's own time-out is the limit)."""
    while (found := await loop.database.read(lambda c: c.scalar(text(query)))) != expected:
        await asyncio.sleep(0.01)
        assert found is not Ellipsis


async def test_a_poison_event_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    """The row stays for the operator, with the traceback; nothing of it was written."""
    async with open_loop(tmp_path) as loop:
        for key, body in (("d1", "5"), ("d2", "13"), ("d3", "6")):
            await loop.accept(key, "issues", body)
        await until(loop, "SELECT count(*) FROM inbox WHERE key LIKE 'd_' AND status='new'", 0)
        statuses = await loop.database.read(
            lambda c: list(c.scalars(text("SELECT status FROM inbox WHERE key LIKE 'd_' ORDER BY key")))
        )
        error = await loop.database.read(lambda c: c.scalar(text("SELECT error FROM inbox WHERE key='d2'")))

    assert statuses == ["done", "poison", "done"]
    assert "Traceback" in error


async def test_a_delivery_is_decided_once_however_often_it_comes(tmp_path: Path) -> None:
    """Three times the same id: one row, one look at GitHub."""
    seen: list[AnyAction] = []

    async def remember(action: AnyAction) -> Sequence[AnyEvent]:
        seen.append(action)
        return []

    async with open_loop(tmp_path, remember) as loop:
        answers = [await loop.accept("d1", "issues", "5") for _ in range(3)]
        await until(loop, "SELECT count(*) FROM outbox WHERE status='done'", 1)

    assert answers == [True, False, False]
    assert seen == [ReadIssue(repository_id=1, issue=5)]


async def test_a_repository_that_was_renamed_or_transferred_goes_on_under_its_id(tmp_path: Path) -> None:
    """The next event says its name and installation; what was known of it stays."""
    async with open_loop(tmp_path) as loop:
        await loop.accept("d1", "issues", "5")
        await until(loop, "SELECT count(*) FROM outbox WHERE status='done'", 1)
        await loop.accept("d2", "issues", "6 newcomer/gadgets 77")
        await until(loop, "SELECT count(*) FROM outbox WHERE status='done'", 2)
        known = await loop.database.read(lambda c: [load_repository(c, found) for found in repository_ids(c)])
    assert [(one.full_name, one.installation_id) for one in known if one] == [("newcomer/gadgets", 77)]


async def test_an_unknown_event_is_kept_as_ignored(tmp_path: Path) -> None:
    """GitHub adds events without notice."""
    async with open_loop(tmp_path) as loop:
        await loop.accept("d1", "starred", "{}")
        await until(loop, "SELECT status FROM inbox", "ignored")


async def test_what_a_dead_app_was_doing_is_done_again(tmp_path: Path) -> None:
    """A row that was taken but never ended belongs to nobody after a restart."""
    begun = asyncio.Event()

    async def hangs(_action: AnyAction) -> Sequence[AnyEvent]:
        begun.set()
        await asyncio.sleep(3600)
        return []

    async with open_loop(tmp_path, hangs) as loop:
        await loop.accept("d1", "issues", "5")
        await begun.wait()
    async with open_loop(tmp_path) as loop:
        await until(loop, "SELECT status FROM outbox", "done")


async def test_an_action_that_may_work_later_is_tried_again(tmp_path: Path) -> None:
    """And what follows from it is written with its end."""
    tries = 0
    desk = Desk()

    async def second_time(action: AnyAction) -> Sequence[AnyEvent]:
        nonlocal tries
        if not isinstance(action, ReadIssue):
            return []
        tries += 1
        if tries == 1:
            raise TransientError("GitHub is away")
        return [
            IssueRead(
                repository_id=1, issue=5, state="open", snapshot=desk.issue(5), label_event=1, labeller="ann", permission="write"
            )
        ]

    async with open_loop(tmp_path, second_time) as loop:
        await loop.accept("d1", "issues", "5")
        await until(loop, "SELECT status FROM tasks", "intake")

    assert tries == 2


async def test_an_action_that_cannot_work_is_kept_with_its_reason(tmp_path: Path) -> None:
    """For the operator; the loop goes on."""

    async def refused(_action: AnyAction) -> Sequence[AnyEvent]:
        raise UserError("the App may not read issues: grant `issues: read`")

    async with open_loop(tmp_path, refused) as loop:
        await loop.accept("d1", "issues", "5")
        await until(loop, "SELECT status FROM outbox", "failed")
        error = await loop.database.read(lambda c: c.scalar(text("SELECT error FROM outbox")))

    assert "grant `issues: read`" in error


async def test_a_full_disk_in_the_middle_of_a_decision_doubles_and_loses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event waits in the inbox until there is room, then it is decided once."""
    async with open_loop(tmp_path, run=False) as loop:
        for number in range(20, 120):  # more than what is left of pages that are there can hold
            await loop.accept(f"d{number}", "issues", str(number))
        pages = await loop.database.read(lambda c: c.scalar(text("PRAGMA page_count")))
        await loop.database.write(lambda c: c.execute(text(f"PRAGMA max_page_count={pages}")))
        work = asyncio.create_task(loop.run(nothing))
        async with asyncio.timeout(120):
            while "disk is full" not in capsys.readouterr().out:
                await asyncio.sleep(0.02)
        await loop.database.write(lambda c: c.execute(text("PRAGMA max_page_count=1000000")))
        await until(loop, "SELECT count(*) FROM inbox WHERE status='new'", 0)
        asked = await loop.database.read(lambda c: c.scalar(text("SELECT count(DISTINCT body) || '/' || count(*) FROM outbox")))
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    assert asked == "100/100"
