"""After the pull request: the repository's own CI, a follow-up that a maintainer asks for, and commands in comments."""

from collections.abc import Iterator

import pytest

from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import Harbour
from tests.support.localhub import Json

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow


def _published(harbour: Harbour, title: str) -> tuple[int, Json]:
    issue = harbour.issue(title)
    harbour.label(issue)
    journeys.settle(harbour.world, issue)
    (pull,) = journeys.pulls_of(harbour.world, issue)
    return issue, pull


def _follow_up(harbour: Harbour, issue: int, path: str, text: str) -> None:
    """What the agent will add when it is asked for more."""
    (harbour.world.ways.patches / str(issue) / "follow-up.patch").write_text(journeys.new_file(path, text))


def _ci(harbour: Harbour, sha: str, state: str, description: str = "") -> None:
    """The repository's own CI speaks."""
    body = {"state": state, "context": "lint", "description": description}
    harbour.maintainer.ask("POST", f"/repos/{harbour.repository}/statuses/{sha}", body)


def _summary(harbour: Harbour, issue: int) -> str:
    (pull,) = journeys.pulls_of(harbour.world, issue)
    return str(journeys.own_check(harbour.world, pull)["output"]["summary"])


def _new_head(harbour: Harbour, issue: int, old: str) -> str:
    """Waits until the branch has another commit and everything is settled."""
    journeys.wait_for(lambda: journeys.pulls_of(harbour.world, issue)[0]["head"]["sha"] != old)
    journeys.settle(harbour.world, issue)
    return str(journeys.pulls_of(harbour.world, issue)[0]["head"]["sha"])


@pytest.fixture(autouse=True)
def _nothing_doubled(harbour: Harbour) -> Iterator[None]:
    yield
    assert journeys.doubled(harbour.world) == []


def test_a_red_ci_is_answered_by_one_commit_on_the_same_branch_and_the_check_says_how_it_stands(harbour: Harbour) -> None:
    """Red, mended, green: one pull request, two commits of ours, and the verdict stays a success all the way."""
    issue, pull = _published(harbour, "a tide table")
    _follow_up(harbour, issue, f"mended_{issue}.py", "MENDED = True\n")
    _ci(harbour, pull["head"]["sha"], "failure", "3 lines are too long")
    head = _new_head(harbour, issue, pull["head"]["sha"])
    compared = harbour.world.github("GET", f"/compare/{pull['head']['sha']}...{head}")
    assert (compared["status"], compared["ahead_by"]) == ("ahead", 1)
    assert compared["commits"][0]["commit"]["message"].startswith(f"Mend what the CI found in #{issue}")
    assert journeys.tasks(harbour.world)[issue].verdict is VerdictName.SUCCEEDED
    _ci(harbour, head, "success")
    journeys.wait_for(lambda: "CI of this repository: green" in _summary(harbour, issue))
    assert len(journeys.attempts(harbour.world, issue)) == 2


def test_a_ci_that_stays_red_is_told_and_left_to_people(harbour: Harbour) -> None:
    """An attempt to mend it that comes to nothing changes neither branch nor verdict, and there is no third."""
    issue, pull = _published(harbour, "a wind rose")
    _ci(harbour, pull["head"]["sha"], "failure", "the spelling is odd")
    journeys.wait_for(lambda: len(journeys.attempts(harbour.world, issue)) == 2)
    journeys.settle(harbour.world, issue)
    journeys.wait_for(lambda: "CI of this repository: **red**" in _summary(harbour, issue))
    assert "mending the red CI ended as: agent failed" in _summary(harbour, issue)
    (same,) = journeys.pulls_of(harbour.world, issue)
    assert same["head"]["sha"] == pull["head"]["sha"]
    assert journeys.own_check(harbour.world, same)["conclusion"] == "success"
    assert journeys.own_check(harbour.world, same)["output"]["title"].startswith("Succeeded · CI is red")


def test_shoal_fix_builds_on_a_persons_commit(harbour: Harbour) -> None:
    """The maintainer pushed to the branch: what is asked for comes on top, and the comment gets a thumb."""
    issue, pull = _published(harbour, "a lead line")
    branch = pull["head"]["ref"]
    theirs = harbour.hub.commit(harbour.repository, branch, {"by_hand.txt": "theirs\n"}, login=harbour.maintainer.login)
    journeys.wait_for(lambda: journeys.tasks(harbour.world)[issue].head_sha == theirs)
    _follow_up(harbour, issue, f"french_{issue}.py", "WORDS = 'oui'\n")
    comment = harbour.maintainer.comment(harbour.repository, pull["number"], "/shoal fix say it in French, too")
    head = _new_head(harbour, issue, theirs)
    assert harbour.world.github("GET", f"/compare/{theirs}...{head}")["status"] == "ahead"
    reactions = harbour.maintainer.get(f"/repos/{harbour.repository}/issues/comments/{comment['id']}")["reactions"]
    assert reactions["+1"] == 1


def test_a_strangers_command_and_help(harbour: Harbour) -> None:
    """Somebody who may only read gets a thumb down; a maintainer is told what there is, once."""
    issue, _ = _published(harbour, "a fog horn")
    stranger = harbour.hub.person("passer-by", {harbour.repository: "read"})
    refused = stranger.comment(harbour.repository, issue, "/shoal cancel")
    helped = harbour.maintainer.comment(harbour.repository, issue, "/shoal help")
    journeys.wait_for(lambda: any("/shoal fix" in text for text in journeys.bot_comments(harbour.world, issue)))
    journeys.settle(harbour.world, issue)
    shown = {
        one["id"]: harbour.maintainer.get(f"/repos/{harbour.repository}/issues/comments/{one['id']}")["reactions"]
        for one in (refused, helped)
    }
    assert (shown[refused["id"]]["-1"], shown[helped["id"]]["+1"]) == (1, 1)
    assert len(journeys.bot_comments(harbour.world, issue)) == 2
