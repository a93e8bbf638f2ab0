"""Several apps on one Postgres: whoever is killed, the others finish the work, once."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import pytest

from app.demo import child, identity, sample
from app.demo.child import Child
from app.demo.outcome import differences
from app.demo.rehearsal import opened, pulls
from app.demo.world import Ways, settings
from shared.models import VerdictName
from tests.support import journeys
from tests.support.balancer import Balancer, running_balancer
from tests.support.journeys import Harbour, running_harbour
from tests.support.postgres import Postgres

pytestmark = pytest.mark.slow
KILLS = 4


@pytest.fixture(scope="module")
def balancer() -> Iterator[Balancer]:
    """The address that GitHub and runners know."""
    with running_balancer() as running:
        yield running


@dataclass
class Fleet:
    """Apps by port, the eldest first; the world's own questions go to the newest."""

    harbour: Harbour
    balancer: Balancer
    apps: dict[int, Child] = field(default_factory=dict)

    def add(self) -> None:
        """One more beside those that run, with a port and a work folder of its own."""
        world = self.harbour.world
        who = world.identity.model_copy(update={"app_port": identity.new().app_port})
        env = settings(world.folder, world.ways, who) | {"SHOAL_WORK_DIR": str(world.folder / f"work-{who.app_port}")}
        app = child.start(f"app-{who.app_port}", [sys.executable, "-I", "-m", "app", "serve"], world.folder, env)
        world.app, world.identity = app, who
        journeys.wait_for(lambda: world.status() is not None)
        self.apps[who.app_port] = app
        self.balancer.targets = list(self.apps)

    def status_of(self, path: str) -> int:
        """As a prober sees it."""
        return httpx.get(f"{self.balancer.url}{path}", trust_env=False, timeout=30).status_code

    def kill_eldest(self) -> None:
        """kill -9 of the app alone; its runners go on."""
        self.apps.pop(next(iter(self.apps))).kill()
        self.balancer.targets = list(self.apps)


@pytest.fixture
def fleet(tmp_path: Path, postgres: Postgres, balancer: Balancer) -> Iterator[Fleet]:
    """Two apps on one database server, reached through the balancer."""
    shared = {"SHOAL_DATABASE_URL": postgres.database(), "SHOAL_REPLICA_LEASE_SECONDS": "2", "SHOAL_RUNNER_URL": balancer.url}
    with running_harbour(tmp_path / "harbour", 1, None, journeys.known_app, **shared) as harbour:
        harbour.hub.change_app("shoal", webhook_url=f"{balancer.url}/webhook")
        assert harbour.world.app is not None
        fleet = Fleet(harbour, balancer, {harbour.world.identity.app_port: harbour.world.app})
        fleet.add()
        yield fleet
        for app in fleet.apps.values():
            app.end()


def works(port: int) -> bool:
    """Whether that app has performed anything so far."""
    return 'outcome="done"' in httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text


def test_the_main_journey_on_postgres(tmp_path: Path, postgres: Postgres) -> None:
    """Eight issues, the same verdicts and pull requests as on SQLite."""
    with opened(tmp_path / "world", Ways(think_seconds=0, settings={"SHOAL_DATABASE_URL": postgres.database()}), print) as world:
        issues = world.label_all()
        journeys.settle(world, *issues)

        assert differences(sample.expected(), tuple(journeys.tasks(world).values()), pulls(world)) == ()
        assert journeys.doubled(world, *issues) == []
        assert journeys.inbox_statuses(world) == {"done"}


def test_kill_9_of_one_app_after_the_other(fleet: Fleet) -> None:
    """Always the eldest, which leads, at moments that nobody chose: one pull request, comment and check per issue."""
    moments, harbour, world = Random(1), fleet.harbour, fleet.harbour.world
    issues = [harbour.issue(f"Part {number}") for number in range(6)]
    harbour.label(*issues)
    journeys.wait_for(lambda: all(works(port) for port in fleet.apps))
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.1, 1.5))  # a moment that nobody chose is what this is about
        fleet.kill_eldest()
        fleet.add()
    journeys.settle(fleet.harbour.world, *issues)

    verdicts = {issue: task.verdict for issue, task in journeys.tasks(world).items()}
    assert verdicts == dict.fromkeys(issues, VerdictName.SUCCEEDED)
    assert [len(journeys.pulls_of(world, issue)) for issue in issues] == [1] * len(issues)
    assert journeys.doubled(world, *issues) == []
    assert "poison" not in journeys.inbox_statuses(world)


def test_the_database_server_is_away_for_a_while(fleet: Fleet, postgres: Postgres) -> None:
    """Not ready, and alive; nothing is lost, and everything goes on by itself when the server is back."""
    issue = fleet.harbour.issue("The part")
    fleet.harbour.label(issue)
    journeys.wait_for(lambda: all(works(port) for port in fleet.apps))
    postgres.stop()
    try:
        answers = {path: fleet.status_of(path) for path in ("/readyz", "/healthz")}
    finally:
        postgres.start()
    journeys.settle(fleet.harbour.world, issue)

    assert answers == {"/readyz": 503, "/healthz": 200}
    assert journeys.tasks(fleet.harbour.world)[issue].verdict is VerdictName.SUCCEEDED
    assert journeys.doubled(fleet.harbour.world, issue) == []
