"""What a waiting task lacks, where people and operators look: comment, check, command, metrics."""

from pathlib import Path

import httpx
import pytest

from app.demo import world as demo_world
from tests.commands.shoal import Run, shoal
from tests.support import journeys
from tests.support.journeys import Harbour, running_harbour

pytestmark = pytest.mark.slow


def status(harbour: Harbour) -> Run:
    """`shoal operator status` with the app's own settings."""
    world = harbour.world
    return shoal("operator", "status", env=demo_world.settings(world.folder, world.ways, world.identity))


def measured(harbour: Harbour) -> list[str]:
    """The lines of `/metrics`."""
    return httpx.get(f"{harbour.world.identity.app_url}/metrics", trust_env=False).text.splitlines()


def test_the_limit_that_binds_is_seen_everywhere(tmp_path: Path) -> None:
    """One slot for two tasks: the second says so on GitHub, the operator hears it, Prometheus counts it; taken back, none waits."""
    with running_harbour(tmp_path / "harbour", 1000, SHOAL_SLOTS="1") as harbour:  # until the label is gone
        issues = [harbour.issue("a pilot book"), harbour.issue("a buoy list")]
        harbour.label(*issues)

        def said() -> list[str]:
            return [one for issue in issues for one in journeys.bot_comments(harbour.world, issue)]

        journeys.wait_for(lambda: any("**Waiting** for a free slot (1 of 1 in use)." in one for one in said()))
        assert status(harbour).stdout.endswith("1 at work; waiting for a free slot 1\n")
        journeys.wait_for(lambda: 'shoal_tasks_waiting{limit="slots"} 1.0' in measured(harbour))
        assert "shoal_slots_allowed 1.0" in measured(harbour)

        for issue in issues:
            harbour.maintainer.unlabel(harbour.repository, issue, "shoal")
        journeys.settle(harbour.world, *issues)
        journeys.wait_for(lambda: 'shoal_tasks_waiting{limit="slots"} 0.0' in measured(harbour))
