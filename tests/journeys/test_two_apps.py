"""Two Shoal Apps on one repository that answer the same label: each issue is done once, and whoever came second says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.demo import identity
from app.demo.world import World
from shared.github import CHECK_NAME
from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import Harbour, known_app, running_harbour

pytestmark = pytest.mark.slow
OTHER = "shoal-of-another-team"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[dict[str, Harbour]]:
    """Two apps with folders of their own, by the account that each writes with; neither knows of the other."""
    with running_harbour(tmp_path / "ours") as ours:
        (tmp_path / "theirs").mkdir()
        known = {"hub_port": ours.world.identity.hub_port, "maintainer_token": ours.maintainer.token}
        who = identity.new().model_copy(update=known)
        theirs = Harbour(World(tmp_path / "theirs", ours.world.ways, who, found=False), ours.hub, ours.maintainer)
        try:
            known_app(theirs, OTHER)
            yield {"shoal[bot]": ours, f"{OTHER}[bot]": theirs}
        finally:
            theirs.world.stop()


def test_each_issue_is_done_once_and_the_second_app_says_so(both: dict[str, Harbour]) -> None:
    """One pull request per issue, by who made the branch; the other leaves it alone and says that, also when labelled again."""
    ours = both["shoal[bot]"]
    issues = [ours.issue(title) for title in ("a pilot book", "a buoy list", "a tide table")]
    ours.label(*issues)
    for harbour in both.values():
        journeys.settle(harbour.world, *issues)
    lost = {bot: [issue for issue in issues if _second(both, issue) == bot] for bot in both}
    for bot, harbour in both.items():
        [whole] = [
            run for run in journeys.whole_checks(ours.world, journeys.main_sha(ours.world)) if f"{run['app']['slug']}[bot]" == bot
        ]
        named = [issue for issue in issues if f"#{issue} branch moved" in whole["output"]["title"]]
        assert (named, whole["conclusion"]) == (lost[bot], "neutral" if lost[bot] else "success")
        assert journeys.inbox_statuses(harbour.world) == {"done"}

    again, second = both[_second(both, issues[0])], _second(both, issues[0])
    [first] = set(both) - {second}
    ours.relabel(issues[0])
    journeys.wait_for(lambda: len(journeys.attempts(again.world, issues[0])) == 2)
    journeys.wait_for(lambda: "so nothing was started" in journeys.bot_comments(ours.world, issues[0], first)[0])
    for harbour in both.values():
        journeys.settle(harbour.world, *issues)
    assert _second(both, issues[0]) == second
    branches = [branch["name"] for branch in ours.world.github("GET", "/branches?per_page=100")]
    assert len([name for name in branches if name.startswith("shoal/")]) == len(issues)


def _second(both: dict[str, Harbour], issue: int) -> str:
    """Who found the issue done, after looking at all that a person sees of it: pull request, its checks, two comments."""
    world = both["shoal[bot]"].world
    [pull] = journeys.pulls_of(world, issue)
    first, head = pull["user"]["login"], pull["head"]
    [second] = set(both) - {first}
    verdicts = {bot: journeys.tasks(harbour.world)[issue].verdict for bot, harbour in both.items()}
    assert verdicts == {first: VerdictName.SUCCEEDED, second: VerdictName.BRANCH_MOVED}
    [done], [left] = (journeys.bot_comments(world, issue, bot) for bot in (first, second))
    assert f"**Succeeded**, pull request #{pull['number']}" in done
    words = f"**Branch moved**: somebody else pushed {head['sha'][:8]} to `{head['ref']}`; their commits are left alone"
    assert words in left.replace("\\`", "`")
    [check] = [run for run in journeys.checks_on(world, head["sha"]) if run["name"] == CHECK_NAME]
    assert (f"{check['app']['slug']}[bot]", check["conclusion"]) == (first, "success")
    return second
