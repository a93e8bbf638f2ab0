"""One database: a single writer thread that commits many jobs at once, and readers beside it."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from shared.errors import FatalError

T = TypeVar("T")
Job = Callable[[Connection], Any]

_GROUP = 64
# Names the lock that a writer holds on Postgres ("SHOAL" in ASCII).
_WRITER = 0x53484F414C
# A server gives up on an app that vanished in the middle of a transaction; we give up on a server that does not answer.
_POSTGRES = {
    "options": "-c idle_in_transaction_session_timeout=15000 -c lock_timeout=30000",
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}


def open_engine(url: str) -> Engine:
    """An engine with its schema up to date. SQLite: WAL, and every commit on the disk before it is answered."""
    parsed = make_url(url)
    engine = _postgres(url) if parsed.get_backend_name() == "postgresql" else _sqlite(url, parsed.database)
    try:
        migrate(engine)
    except OperationalError as error:
        engine.dispose()
        raise FatalError(f"SHOAL_DATABASE_URL: {parsed.render_as_string()} cannot be opened: {error.orig}") from error
    return engine


def _sqlite(url: str, file: str | None) -> Engine:
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _postgres(url: str) -> Engine:
    try:
        return create_engine(url, connect_args=_POSTGRES, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise FatalError("SHOAL_DATABASE_URL names Postgres, whose driver is missing: install `shoal[postgres]`") from error


def migrate(engine: Engine) -> None:
    """Brings the schema to the newest version; running twice changes nothing."""
    config = Config()
    config.set_main_option("script_location", "app.store:migrations")
    with engine.begin() as connection:
        _be_the_writer(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy emits BEGIN itself, so that savepoints work
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # Readers take no lock in WAL mode: only the writer asks for one, at once instead of at its first write.
    wants_lock = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if wants_lock else "BEGIN")


def _be_the_writer(connection: Connection) -> None:
    """One writer at a time on Postgres too, whichever process it is in, until its commit: decisions see all earlier ones."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_WRITER)))


class Database:
    """All writes go through `write`: jobs run one after the other, each in its own savepoint, many to a commit."""

    def __init__(self, engine: Engine, on_rollback: Callable[[], None]) -> None:
        self._engine = engine
        postgres = engine.dialect.name == "postgresql"
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if postgres else engine
        # Told when anything written was rolled back: whoever cached what was written must forget it.
        self._on_rollback = on_rollback
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="database-writer", daemon=True)
        self._thread.start()

    async def write(self, job: Callable[[Connection], T]) -> T:
        """What `job` returns, once it is committed; raises what the job or the commit raised, and then nothing was written."""
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return await asyncio.wrap_future(future)

    async def read(self, job: Callable[[Connection], T]) -> T:
        """What `job` returns from a snapshot; it must not write."""
        return await asyncio.to_thread(self._read, job)

    def _read(self, job: Callable[[Connection], T]) -> T:
        with self._reader.connect() as connection:
            return job(connection)

    async def close(self) -> None:
        """Finishes what was handed in, then closes."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._engine.dispose()

    def _work(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first]
            stop = False
            with suppress(queue.Empty):
                while len(batch) < _GROUP:
                    item = self._jobs.get_nowait()
                    if item is None:
                        stop = True
                        break
                    batch.append(item)
            # Claimed from here on: whoever gives up waiting now cannot take the answer's place away.
            self._commit([(job, future) for job, future in batch if future.set_running_or_notify_cancel()])
            if stop:
                return

    def _commit(self, batch: list[tuple[Job, Future[Any]]]) -> None:
        answers: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
                _be_the_writer(connection)
                answers = [self._run(connection, job, future) for job, future in batch]
        except Exception as error:  # noqa: BLE001 - whatever the commit raised belongs to everyone who waits for it
            self._on_rollback()
            for _, future in batch:
                future.set_exception(error)
            return
        for future, result, failure in answers:
            future.set_exception(failure) if failure else future.set_result(result)

    def _run(self, connection: Connection, job: Job, future: Future[Any]) -> tuple[Future[Any], Any, Exception | None]:
        try:
            with connection.begin_nested():
                return future, job(connection), None
        except OperationalError as error:
            # The whole transaction is rolled back already (a full disk, a lost server): nothing of the group was written.
            raise _first(error) from None
        except Exception as error:  # noqa: BLE001 - handed to the one who asked; the others of the group go on
            self._on_rollback()
            return future, None, error


def _first(error: BaseException) -> BaseException:
    """What went wrong before the clean-up went wrong too."""
    earlier = error.__context__
    while earlier is not None:
        error = earlier if isinstance(earlier, OperationalError) else error
        earlier = earlier.__context__
    return error


def lock_file(url: str) -> Path | None:
    """Where two app processes on one SQLite database notice each other; None for a database server."""
    parsed = make_url(url)
    return Path(f"{parsed.database}.lock") if parsed.get_backend_name() == "sqlite" and parsed.database else None


def hold_lock(url: str) -> Any:
    """Holds the database for this process as long as the returned file is open."""
    import fcntl

    path = lock_file(url)
    if path is None:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise FatalError(
            f"another shoal app is using {path.with_suffix('')}: stop it, or set SHOAL_DATABASE_URL to another file"
        ) from error
    return file


def storable(error: str) -> str:
    """What went wrong, cut, and without what no database takes as text: an error may quote anything."""
    return error.encode(errors="backslashreplace").decode().replace("\0", "\\0")[:4000]


def upsert(connection: Connection, table: Table, values: dict[str, object]) -> None:
    """Inserts a row, or replaces the values of the one with the same primary key."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    keys = [column.name for column in table.primary_key]
    statement = dialect.insert(table).values(values)
    changes = {name: statement.excluded[name] for name in values if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
