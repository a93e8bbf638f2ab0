"""What waits for a merge, where the repository wants that instead of stacked branches."""

from app.events import BaseMoved, PullRequestChanged, RepositoryRef
from shared.models import VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.decisions import Desk

WIDGETS = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)


def merge(desk: Desk, issue: int, pull: int, *, merged: bool = True) -> None:
    """A person merges or closes the pull request; a merge moves the default branch."""
    if merged:
        desk.tell(BaseMoved(repository_id=1, repository=WIDGETS, ref="refs/heads/main", sha="newer"))
    desk.tell(
        PullRequestChanged(
            repository_id=1,
            repository=WIDGETS,
            number=pull,
            action="closed",
            head_ref=desk.task(issue).branch,
            head_sha=f"head-{issue}",
            state="closed",
            merged=merged,
        )
    )


def conflicting(settings: RepositorySettings) -> Desk:
    """Two issues that name the same file; the first is published."""
    desk = Desk()
    desk.plan(desk.issue(5, body="Mend `src/auth.py`."), desk.issue(6, body="Change `src/auth.py`."), settings=settings)
    assert desk.running == [5]
    desk.finish(5, pull=11)
    return desk


def test_after_merge_the_later_one_starts_from_the_default_branch_with_the_merge_in_it() -> None:
    """Not from the branch, and not before; until then it waits for people."""
    desk = conflicting(RepositorySettings(on_conflict="after_merge"))
    assert desk.running == []
    desk.wait(3600)
    assert desk.running == []
    merge(desk, 5, 11)
    assert (desk.running, desk.task(6).base_sha, desk.task(6).stacked_on) == ([6], "newer", ())


def test_a_pull_request_that_was_closed_is_in_nobodys_way() -> None:
    """Of a conflict nothing is left then."""
    desk = conflicting(RepositorySettings(on_conflict="after_merge"))
    merge(desk, 5, 11, merged=False)
    assert (desk.running, desk.task(6).base_sha) == ([6], "base")


def test_stack_is_the_default_and_parallel_does_not_wait() -> None:
    """Stacked: from the first one's branch; parallel: both at once."""
    stacked = conflicting(RepositorySettings())
    assert (stacked.running, stacked.task(6).base_sha, stacked.task(6).stacked_on) == ([6], "head-5", (5,))
    desk = Desk()
    both = (desk.issue(5, body="Mend `src/auth.py`."), desk.issue(6, body="Change `src/auth.py`."))
    desk.plan(*both, settings=RepositorySettings(on_conflict="parallel"))
    assert desk.running == [5, 6]


def test_without_stacking_a_dependent_waits_for_the_merge() -> None:
    """`stack: false`."""
    desk = Desk()
    desk.plan(desk.issue(5), desk.issue(6, body="Depends on #5"), settings=RepositorySettings(stack=False))
    desk.finish(5, pull=11)
    assert desk.running == []
    merge(desk, 5, 11)
    assert (desk.running, desk.task(6).base_sha) == ([6], "newer")


def test_a_predecessor_whose_pull_request_was_closed_blocks_its_dependents() -> None:
    """A person did not want that work: nothing is built on it."""
    desk = Desk()
    desk.plan(desk.issue(5), desk.issue(6, body="Depends on #5"), settings=RepositorySettings(stack=False))
    desk.finish(5, pull=11)
    merge(desk, 5, 11, merged=False)
    verdict = desk.task(6).verdict
    assert verdict is not None
    assert verdict.name is VerdictName.BLOCKED
    assert verdict.reason == "#5 must be done first, and it ended as: its pull request was closed"
