"""Plans of a real repository through the app's own mirror, which may lose what it held, as disks do, and is made anew then."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.decide.draft import Decision
from app.events import PlanReady
from app.facts.settings_file import PATH
from app.github.repository import RepositoryClient
from app.planner import Planner
from app.planning.capacity import Machine
from app.settings import load
from app.store import rows
from app.store.database import Database, open_engine
from shared.git import git
from tests.github.conftest import REPOSITORY, Home, client, github, home
from tests.support.decisions import Desk

__all__ = ["client", "github", "home"]  # fixtures

SETTINGS = "approval: plan\n"


def lose_objects(folder: Path, name: str) -> None:
    """Of a bare repository everything but what is under other names."""
    wanted = git("rev-parse", name, cwd=folder).strip()
    packs = [pack.rename(folder / pack.name) for pack in (folder / "objects/pack").glob("*.pack")]
    for pack in packs:
        git("unpack-objects", "-q", cwd=folder, stdin=pack.read_bytes())
        pack.unlink()
    for index in (folder / "objects/pack").glob("*"):
        index.unlink()
    (folder / "objects" / wanted[:2] / wanted[2:]).unlink()


def no_head(folder: Path, _name: str) -> None:
    """The file by which git knows a repository is empty."""
    (folder / "HEAD").write_text("")


@pytest.fixture
async def planner(home: Home, tmp_path: Path) -> AsyncIterator[Planner]:
    """With one issue to plan, in a repository of two commits and settings."""
    home.hub.commit(REPOSITORY, "main", {PATH: SETTINGS, "src/total.py": "def total(): ...\n"}, login="mona")
    database = Database(open_engine(f"sqlite:///{tmp_path}/shoal.db"), lambda: None)
    home.mona.open_issue(REPOSITORY, "The total is wrong", labels=[])
    desk = Desk()
    desk.state = desk.state.__class__(desk.state.repository.model_copy(update={"id": home.id, "full_name": REPOSITORY}))
    desk.read(desk.issue(1, "See `src/total.py`, and `ledger.py` once it is there."))
    desk.wait(21)
    state = desk.state
    decision = Decision(state, True, tuple(state.orchestrations.values()), tuple(state.tasks.values()), (), (), "")
    await database.write(lambda c: rows.save(c, state.repository, decision))
    ours = {"webhook_secret": "not used here", "agent_command": "agent", "app_id": "1", "private_key": home.app.private_key_pem}
    yield Planner(load(**ours, work_dir=tmp_path / "work"), database, Machine)
    await database.close()


async def make(planner: Planner, client: RepositoryClient) -> PlanReady:
    """The plan of the one orchestration."""
    (orchestration,) = await planner.database.read(rows.orchestration_ids)
    made = await planner.make(client, client.repository_id, orchestration)
    assert isinstance(made, PlanReady)
    return made


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (lose_objects, "main^{tree}"),
        (lose_objects, "main"),
        (lose_objects, f"main:{PATH}"),
        (lose_objects, "main:src/total.py"),
        (lose_objects, "main^"),
        (no_head, ""),
    ],
)
async def test_a_damaged_mirror_is_made_anew(
    planner: Planner, client: RepositoryClient, tmp_path: Path, damage: Callable[[Path, str], None], name: str
) -> None:
    """A tree, the commit, the settings, a file, the past, the repository itself: the same plan comes out, by the same settings."""
    first = await make(planner, client)
    assert first.settings.approval == "plan"
    for kept in (tmp_path / "work/planning").glob("*"):
        kept.unlink()  # what was worked out is no reason not to look
    (mirror,) = (tmp_path / "work/mirrors-app").glob("*.git")
    damage(mirror, name)

    second = await make(planner, client)

    assert (second.plan, second.settings, second.base_sha) == (first.plan, first.settings, first.base_sha)
    assert git("fsck", "--connectivity-only", cwd=mirror) is not None
    assert git("rev-list", "--count", "main", cwd=mirror).strip() == "2"


async def test_a_waiting_task_is_looked_at_on_the_newest_commit(planner: Planner, client: RepositoryClient, home: Home) -> None:
    """A file that the issue names has come since the plan: it is expected now; what does not wait is not looked at."""
    made = await make(planner, client)
    assert await planner.look_again(client, client.repository_id, made.orchestration) is None
    desk = Desk()
    desk.state = await planner.database.read(
        lambda c: rows.load_state(c, rows.load_repository(c, home.id) or desk.state.repository)
    )
    desk.tell(made)
    state = desk.state
    decision = Decision(state, True, tuple(state.orchestrations.values()), tuple(state.tasks.values()), (), (), "")
    await planner.database.write(lambda c: rows.save(c, state.repository, decision))
    newer = home.hub.commit(REPOSITORY, "main", {"lib/ledger.py": "def total(): ...\n"}, login="mona")

    revised = await planner.look_again(client, client.repository_id, made.orchestration)

    assert revised is not None
    assert (revised.base_sha, [task.issue for task in revised.plan.tasks]) == (newer, [1])
    touched = {touch.path: touch.probability for touch in revised.plan.tasks[0].touches}
    assert "lib/ledger.py" in touched
    assert "lib/ledger.py" not in {touch.path for touch in made.plan.tasks[0].touches}
