"""What others do about the same issue: another App with our label, a runner that GitHub hands no job to."""

from datetime import timedelta

from app.events import AttemptGone, AttemptStarted, PermitRequested
from shared.models import AttemptReport, Verdict, VerdictName
from tests.support.decisions import POLICY, Desk, replace_remote


def test_two_apps_with_the_same_label_never_share_a_branch() -> None:
    """The other one's commit is on the branch of that name already: ours gets no token, and its end names the commit."""
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.claim(5)
    attempt = desk.task(5).attempt
    report = AttemptReport(verdict=Verdict(name=VerdictName.SUCCEEDED, reason="because"), head_sha="ours")
    desk.tell(PermitRequested(repository_id=1, attempt=attempt, nonce="n", sequence=1, head_sha="ours", report=report))
    desk.tell(replace_remote(desk.remote(5, attempt, 1), branch_sha="theirs00"))
    permit = desk.state.attempts[attempt].permit
    assert permit is not None
    assert permit.status == "refused"
    assert permit.refusal is not None
    assert permit.refusal.name == VerdictName.BRANCH_MOVED
    assert "theirs00" in permit.refusal.reason


def test_a_job_that_no_runner_takes_is_lost_after_its_time_in_the_queue() -> None:
    """As when GitHub refuses an outdated runner: its job waits and nobody claims; it is told to stop, and the lease is gone."""
    desk = Desk()
    desk.plan(desk.issue(5))
    attempt = desk.task(5).attempt
    desk.tell(AttemptStarted(repository_id=1, attempt=attempt, pid=77, pid_started=1.0))
    assert desk.state.attempts[attempt].status == "starting"
    desk.wait((POLICY.start_timeout + timedelta(seconds=1)).total_seconds())
    assert desk.state.attempts[attempt].status == "lost"
    assert desk.asked("stop_attempt")
    desk.tell(AttemptGone(repository_id=1, attempt=attempt, pid=77, proven=True, reason="its runner fell silent and was ended"))
    assert POLICY.not_begun in desk.task(5).note
