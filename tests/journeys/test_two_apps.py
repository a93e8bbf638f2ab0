"""Two app processes on one database by mistake."""

import pytest

from app.demo import identity
from app.demo.world import settings
from tests.support import journeys
from tests.support.journeys import Harbour, shoal_serve

pytestmark = pytest.mark.xdist_group("harbour")


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
