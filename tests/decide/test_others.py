"""What others do about the same issue: another App with our label, a runner that GitHub hands no job to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.decide.reconcile import told_by_runs, unheard
from app.events import AttemptGone, AttemptStarted, JobEnded, JobTaken, PermitRequested
from app.found import RunNow
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


JOBS = replace(
    POLICY, start_timeout=timedelta(hours=1), begin_timeout=timedelta(minutes=10), not_claimed="{runner} took it and did not begin"
)


def dispatched() -> Desk:
    """Issue 5's attempt is run 77 of our workflow."""
    desk = Desk(JOBS)
    desk.plan(desk.issue(5))
    desk.tell(AttemptStarted(repository_id=1, attempt=desk.task(5).attempt, pid=77, pid_started=1.0))
    return desk


def test_a_runner_that_takes_a_job_and_does_not_begin_loses_it_by_name() -> None:
    """Apart from the queue, which may take an hour; it counts from when the job was taken, told twice or by the sweep or not."""
    desk = dispatched()
    attempt = desk.task(5).attempt
    desk.wait(timedelta(minutes=50).total_seconds())
    desk.tell(JobTaken(repository_id=1, run_id=77, runner="quay-1"))
    desk.wait(timedelta(minutes=9).total_seconds())
    desk.tell(JobTaken(repository_id=1, run_id=77))
    assert desk.state.attempts[attempt].status == "starting"
    desk.wait(timedelta(minutes=1, seconds=1).total_seconds())
    assert desk.state.attempts[attempt].status == "lost"
    assert desk.asked("stop_attempt")
    desk.tell(AttemptGone(repository_id=1, attempt=attempt, pid=77, proven=False))
    assert "quay-1 took it and did not begin" in desk.task(5).note


def test_a_runner_that_begins_in_time_is_not_timed_any_more() -> None:
    """Nor is anybody by another workflow's job."""
    desk = dispatched()
    desk.tell(JobTaken(repository_id=1, run_id=78, runner="quay-2"))
    desk.tell(JobTaken(repository_id=1, run_id=77, runner="quay-1"))
    attempt = desk.task(5).attempt
    desk.claim(5)
    desk.policy = replace(JOBS, lease=timedelta(days=1))
    desk.state = replace(
        desk.state,
        attempts={attempt: desk.state.attempts[attempt].model_copy(update={"lease_until": desk.now + timedelta(days=1)})},
    )
    desk.wait(timedelta(minutes=30).total_seconds())
    assert desk.state.attempts[attempt].status == "claimed"


@pytest.mark.parametrize(
    ("status", "conclusion", "says"),
    [
        ("queued", "", []),
        ("in_progress", "", ["job_taken"]),
        ("completed", "cancelled", ["job_ended"]),
        ("completed", "failure", ["job_ended"]),
    ],
)
def test_the_sweep_tells_what_a_webhook_of_the_job_would_have_told(status: str, conclusion: str, says: list[str]) -> None:
    """Once: what was told is not found again."""
    desk = dispatched()
    runs = [RunNow(76, "CI", "completed", "failure", 1), RunNow(77, "Shoal 1-5-1-1", status, conclusion, 1)]

    def found() -> list[JobEnded | JobTaken]:
        return list(told_by_runs(unheard(desk.state.attempts.values(), JOBS.lease, desk.now), runs))

    assert [event.kind for event in found()] == says
    for event in found():
        desk.tell(event)
    assert found() == []


def test_only_silent_runners_are_looked_for() -> None:
    """One whose heartbeats come is at work, whatever GitHub's list says a moment later."""
    desk = dispatched()
    desk.claim(5)
    assert unheard(desk.state.attempts.values(), JOBS.lease, desk.now) == ()
    [silent] = unheard(desk.state.attempts.values(), JOBS.lease, desk.now + JOBS.lease * 0.6)
    assert silent.issue == 5
