"""kill -9 of the app, again and again, in the middle of the demo: nobody can tell afterwards."""

import time
from pathlib import Path
from random import Random

import pytest

from app.demo import sample
from app.demo.outcome import differences
from app.demo.rehearsal import opened, pulls
from app.demo.world import Ways, World
from shared.git import git
from tests.support import journeys
from tests.support.contract import problems_of_file

KILLS = 10
ISSUES = range(1, len(sample.issues()) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_ten_kills_at_random_moments(seed: int, tmp_path: Path) -> None:
    """The same pull requests with the same content as ever, one comment per issue, every check concluded once."""
    moments = Random(seed)
    waits = [round(moments.uniform(0.05, 3.0), 2) for _ in range(KILLS)]
    told = f"seed {seed}, seconds between start and kill: {waits}"
    recording = tmp_path / "exchanges.jsonl"
    with opened(tmp_path / "world", Ways(think_seconds=1, record=recording), lambda _: None) as world:
        world.label_all()
        for wait in waits:
            time.sleep(wait)  # a moment that nobody chose is what this is about
            world.kill_app()
            world.start_app()
        journeys.settle(world, *ISSUES)
        assert differences(sample.expected(), tuple(journeys.tasks(world).values()), pulls(world)) == (), told
        assert journeys.doubled(world, *ISSUES) == [], told
        assert [issue for issue in ISSUES if len(journeys.bot_comments(world, issue)) != 1] == [], told
        assert [issue for issue in ISSUES if not _holds_the_prepared_change(world, issue)] == [], told
        assert "poison" not in journeys.inbox_statuses(world), told
    assert problems_of_file(recording) == [], told


def _holds_the_prepared_change(world: World, issue: int) -> bool:
    """The branch's own last commit is the change of `issue`, whatever it is stacked on."""
    found = journeys.pulls_of(world, issue)
    if not found:
        return not sample.expected()[issue].pull_request
    folder = world.folder / f"github/repositories/{world.identity.repository}.git"
    shown = git("show", "--format=", "--numstat", found[0]["head"]["sha"], cwd=folder).strip()
    return shown == git("apply", "--numstat", str(sample.PATCHES / str(issue) / "change.patch"), cwd=folder).strip()
