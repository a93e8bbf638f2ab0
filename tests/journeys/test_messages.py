"""Messages that come twice, in the wrong order or not at all, and an app that is started twice: nothing is doubled."""

import json
from dataclasses import replace
from random import Random

import pytest

from app.demo import identity
from app.demo.world import settings
from tests.support import journeys
from tests.support.journeys import Harbour, shoal_serve

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow


def test_labels_delivered_three_times_and_shuffled(harbour: Harbour) -> None:
    """One attempt and one pull request per issue, also when a label came off and on again, and when all is redelivered later."""
    issues = [harbour.issue(f"chart {name}") for name in ("north", "south")]
    harbour.hold()
    harbour.label(*issues)
    harbour.relabel(issues[0])
    deliveries = [row["id"] for row in harbour.held()]
    assert len(deliveries) == 4
    shuffled = Random(7).sample(deliveries * 3, 12)
    harbour.hub.webhooks("in_order")
    harbour.hub.release(*shuffled)
    journeys.settle(harbour.world, *issues)
    first = [journeys.pulls_of(harbour.world, issue) for issue in issues]
    assert [len(pulls) for pulls in first] == [1, 1]
    comments = [journeys.bot_comments(harbour.world, issue) for issue in issues]

    harbour.hub.release(*reversed(shuffled))  # redelivered under the same ids
    for row in harbour.hub.deliveries("issues", "labeled"):  # the same words under ids never seen before
        assert harbour.post("issues", json.dumps(row["payload"]).encode()).status_code == 202
    journeys.wait_for(lambda: all(row["attempts"] == 6 for row in harbour.hub.deliveries() if row["id"] in deliveries))
    journeys.settle(harbour.world, *issues)
    assert [journeys.pulls_of(harbour.world, issue) for issue in issues] == first
    assert [journeys.bot_comments(harbour.world, issue) for issue in issues] == comments
    assert [len(journeys.attempts(harbour.world, issue)) for issue in issues] == [1, 1]
    assert journeys.doubled(harbour.world, *issues) == []
    assert "poison" not in journeys.inbox_statuses(harbour.world)


def test_the_second_app_ends_with_one_line_and_nothing_is_doubled(harbour: Harbour) -> None:
    """It names the database and the fix, while the first one goes on working."""
    issue = harbour.issue("a harbour plan")
    harbour.label(issue)
    journeys.wait_for(lambda: journeys.attempts(harbour.world, issue))
    elsewhere = harbour.world.identity.model_copy(update={"app_port": identity.new().app_port})
    second = shoal_serve(settings(harbour.world.folder, harbour.world.ways, elsewhere), harbour.world.folder)
    assert second.status == 1
    assert second.stdout == ""
    (line,) = second.stderr.splitlines()
    assert line.startswith("shoal: another shoal app is using ")
    assert "shoal.db: stop it, or set SHOAL_DATABASE_URL to another file" in line
    journeys.settle(harbour.world, issue)
    assert len(journeys.attempts(harbour.world, issue)) == len(journeys.pulls_of(harbour.world, issue)) == 1
    assert journeys.doubled(harbour.world, issue) == []


def test_a_label_nobody_told_us_about_is_found(harbour: Harbour) -> None:
    """One was put on while the app was dead, one while GitHub lost its webhook: the sweep finds both, at the start and later."""
    world = harbour.world
    while_dead, while_lost = harbour.issue("a tide table"), harbour.issue("a moon table")
    harbour.hub.webhooks("drop")
    world.kill_app()
    harbour.label(while_dead)
    usual, world.ways = world.ways, replace(world.ways, settings={**world.ways.settings, "SHOAL_SWEEP_SECONDS": "1"})
    world.start_app()
    try:
        journeys.settle(world, while_dead)
        harbour.label(while_lost)
        journeys.settle(world, while_lost)
    finally:
        world.kill_app()
        world.ways = usual
    assert {row["status"] for row in harbour.hub.deliveries("issues", "labeled")[-2:]} == {"dropped"}
    assert [len(journeys.pulls_of(world, issue)) for issue in (while_dead, while_lost)] == [1, 1]
    assert journeys.doubled(world, while_dead, while_lost) == []
