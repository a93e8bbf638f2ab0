"""The runner's one pull request and review, and how little it asks for them: PyGithub on the embedded GitHub."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.github import GithubRefused, Publisher
from runner.pull_request_text import DRAFT_NOTE
from shared.messages import AttemptBrief
from shared.models import AttemptReport, Verdict, VerdictName
from tests.runner.briefs import REPOSITORY, brief
from tests.support.localhub import App, Hub, Person, running_localhub

LIMITED = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation ID 1."}]}
REPORT = AttemptReport(
    verdict=Verdict(name=VerdictName.SUCCEEDED, reason="the tests pass"),
    pull_request_title="Mend it",
    pull_request_body="Closes #5",
)


@dataclass(frozen=True)
class Desk:
    """A pushed branch, and the publisher of its pull request."""

    hub: Hub
    brief: AttemptBrief
    publisher: Publisher
    sha: str
    mona: Person

    def shown(self, number: int) -> tuple[bool, str]:
        """Whether it is a draft, and what it says."""
        pull = self.mona.get(f"/repos/acme/words/pulls/{number}")
        return bool(pull["draft"]), str(pull["body"])

    def reviews(self, number: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.mona.get(f"/repos/acme/words/pulls/{number}/reviews")
        return found

    def asked(self) -> list[str]:
        """What the publisher sent, without what is always the same."""
        ours = [one for one in self.hub.requests() if one.get("agent") == "shoal-runner"]
        return [f"{one['method']} {one['path'].rpartition('/words')[2] or one['path']}" for one in ours]


@pytest.fixture
def own_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


@pytest.fixture
def desk(own_hub: Hub, tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "words.py").write_text("x = 1\n")
    own_hub.repository("acme/words", tmp_path / "project", private=True)
    mona = own_hub.person("mona", {"acme/words": "admin"})
    app: App = own_hub.app("shoal")
    token = own_hub.app_token(app, own_hub.install(app, "acme/words"), permissions={"contents": "write", "pull_requests": "write"})
    sha = own_hub.commit("acme/words", "shoal/5-x", {"words.py": "x = 2\n"}, login="mona")
    repository = REPOSITORY.model_copy(update={"api_url": own_hub.api_url})
    told = brief("Mend it", "Please.").model_copy(update={"repository": repository, "app_login": app.bot_login})
    publisher = Publisher(told, token)
    yield Desk(own_hub, told, publisher, sha, mona)
    publisher.close()


def test_a_pull_request_and_its_review_are_two_requests_and_four_looks(desk: Desk) -> None:
    """Each write is looked for before and after; nothing is fetched only to be written to. Once more is looking only."""
    number = desk.publisher.open(desk.sha, REPORT)
    desk.publisher.review(number, desk.sha, "Looks right.", ())
    assert desk.asked() == ["POST /api/graphql", "POST /pulls", *["POST /api/graphql"] * 4]
    assert desk.publisher.open(desk.sha, REPORT) == number
    desk.publisher.review(number, desk.sha, "Looks right.", ())
    assert desk.asked()[6:] == ["POST /api/graphql"] * 4


def test_a_draft_of_ours_is_ready_once_it_is_green(desk: Desk) -> None:
    """By GraphQL, for REST has no such request; the note by which it was known goes with it, and nothing is asked twice."""
    red = REPORT.model_copy(update={"draft": True, "pull_request_body": f"{DRAFT_NOTE}tests fail\n\nCloses #5"})
    number = desk.publisher.open(desk.sha, red)
    assert desk.shown(number) == (True, red.pull_request_body)
    assert desk.publisher.open(desk.sha, REPORT) == number
    assert desk.shown(number) == (False, "Closes #5")
    asked = len(desk.asked())
    assert desk.publisher.open(desk.sha, REPORT) == number
    assert desk.asked()[asked:] == ["POST /api/graphql"] * 2


def test_a_draft_that_is_not_ours_to_end_stays_one(desk: Desk) -> None:
    """Without our note a person wants it so; and where GitHub refuses, the pull request is still brought up to date."""
    number = desk.publisher.open(desk.sha, REPORT.model_copy(update={"draft": True}))
    desk.publisher.open(desk.sha, REPORT)
    assert desk.shown(number) == (True, "Closes #5")
    red = REPORT.model_copy(update={"draft": True, "pull_request_body": f"{DRAFT_NOTE}tests fail\n\nCloses #5"})
    desk.publisher.open(desk.sha, red)
    desk.hub.set_graphql(without=["Mutation.markPullRequestReadyForReview"])
    desk.publisher.open(desk.sha, REPORT)
    assert desk.shown(number) == (True, "Closes #5")


def test_a_limit_inside_a_200_is_waited_out(desk: Desk) -> None:
    """PyGithub calls it 400, which would be a refusal; what GitHub refuses for good still is one."""
    desk.hub.fault("/api/graphql$", 200, answer=LIMITED)
    assert desk.publisher.open(desk.sha, REPORT) > 0
    desk.hub.fault("/api/graphql$", 200, answer={"data": None, "errors": [{"type": "FORBIDDEN", "message": "not for you"}]})
    with pytest.raises(GithubRefused, match="not for you"):
        desk.publisher.open(desk.sha, REPORT)


def test_an_answer_lost_after_the_effect_makes_no_second_review(desk: Desk) -> None:
    """The next look finds it by its hidden marker."""
    number = desk.publisher.open(desk.sha, REPORT)
    desk.hub.fault(r"/graphql$", 502, body_regex="addPullRequestReview", after_effect=True)
    desk.publisher.review(number, desk.sha, "Looks right.", ())
    assert not desk.hub.clear_faults()
    assert len(desk.reviews(number)) == 1


def test_where_graphql_refuses_a_review_it_goes_by_rest(desk: Desk) -> None:
    """An older server, or one that is stricter with Apps: once all the same."""
    number = desk.publisher.open(desk.sha, REPORT)
    desk.hub.set_graphql(without=["Mutation.addPullRequestReview"])
    desk.publisher.review(number, desk.sha, "Looks right.", ())
    [review] = desk.reviews(number)
    assert "Looks right." in review["body"]
    assert review["commit_id"] == desk.sha
    assert desk.asked()[-2:] == [f"POST /pulls/{number}/reviews", "POST /api/graphql"]


def test_a_strangers_pull_request_from_our_branch_is_not_ours(desk: Desk) -> None:
    """Whoever opened it is named."""
    mona = desk.hub.person("mona", {"acme/words": "admin"})
    mona.open_pull("acme/words", "shoal/5-x")
    with pytest.raises(GithubRefused, match="mona opened #"):
        desk.publisher.open(desk.sha, REPORT)
