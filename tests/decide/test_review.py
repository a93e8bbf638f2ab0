"""What is published keeps its evidence: a review that is missing is done by another runner, a fix is proven by itself."""

from app.actions import OpenPullRequest, ReadRemote
from app.decide.state import Attempt
from app.events import AttemptFinished, AttemptGone, PermitRequested, PullRequestOpened, PullRequestSeen, RemoteRead
from shared.models import AttemptReport, Verdict, VerdictName
from tests.support.decisions import Desk, replace_remote

FIRST, FIX = "head-5", "fix-5"


def planned() -> Desk:
    """One issue whose first attempt has been claimed."""
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.claim(5)
    return desk


def attempt_of(desk: Desk) -> Attempt:
    """The issue's newest attempt."""
    return max((a for a in desk.state.attempts.values() if a.issue == 5), key=lambda a: a.number)


def said(head: str, verdict: VerdictName = VerdictName.SUCCEEDED, *, posted: bool = False) -> AttemptReport:
    """A runner's words about a head."""
    return AttemptReport(verdict=Verdict(name=verdict, reason=f"about {head}"), head_sha=head, review_posted=posted)


def permit(desk: Desk, sequence: int, report: AttemptReport, branch: str | None = None) -> str:
    """Asks for the right to push; the SHA that the branch must still be on, or the refusal."""
    attempt = attempt_of(desk).id
    desk.tell(
        PermitRequested(repository_id=1, attempt=attempt, nonce="n", sequence=sequence, head_sha=report.head_sha, report=report)
    )
    desk.tell(replace_remote(desk.remote(5, attempt, sequence), branch_sha=branch))
    given = attempt_of(desk).permit
    assert given is not None
    return given.refusal.name if given.refusal else given.expected_sha


def die(desk: Desk) -> None:
    """The process is gone; nobody can write any more."""
    desk.tell(AttemptGone(repository_id=1, attempt=attempt_of(desk).id, reason="its runner process died"))


def found(desk: Desk, branch: str, landed: str, *, state: str = "open") -> RemoteRead:
    """GitHub, when the attempt is settled."""
    seen = PullRequestSeen(number=11, state=state, merged=False, head_sha=branch, ours=True, url="u")
    read = desk.remote(5, attempt_of(desk).id, None)
    return replace_remote(read, branch_sha=branch, landed=landed, pulls=(seen,))


def died_before_its_review() -> Desk:
    """Pushed, pull request opened, then killed."""
    desk = planned()
    permit(desk, 1, said(FIRST))
    die(desk)
    desk.tell(found(desk, FIRST, FIRST))
    return desk


def finish(desk: Desk, report: AttemptReport) -> None:
    """The runner's last word."""
    desk.tell(AttemptFinished(repository_id=1, attempt=attempt_of(desk).id, nonce="n", report=report))


def verdict(desk: Desk) -> tuple[str, str]:
    """How the task ended, and whom that speaks of."""
    ended = desk.task(5).verdict
    assert ended is not None
    return ended.name, ended.reason


def test_a_runner_that_died_before_its_review_is_followed_by_one_that_only_reviews() -> None:
    """The next attempt takes pull request and evidence over, and the stored verdict concludes."""
    desk = died_before_its_review()
    task = desk.task(5)
    assert (task.status, task.losses, task.pull_request, task.head_sha) == ("running", 1, 11, FIRST)
    assert task.published is not None
    assert (task.published.pull_request, task.published.report.verdict.reason) == (11, f"about {FIRST}")

    desk.claim(5)
    assert permit(desk, 1, said(FIRST), branch=FIRST) == FIRST
    finish(desk, said(FIRST, VerdictName.AGENT_FAILED, posted=True))
    desk.tell(found(desk, FIRST, FIRST))

    assert verdict(desk) == ("succeeded", f"about {FIRST}")
    assert desk.task(5).attempts == 2


def test_a_reviewer_that_needs_no_permit_ends_it_too() -> None:
    """It had nothing to say, so it never asked to write: GitHub is read all the same."""
    desk = died_before_its_review()
    desk.claim(5)
    desk.actions.clear()
    finish(desk, said(FIRST))

    assert desk.asked("read_remote") == [ReadRemote(repository_id=1, attempt=attempt_of(desk).id)]
    desk.tell(found(desk, FIRST, FIRST))
    assert verdict(desk) == ("succeeded", f"about {FIRST}")


def test_reviewers_that_vanish_are_counted_and_the_evidence_stands() -> None:
    """Three runners at most; then the task ends with what was proven, reviewed or not."""
    desk = died_before_its_review()
    for _ in range(2):
        desk.claim(5)
        die(desk)
        desk.tell(found(desk, FIRST, FIRST))

    assert desk.task(5).attempts == 3
    assert verdict(desk) == ("succeeded", f"about {FIRST}")


def test_nobody_is_sent_to_review_what_a_person_took_over() -> None:
    """Somebody's commit on top, or a closed pull request: the verdict stands as it is."""
    pushed = planned()
    permit(pushed, 1, said(FIRST))
    die(pushed)
    pushed.tell(found(pushed, "person", FIRST))
    closed = planned()
    permit(closed, 1, said(FIRST))
    die(closed)
    closed.tell(found(closed, FIRST, FIRST, state="closed"))

    assert verdict(pushed) == verdict(closed) == ("succeeded", f"about {FIRST}")
    assert pushed.task(5).attempts == closed.task(5).attempts == 1


def test_an_attempt_may_push_a_second_head_and_that_one_counts() -> None:
    """The permit of a review fix expects the first head; the new one becomes the task's."""
    desk = planned()
    assert permit(desk, 1, said(FIRST)) == ""
    assert permit(desk, 2, said(FIX), branch=FIRST) == FIRST
    finish(desk, said(FIX, posted=True))
    desk.tell(found(desk, FIX, FIX))

    assert desk.task(5).heads == (FIRST, FIX)
    assert (desk.task(5).head_sha, verdict(desk)) == (FIX, ("succeeded", f"about {FIX}"))


def test_a_fix_that_was_never_pushed_does_not_speak_for_what_is_there() -> None:
    """Permitted, then killed before the push: the branch holds the first head, and the first head's evidence counts."""
    desk = planned()
    permit(desk, 1, said(FIRST, posted=True))
    permit(desk, 2, said(FIX, VerdictName.TESTS_FAILED, posted=True), branch=FIRST)
    die(desk)
    desk.tell(found(desk, FIRST, FIRST))

    assert desk.task(5).head_sha == FIRST
    assert verdict(desk) == ("succeeded", f"about {FIRST}")


def test_a_success_told_of_a_head_that_is_not_there_is_not_believed() -> None:
    """The runner's last word praises the fix, GitHub has the first head, which was red."""
    desk = planned()
    permit(desk, 1, said(FIRST, VerdictName.TESTS_FAILED))
    permit(desk, 2, said(FIX), branch=FIRST)
    finish(desk, said(FIX, posted=True))
    desk.tell(found(desk, FIRST, FIRST))

    assert verdict(desk) == ("tests_failed", f"about {FIRST}")


def test_a_refusing_provider_pauses_only_the_review() -> None:
    """What is published stays; the runner after the pause has just the review to do."""
    desk = planned()
    permit(desk, 1, said(FIRST))
    finish(desk, said(FIRST, VerdictName.PROVIDER_LIMIT))
    desk.tell(found(desk, FIRST, FIRST))
    assert (desk.task(5).status, desk.task(5).losses) == ("waiting", 0)

    desk.wait(70)

    published = desk.task(5).published
    assert desk.running == [5]
    assert published is not None
    assert published.report.verdict.name is VerdictName.SUCCEEDED


def test_a_branch_that_was_deleted_before_its_review_is_made_anew() -> None:
    """Nothing is published any more, so the next attempt goes the whole way."""
    desk = died_before_its_review()
    desk.claim(5)
    die(desk)
    desk.tell(desk.remote(5, attempt_of(desk).id, None))

    assert desk.running == [5]
    assert desk.task(5).published is None


def test_the_app_opens_the_pull_request_and_a_runner_reviews_it() -> None:
    """Killed between push and pull request: two steps are missing, each is done by whom it befits."""
    desk = planned()
    permit(desk, 1, said(FIRST))
    first = attempt_of(desk).id
    die(desk)
    desk.tell(replace_remote(desk.remote(5, first, None), branch_sha=FIRST, landed=FIRST))
    assert desk.asked("open_pull_request") == [OpenPullRequest(repository_id=1, attempt=first)]
    assert not desk.running

    pull = found(desk, FIRST, FIRST).pulls[0]
    desk.tell(PullRequestOpened(repository_id=1, attempt=first, pull=pull))

    published = desk.task(5).published
    assert desk.running == [5]
    assert published is not None
    assert published.pull_request == 11
