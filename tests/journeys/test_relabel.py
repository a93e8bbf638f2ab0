"""A label on an issue that is finished already: what happens depends on what became of its pull request, and is said."""

import pytest

from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import Harbour

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow


def _finished(harbour: Harbour, title: str, **changes: str) -> int:
    issue = harbour.issue(title, changes={path.replace("_py", ".py"): text for path, text in changes.items()} or None)
    harbour.label(issue)
    journeys.settle(harbour.world, issue)
    return issue


def test_an_open_pull_request_is_pointed_at_and_a_merged_one_followed_by_a_second_generation(harbour: Harbour) -> None:
    """While it is open the comment says why nothing starts; once it is merged there is a branch and a pull request anew."""
    issue = _finished(harbour, "a signal book")
    (first,) = journeys.pulls_of(harbour.world, issue)
    harbour.relabel(issue)
    says = f"Labelled again, but pull request #{first['number']} is still open, so nothing was started. Merge or close it first."
    journeys.wait_for(lambda: says in journeys.bot_comments(harbour.world, issue)[0])
    journeys.settle(harbour.world, issue)
    assert journeys.pulls_of(harbour.world, issue) == [first]
    assert len(journeys.attempts(harbour.world, issue)) == 1

    harbour.maintainer.merge(harbour.repository, first["number"])
    assert harbour.world.github("GET", f"/issues/{issue}")["state"] == "closed"
    harbour.prepare(issue, {"second_edition.py": "EDITION = 2\n"})
    harbour.maintainer.edit_issue(harbour.repository, issue, state="open")
    harbour.relabel(issue)
    journeys.wait_for(lambda: len(journeys.pulls_of(harbour.world, issue)) == 2)
    journeys.settle(harbour.world, issue)
    merged, second = journeys.pulls_of(harbour.world, issue)
    assert second["head"]["ref"] == first["head"]["ref"].replace(f"/{issue}-", f"/{issue}.2-")
    assert merged["merged_at"]
    assert merged["head"]["sha"] == first["head"]["sha"]
    assert journeys.own_check(harbour.world, second)["conclusion"] == "success"
    assert len(journeys.bot_comments(harbour.world, issue)) == 1


def test_a_failed_one_is_tried_again_on_the_same_branch(harbour: Harbour) -> None:
    """The red draft gets a new head and a green check, and is ready for review; there is no second pull request."""
    issue = _finished(harbour, "a depth sounder", broken_py="BROKEN = True\n")
    (red,) = journeys.pulls_of(harbour.world, issue)
    assert red["draft"]
    assert journeys.own_check(harbour.world, red)["conclusion"] == "failure"
    harbour.prepare(issue, {"mended.py": "BROKEN = False\n"})
    harbour.relabel(issue)
    journeys.wait_for(lambda: len(journeys.attempts(harbour.world, issue)) == 2)
    journeys.settle(harbour.world, issue)
    (green,) = journeys.pulls_of(harbour.world, issue)
    assert (green["number"], green["head"]["ref"]) == (red["number"], red["head"]["ref"])
    assert green["head"]["sha"] != red["head"]["sha"]
    assert not green["draft"]
    assert journeys.tasks(harbour.world)[issue].verdict is VerdictName.SUCCEEDED
    assert journeys.own_check(harbour.world, green)["conclusion"] == "success"
    assert journeys.doubled(harbour.world, issue) == []
