"""One writer, many jobs to a commit; what fails takes nothing else with it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from app.store import inbox
from app.store.database import Database, hold_lock, migrate, open_engine
from app.store.schema import metadata
from shared.errors import FatalError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Rollbacks:
    """Counts what a cache is told."""

    count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def rollbacks() -> Rollbacks:
    """One counter."""
    return Rollbacks()


@pytest.fixture
async def database(database_url: str, rollbacks: Rollbacks) -> AsyncIterator[Database]:
    """A fresh one of either kind."""
    database = Database(open_engine(database_url), rollbacks)
    yield database
    await database.close()


def put(connection: Connection, key: str) -> bool:
    """One row."""
    return inbox.put(connection, key=key, source="webhook", kind="issues", body="{}", now=NOW)


def rows(connection: Connection) -> list[str]:
    """The keys that are there."""
    return list(connection.scalars(text("SELECT key FROM inbox ORDER BY id")))


async def test_a_job_that_fails_leaves_its_neighbours_alone(database: Database, rollbacks: Rollbacks) -> None:
    """They may have been committed together; only the failed one is undone and told."""

    def fails(connection: Connection) -> None:
        put(connection, "half done")
        raise ValueError("no")

    results = await asyncio.gather(
        database.write(lambda c: put(c, "a")), database.write(fails), database.write(lambda c: put(c, "b")), return_exceptions=True
    )

    assert [type(result) for result in results] == [bool, ValueError, bool]
    assert await database.read(rows) == ["a", "b"]
    assert rollbacks.count == 1


async def test_the_same_key_twice_is_one_row(database: Database) -> None:
    """GitHub redelivers with the same delivery id."""
    first, second = await database.write(lambda c: put(c, "a")), await database.write(lambda c: put(c, "a"))

    assert (first, second) == (True, False)
    assert await database.read(rows) == ["a"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_loses_nothing_that_was_answered(database: Database) -> None:
    """The write fails as a whole, says so, and works again when there is room."""
    await database.write(lambda c: put(c, "before"))
    pages = await database.read(lambda c: c.scalar(text("PRAGMA page_count")))
    await database.write(lambda c: c.execute(text(f"PRAGMA max_page_count={pages}")))

    def large(connection: Connection) -> None:
        put(connection, "first half")
        inbox.put(connection, key="second half", source="webhook", kind="issues", body="x" * 200_000, now=NOW)

    with pytest.raises(OperationalError, match="full"):
        await database.write(large)
    await database.write(lambda c: c.execute(text("PRAGMA max_page_count=1000000")))
    await database.write(large)

    assert await database.read(rows) == ["before", "first half", "second half"]


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    """Every start runs the migrations; what they make is the schema, to the last column and index."""
    engine = open_engine(database_url)
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_second_app_on_one_database_is_refused_by_name(tmp_path: Path) -> None:
    """By mistake two are started: the second says so in one line and ends."""
    url = f"sqlite:///{tmp_path}/shoal.db"
    script = f"from app.store.database import hold_lock; lock = hold_lock({url!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"

        with pytest.raises(FatalError, match=r"another shoal app is using .*shoal\.db"):
            hold_lock(url)

        other.kill()
        other.wait()
    with hold_lock(url) as lock:
        assert lock, "free again at once when the other one was killed"
