"""All that the embedded GitHub knows, in memory, written through to SQLite so that a second start has it again."""

import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from app.localhub import records
from app.localhub.errors import not_found

_FIRST_ID = 10_000_000

R = TypeVar("R", bound=records.Record)


class Table(Generic[R]):
    """Records of one kind by id, in the order in which they were made."""

    def __init__(self, model: type[R], changed: set[tuple[str, int]]) -> None:
        self.model = model
        self.kind = model.__name__
        self._rows: dict[int, R] = {}
        self._changed = changed

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._rows.values()))

    def __getitem__(self, row_id: int) -> R:
        return self._rows[row_id]

    def get(self, row_id: int) -> R | None:
        return self._rows.get(row_id)

    def find(self, wanted: Callable[[R], bool]) -> R | None:
        return next((row for row in self if wanted(row)), None)

    def where(self, wanted: Callable[[R], bool]) -> list[R]:
        return [row for row in self if wanted(row)]

    def save(self, row: R) -> R:
        """Remembers a new record, or the change of a known one."""
        self._rows[row.id] = row
        self._changed.add((self.kind, row.id))
        return row

    def remove(self, row_id: int) -> None:
        self._rows.pop(row_id, None)
        self._changed.add((self.kind, row_id))

    def load(self, row: R) -> None:
        self._rows[row.id] = row


class State:
    """The tables, the clock and the ids; every use holds `lock`, so one request sees and leaves a whole state."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.api_url = f"{url}/api/v3"
        self.lock = threading.RLock()
        self.clock_offset = 0.0
        self.outgoing: deque[int] = deque()  # deliveries to send, oldest first
        self._changed: set[tuple[str, int]] = set()
        self._make_tables()
        self._db = _open(folder / "localhub.sqlite")
        self._last_id = self._load()

    def _make_tables(self) -> None:
        changed = self._changed
        self.accounts = Table(records.Account, changed)
        self.apps = Table(records.App, changed)
        self.installations = Table(records.Installation, changed)
        self.tokens = Table(records.Token, changed)
        self.repositories = Table(records.Repository, changed)
        self.labels = Table(records.Label, changed)
        self.issues = Table(records.Issue, changed)
        self.pulls = Table(records.Pull, changed)
        self.comments = Table(records.Comment, changed)
        self.reactions = Table(records.Reaction, changed)
        self.issue_events = Table(records.IssueEvent, changed)
        self.reviews = Table(records.Review, changed)
        self.check_suites = Table(records.CheckSuite, changed)
        self.check_runs = Table(records.CheckRun, changed)
        self.statuses = Table(records.CommitStatus, changed)
        self.deliveries = Table(records.Delivery, changed)
        self.workflows = Table(records.Workflow, changed)
        self.workflow_runs = Table(records.WorkflowRun, changed)
        self.runners = Table(records.SelfHostedRunner, changed)
        self.runner_groups = Table(records.RunnerGroup, changed)
        self._tables: dict[str, Table[records.Record]] = {
            table.kind: table for table in vars(self).values() if isinstance(table, Table)
        }

    def _load(self) -> int:
        for kind, body in self._db.execute("SELECT kind, body FROM record ORDER BY id"):
            table = self._tables[kind]
            table.load(table.model.model_validate_json(body))
        self.outgoing.extend(delivery.id for delivery in self.deliveries if delivery.status == "pending")
        last: int = self._db.execute("SELECT coalesce(max(id), ?) FROM record", (_FIRST_ID,)).fetchone()[0]
        return last

    def commit(self) -> None:
        """Writes what changed since the last commit, all or nothing."""
        if not self._changed:
            return
        with self._db:
            for kind, row_id in self._changed:
                row = self._tables[kind].get(row_id)
                if row is None:
                    self._db.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, row_id))
                else:
                    self._db.execute("REPLACE INTO record VALUES (?, ?, ?)", (kind, row_id, row.model_dump_json()))
        self._changed.clear()

    def reset(self) -> None:
        """Forgets everything, repositories too."""
        for table in self._tables.values():
            for row in table:
                table.remove(row.id)
        self.outgoing.clear()
        self.clock_offset = 0.0
        shutil.rmtree(self.folder / "repositories", ignore_errors=True)

    def close(self) -> None:
        self.commit()
        self._db.close()

    def next_id(self) -> int:
        """Ids are large, so that nobody can take one for an issue's number."""
        self._last_id += 1
        return self._last_id

    def now(self) -> float:
        """Seconds since the epoch, by this server's own clock."""
        return time.time() + self.clock_offset

    def stamp(self, seconds: float | None = None) -> str:
        """A moment (default: now) as GitHub writes it."""
        moment = datetime.fromtimestamp(self.now() if seconds is None else seconds, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def repository(self, owner: str, name: str) -> records.Repository:
        """The repository of that name; names are case-insensitive, `.git` at the end does not count."""
        full_name = f"{owner}/{name.removesuffix('.git')}".lower()
        found = self.repositories.find(lambda row: row.full_name.lower() == full_name)
        found = found or self.repositories.find(lambda row: full_name in row.former)
        if found is None:
            raise not_found()
        return found

    def account(self, login: str) -> records.Account:
        found = self.accounts.find(lambda row: row.login.lower() == login.lower())
        if found is None:
            raise not_found()
        return found

    def git_dir(self, repository: records.Repository) -> Path:
        """The bare repository on disk."""
        return self.folder / "repositories" / repository.owner / f"{repository.name}.git"


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # A rehearsal must survive the death of its process, not of its machine.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS record (kind TEXT, id INTEGER, body TEXT, PRIMARY KEY (kind, id))")
    return connection
