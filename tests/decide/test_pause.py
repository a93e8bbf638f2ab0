"""A model's provider that refuses: its tasks wait together, one asks again, and nothing of it is a failure."""

from dataclasses import replace
from datetime import timedelta

from app.decide.context import Pool
from app.events import AttemptGone, HeartbeatReceived, PhaseReported
from shared.messages import Heartbeat
from shared.models import PhaseName, PhaseResult, VerdictName
from tests.support.decisions import POLICY, Desk

REFUSED = VerdictName.PROVIDER_LIMIT


def refused(slots: int = 1, *issues: int, retry_seconds: float | None = None) -> Desk:
    """As many issues as slots are at work, and the provider has refused them all."""
    desk = Desk(replace(POLICY, slots=slots))
    desk.plan(*(desk.issue(number) for number in issues or (5,)))
    for number in list(desk.running):
        desk.finish(number, REFUSED, retry_seconds=retry_seconds)
    return desk


def minutes_to_go(desk: Desk, issue: int = 5) -> float:
    """How long the task still waits for its provider."""
    moment = desk.task(issue).not_before
    assert moment is not None
    return (moment - desk.now).total_seconds() / 60


def answer(desk: Desk, issue: int, phase: PhaseName = PhaseName.RESEARCH) -> None:
    """The issue's runner has heard from the model."""
    desk.claim(issue)
    result = PhaseResult(name=phase, status="passed", seconds=1)
    desk.tell(PhaseReported(repository_id=1, attempt=desk.task(issue).attempt, nonce="n", result=result))


def test_a_refusal_is_a_pause_that_says_until_when() -> None:
    """Back to waiting, no loss counted, no verdict, the reason for people; started again by itself when the time has come."""
    desk = refused(retry_seconds=600)
    task = desk.task(5)

    assert (task.status, task.verdict, task.losses) == ("waiting", None, 0)
    assert task.not_before is not None
    assert task.note == f"paused until {task.not_before:%H:%M} UTC: because"
    assert 10 <= minutes_to_go(desk) <= 11, "never before the time that the provider told"

    desk.wait(590)
    assert not desk.running
    desk.wait(80)
    assert desk.running == [5]
    assert desk.task(5).attempts == 2


def test_refusals_in_a_row_are_asked_less_and_less_often() -> None:
    """1, 2, 5, 15, 30, 60, 60 minutes, a tenth more or less; an answer begins a new row."""
    desk = Desk()
    desk.plan(desk.issue(5))
    for expected in (1, 2, 5, 15, 30, 60, 60):
        desk.finish(5, REFUSED)
        assert abs(minutes_to_go(desk) - expected) <= expected / 10
        desk.wait(expected * 1.1 * 60 + 1)
        assert desk.running == [5]

    answer(desk, 5)
    desk.finish(5, REFUSED)

    assert minutes_to_go(desk) < 1.2


def test_a_provider_that_always_says_at_once_is_not_asked_all_the_time() -> None:
    """It is believed twice, then the minutes count."""
    desk = Desk()
    desk.plan(desk.issue(5))
    waits = []
    for _ in range(4):
        desk.finish(5, REFUSED, retry_seconds=0)
        waits.append(minutes_to_go(desk))
        desk.wait(waits[-1] * 60 + 1)

    assert waits[1] < 0.1
    assert waits[2] > 4
    assert waits[3] > 13


def test_after_a_day_of_refusals_the_verdict_stands() -> None:
    """A person is asked; a provider that names a time beyond that ends it at once."""
    desk = Desk()
    desk.plan(desk.issue(5))
    begun = desk.now
    while desk.task(5).live:
        desk.finish(5, REFUSED)
        desk.wait(66 * 60)
    verdict = desk.task(5).verdict

    assert verdict is not None
    assert verdict.name is REFUSED
    assert timedelta(hours=22) < desk.now - begun < timedelta(hours=27)
    gone = refused(retry_seconds=30 * 3600).task(5)
    assert (gone.status, gone.not_before) == ("done", None)


def test_nothing_else_starts_while_the_provider_refuses_and_then_one_goes_first() -> None:
    """The others follow once the first one was answered."""
    desk = Desk(replace(POLICY, slots=2))
    desk.plan(*(desk.issue(number) for number in (1, 2, 3, 4)))
    assert desk.running == [1, 2]

    desk.finish(1, REFUSED)
    assert desk.running == [2], "the free slot stays empty"
    desk.finish(2, pull=12)
    desk.wait(70)
    assert desk.running == [1], "one probe, however many slots"

    answer(desk, 1)
    assert desk.running == [1, 3]


def test_a_probe_that_is_refused_keeps_the_others_waiting() -> None:
    """Nobody else has asked meanwhile."""
    desk = refused(3, 1, 2, 3)
    desk.wait(70)
    assert len(desk.running) == 1
    probe = desk.running[0]

    desk.finish(probe, REFUSED)
    desk.wait(60)

    assert not desk.running
    assert [desk.task(number).attempts for number in (1, 2, 3)].count(1) == 2


def test_a_probe_that_dies_is_followed_by_another() -> None:
    """A lost runner says nothing about the provider, and holds nobody for ever."""
    desk = refused(2, 1, 2)
    desk.wait(70)
    probe = desk.running[0]
    desk.claim(probe)
    desk.tell(AttemptGone(repository_id=1, attempt=desk.task(probe).attempt, reason="its runner process died"))

    assert len(desk.running) == 1
    answer(desk, desk.running[0])
    assert desk.running == [1, 2]


def test_a_probe_that_has_worked_for_a_while_was_answered() -> None:
    """Its first phase may take an hour: nobody waits for its end."""
    desk = refused(2, 1, 2)
    desk.wait(70)
    probe = desk.task(desk.running[0]).attempt
    desk.claim(desk.running[0])
    for progress in range(10):
        assert len(desk.running) == 1
        beat = Heartbeat(nonce="n", phase=PhaseName.RESEARCH, progress=progress)
        desk.tell(HeartbeatReceived(repository_id=1, attempt=probe, heartbeat=beat))
        desk.wait(30)

    assert desk.running == [1, 2]


def test_another_repository_waits_for_the_same_provider() -> None:
    """It learns of the pause from the pool, and sends a probe of its own when the time has come."""
    desk = Desk()
    desk.pool = Pool(paused_until=desk.now + timedelta(minutes=10))
    desk.plan(desk.issue(1), desk.issue(2))
    assert not desk.running

    desk.wait(600)
    assert desk.running == [1]

    desk.pool = Pool()
    answer(desk, 1)
    assert desk.running == [1, 2]


def test_another_repositorys_probe_is_waited_for() -> None:
    """One asks for all."""
    desk = Desk()
    desk.pool = Pool(paused_until=desk.now, probing=True)
    desk.plan(desk.issue(1))
    assert not desk.running

    desk.pool = Pool()
    desk.wait(1)
    assert desk.running == [1]
