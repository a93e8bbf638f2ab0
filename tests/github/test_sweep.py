"""Stories about the sweep on the embedded GitHub: what it finds, and how little it asks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from app.github.client import GitHubApp
from app.held_work import HeldFolder
from app.holding import Holding
from app.metrics import Metrics
from app.settings import load
from app.store import rows
from app.sweep import Sweep
from tests.github.conftest import REPOSITORY, Home
from tests.support.loops import open_loop


async def test_an_issue_that_is_as_it_was_is_not_read_again(home: Home, github: GitHubApp, tmp_path: Path) -> None:
    """A labelled issue without a task is looked at when it is new and when it changed; a sweep in between costs nothing."""
    later = timedelta(0)  # what was touched just now may change again within the second that GitHub counts by
    first, second = (home.mona.open_issue(REPOSITORY, title, labels=["shoal"])["number"] for title in ("One", "Two"))
    settings = load(webhook_secret="not used here", agent_command="agent", app_id="1", private_key=home.app.private_key_pem)
    async with open_loop(tmp_path, run=False, clock=lambda: datetime.now(UTC) + later) as loop:
        sweep = Sweep(settings, loop.database, loop, github, Metrics(), Holding(HeldFolder(settings.held_dir), loop.database, loop))

        async def found() -> list[int]:
            """The reads that were asked for since the last look."""
            query = text("DELETE FROM outbox WHERE kind='read_issue' RETURNING json_extract(body, '$.issue')")
            return await loop.database.write(lambda c: sorted(c.scalars(query)))

        for _ in range(2):
            await sweep.once()
            assert await found() == [first, second]
        later += timedelta(hours=1)
        await sweep.once()
        assert await found() == [first, second]
        await sweep.once()
        assert await found() == []
        home.hub.set_clock(10)
        home.mona.edit_issue(REPOSITORY, second, body="More of it.")
        await sweep.once()
        assert await found() == [second]


async def test_issues_with_a_repository_s_own_label_are_found(home: Home, github: GitHubApp, tmp_path: Path) -> None:
    """The settings file was pushed and the label put on while nobody told us: one sweep reads both, and remembers the first."""
    number = home.mona.open_issue(REPOSITORY, "One", labels=["agent"])["number"]
    settings = load(webhook_secret="not used here", agent_command="agent", app_id="1", private_key=home.app.private_key_pem)
    async with open_loop(tmp_path, run=False, clock=lambda: datetime.now(UTC)) as loop:
        sweep = Sweep(settings, loop.database, loop, github, Metrics(), Holding(HeldFolder(settings.held_dir), loop.database, loop))
        reads = text("SELECT json_extract(body, '$.issue') FROM outbox WHERE kind='read_issue'")
        await sweep.once()
        assert await loop.database.read(lambda c: list(c.scalars(reads))) == []

        home.hub.commit(REPOSITORY, "main", {".github/shoal.yml": "labels: [agent]\n"}, login="mona")
        await sweep.once()

        assert await loop.database.read(lambda c: list(c.scalars(reads))) == [number]
        repository = await loop.database.read(lambda c: rows.load_repository(c, home.id))
        assert repository is not None
        assert repository.labels == ("agent",)
