"""The repository's own CI after the pull request: watched, told, and answered once when it is red."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from app.actions import ReadChecks
from app.decide.state import Task
from app.events import BaseMoved, ChecksRead, ChecksTouched, CiFailure, PullRequestChanged, RepositoryRef
from shared.models import VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.decisions import POLICY, Desk

WIDGETS = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)
RED = (CiFailure(name="lint", url="https://ci.example/1", tail="E501 line too long"),)


def published(settings: RepositorySettings | None = None, policy_changes: dict[str, object] | None = None) -> Desk:
    """One issue whose pull request #11 is open at `head-5`."""
    desk = Desk(policy=replace(POLICY, app_login="shoal[bot]", **(policy_changes or {})))  # type: ignore[arg-type]
    desk.plan(desk.issue(5), settings=settings)
    desk.finish(5, pull=11)
    return desk


def say(desk: Desk, status: Literal["waiting", "green", "red", "none"], head: str = "head-5", **more: object) -> Task:
    """GitHub's answer about the head."""
    failures = RED if status == "red" else ()
    read = ChecksRead(repository_id=1, issue=5, head_sha=head, status=status, failures=failures)
    desk.tell(read.model_copy(update=more))
    return desk.task(5)


def looks(desk: Desk) -> int:
    """How often GitHub was asked."""
    return len([action for action in desk.actions if isinstance(action, ReadChecks)])


def touch(desk: Desk, app: str = "other-ci", head: str = "head-5") -> None:
    """Somebody's check ended."""
    desk.tell(ChecksTouched(repository_id=1, repository=WIDGETS, head_sha=head, app_slug=app))


def test_an_open_pull_request_is_watched_and_asked_about_when_somebody_elses_check_ends() -> None:
    """Our own check and other commits mean nothing; green is kept."""
    desk = published()
    touch(desk, app="shoal")
    touch(desk, head="another")
    assert looks(desk) == 0
    touch(desk)
    assert looks(desk) == 1
    ci = say(desk, "green").ci
    assert ci is not None
    assert ci.status == "green"
    assert desk.task(5).verified


def test_messages_that_never_came_are_made_up_for_by_looking() -> None:
    """After 90 seconds, then every five minutes, and not for ever."""
    desk = published()
    desk.wait(89)
    assert looks(desk) == 0
    desk.wait(2)
    assert looks(desk) == 1
    say(desk, "waiting")
    desk.wait(301)
    assert looks(desk) == 2
    desk.wait(3600)
    ci = desk.task(5).ci
    assert ci is not None
    assert ci.status == "unknown"


def test_a_repository_without_ci_is_known_to_have_none_by_the_second_look() -> None:
    """What is not there at first may only be late."""
    desk = published()
    desk.wait(91)
    assert (ci := say(desk, "none").ci) is not None
    assert ci.status == "waiting"
    desk.wait(301)
    assert (ci := say(desk, "none").ci) is not None
    assert ci.status == "none"


def test_red_ci_starts_one_attempt_on_the_branch_and_no_second_one() -> None:
    """It starts from the published head and is told what failed; its new head is watched like the first."""
    desk = published()
    task = say(desk, "red")
    assert (task.status, task.base_sha) == ("running", "head-5")
    assert task.follow_up is not None
    assert "E501 line too long" in task.follow_up.text
    assert task.verdict is None
    desk.finish(5, VerdictName.NO_CHANGE)
    task = desk.task(5)
    assert task.verdict is not None
    assert (task.verdict.name, task.status, task.follow_up) == (VerdictName.SUCCEEDED, "done", None)
    assert task.note == "mending the red CI ended as: no change (because)"
    assert say(desk, "red").status == "done"


def test_the_repository_may_forbid_it() -> None:
    """`ci_repairs: 0`: told, and nothing started."""
    assert say(published(RepositorySettings(ci_repairs=0)), "red").status == "done"


def test_ci_that_is_red_on_a_persons_commit_is_theirs() -> None:
    """A new head by somebody else is watched, and not mended by us."""
    desk = published()
    changed = PullRequestChanged(
        repository_id=1,
        repository=WIDGETS,
        number=11,
        action="synchronize",
        head_ref=desk.task(5).branch,
        head_sha="theirs",
        state="open",
        merged=False,
    )
    desk.tell(changed)
    task = say(desk, "red", head="theirs")
    assert task.ci is not None
    assert (task.ci.status, task.status) == ("red", "done")


def test_nothing_is_watched_where_the_operator_does_not_want_it() -> None:
    """`SHOAL_CI_MINUTES=0`."""
    assert published(policy_changes={"ci_wait": timedelta(0)}).task(5).ci is None


def test_a_base_that_moved_may_be_in_the_way_of_what_is_open() -> None:
    """GitHub is asked whether the head still merges, and a conflict is kept for the check."""
    desk = published()
    desk.tell(BaseMoved(repository_id=1, repository=WIDGETS, ref="refs/heads/main", sha="newer"))
    assert looks(desk) == 1
    assert say(desk, "green", mergeable=False).mergeable is False
