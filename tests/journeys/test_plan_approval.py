"""A repository that wants to see the plan first: it stands in the check on the base commit, and a press starts it."""

from collections.abc import Iterator

import pytest

from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import PROJECT, Harbour, running_harbour
from tests.support.localhub import Json

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """One whose settings file asks for that; an attempt takes a second, so that others have to wait for their slot."""
    asks = {".github/shoal.yml": PROJECT[".github/shoal.yml"] + "approval: plan\n"}
    with running_harbour(tmp_path_factory.mktemp("asks"), 1, more=asks, SHOAL_SLOTS="1") as running:
        yield running


def _whole(harbour: Harbour, issue: int) -> Json:
    """The newest check of a whole orchestration, once it names the issue."""

    def found() -> Json | None:
        checks = journeys.whole_checks(harbour.world, journeys.main_sha(harbour.world))
        ours = (one for one in checks if f"#{issue} " in one["output"]["summary"])
        return max(ours, key=lambda one: int(one["id"]), default=None)

    return journeys.wait_for(found)  # type: ignore[no-any-return]


def _proposed(harbour: Harbour, issue: int) -> Json:
    return journeys.wait_for(lambda: (one := _whole(harbour, issue))["conclusion"] == "action_required" and one)  # type: ignore[no-any-return]


def test_the_plan_is_read_and_started(harbour: Harbour) -> None:
    """Nothing runs before the press of somebody who may; the whole plan can be read there."""
    issues = [harbour.issue("a pilot book"), harbour.issue("a buoy list")]
    harbour.label(*issues)
    check = _proposed(harbour, issues[0])
    assert check["output"]["title"] == "A plan of 2 tasks waits for you to start it"
    assert "```mermaid" in check["output"]["text"]
    assert "Cost: " in check["output"]["text"]
    # Comments are written after the check.
    journeys.wait_for(lambda: all("press Start plan" in journeys.bot_comments(harbour.world, issue)[0] for issue in issues))
    harbour.hub.person("passer-by", {harbour.repository: "read"})
    harbour.hub.press(int(check["id"]), "passer-by", "start")
    journeys.wait_for(lambda: journeys.is_idle(harbour.world))
    assert journeys.attempts(harbour.world) == []
    harbour.hub.press(int(check["id"]), harbour.maintainer.login, "start")
    journeys.settle(harbour.world, *issues)
    assert {journeys.tasks(harbour.world)[issue].verdict for issue in issues} == {VerdictName.SUCCEEDED}
    assert "the plan was started" in _whole(harbour, issues[0])["output"]["text"]


def test_a_blocker_that_comes_late_changes_what_starts_next(harbour: Harbour) -> None:
    """Marked on GitHub while the plan waits: the order follows, and the check says what changed."""
    first, second = harbour.issue("a sounding line"), harbour.issue("a log book")
    harbour.label(first, second)
    check = _proposed(harbour, first)
    blocker = int(harbour.world.github("GET", f"/issues/{second}")["id"])
    harbour.maintainer.block(harbour.repository, first, blocker)
    says = f"#{first} now also waits for #{second}: it was marked as blocked by it"
    journeys.wait_for(lambda: says in _whole(harbour, first)["output"]["text"])
    harbour.hub.press(int(check["id"]), harbour.maintainer.login, "start")
    journeys.settle(harbour.world, first, second)
    begun = {attempt.issue: attempt.claimed_at for attempt in journeys.attempts(harbour.world)}
    assert (a := begun[first]) is not None
    assert (b := begun[second]) is not None
    assert a > b


def test_a_plan_that_waits_follows_the_default_branch(harbour: Harbour) -> None:
    """Somebody pushes while it waits: its check says what that changed for it, and what is started starts from the new commit."""
    issue = harbour.issue("a tide gauge")
    harbour.label(issue)
    planned_on = journeys.main_sha(harbour.world)
    check = _proposed(harbour, issue)
    newer = harbour.hub.commit(harbour.repository, "main", {"notes/tides.txt": "high\n"}, login=harbour.maintainer.login)
    says = f"the default branch moved from {planned_on[:8]} to {newer[:8]}, where #{issue} will start"

    def said() -> bool:
        texts = [one["output"]["text"] for one in journeys.whole_checks(harbour.world, planned_on)]
        return any(says in text for text in texts)

    journeys.wait_for(said)
    harbour.hub.press(int(check["id"]), harbour.maintainer.login, "start")
    journeys.settle(harbour.world, issue)
    assert journeys.tasks(harbour.world)[issue].verdict == VerdictName.SUCCEEDED
    (pull,) = journeys.pulls_of(harbour.world, issue)
    commits = harbour.world.github("GET", f"/pulls/{pull['number']}/commits")
    parents = {parent["sha"] for commit in commits for parent in commit["parents"]}
    assert (newer in parents, planned_on in parents) == (True, False)
