"""Stories about a repository that the App may not see for a while: suspended, taken out, uninstalled, and back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.decide.reconcile import whereabouts
from app.events import AttemptGone, HeartbeatReceived, RepositoryBack, RepositoryGone, RepositoryRef
from app.found import Installed
from shared.messages import Heartbeat
from shared.models import PhaseName, VerdictName
from tests.support.decisions import Desk

WIDGETS = RepositoryRef(id=1, full_name="acme/widgets", installation_id=9)
SUSPENDED = RepositoryGone(repository_id=1, repository=WIDGETS, why="suspended")
BACK = RepositoryBack(repository_id=1, repository=WIDGETS)


def test_nothing_starts_while_it_is_away_and_everything_afterwards() -> None:
    """However often either is told; open issues are read again, for edits of that time were told to nobody."""
    desk = Desk()
    desk.tell(SUSPENDED)
    desk.plan(desk.issue(5))
    assert desk.running == []
    desk.wait(3600)
    desk.tell(SUSPENDED)
    seen = len(desk.actions)
    desk.tell(BACK)
    assert desk.running == [5]
    assert "read_issue" in [action.kind for action in desk.actions[seen:]]
    [orchestration] = desk.state.orchestrations.values()
    [change] = orchestration.changes
    assert change.what.startswith("the GitHub App was suspended from ")
    seen = len(desk.actions)
    desk.tell(BACK)
    assert desk.actions[seen:] == []


def test_a_runner_at_work_keeps_its_lease() -> None:
    """It needs us, not GitHub, until it wants to publish."""
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.claim(5)
    desk.tell(SUSPENDED)
    beat = HeartbeatReceived(
        repository_id=1, attempt=desk.task(5).attempt, heartbeat=Heartbeat(nonce="n", phase=PhaseName.SETUP, progress=1)
    )
    for _ in range(5):
        desk.wait(50)
        assert desk.tell(beat) == ""
    desk.tell(BACK)
    assert (desk.running, desk.task(5).attempts) == ([5], 1)


def test_attempts_that_are_lost_meanwhile_are_nobodys_fault() -> None:
    """However many: once it is back the task has all its tries."""
    desk = Desk()
    desk.plan(desk.issue(5))
    for _ in range(desk.policy.max_losses + 1):
        desk.tell(SUSPENDED)
        desk.tell(AttemptGone(repository_id=1, attempt=desk.task(5).attempt, reason="it never reported"))
        assert desk.task(5).status == "waiting"
        desk.tell(BACK)
        assert desk.running == [5]
    assert desk.task(5).losses == 0


def test_an_installation_that_it_has_left_says_nothing() -> None:
    """After a transfer the old owner's installation loses it; by the new one the App sees it, whatever that tells."""
    desk = Desk()
    desk.tell(RepositoryGone(repository_id=1, repository=WIDGETS.model_copy(update={"installation_id": 8})))
    assert not desk.state.repository.gone
    desk.tell(SUSPENDED)
    desk.state = replace(desk.state, repository=desk.state.repository.model_copy(update={"installation_id": 77}))
    desk.wait(1)
    assert not desk.state.repository.gone


def test_the_wait_for_ci_does_not_run_out_meanwhile() -> None:
    """Nobody could look: it waits for as long as before, and looks at once."""
    desk = Desk()
    desk.plan(desk.issue(5))
    desk.finish(5, pull=7)
    desk.tell(SUSPENDED)
    desk.wait(timedelta(hours=5).total_seconds())
    desk.tell(BACK)
    ci = desk.task(5).ci
    assert ci is not None
    assert ci.status == "waiting"
    assert "read_checks" in [action.kind for action in desk.actions]
    verdict = desk.task(5).verdict
    assert verdict is not None
    assert verdict.name is VerdictName.SUCCEEDED


NINE = frozenset({9})


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        (Installed((WIDGETS,), installations=NINE), []),
        (Installed(installations=NINE), ["removed"]),
        (Installed(installations=NINE, suspended=NINE), ["suspended"]),
        (Installed(), ["uninstalled"]),
        (Installed(installations=NINE, unread=NINE), []),
        (Installed(archived=(WIDGETS,), installations=NINE), ["archived"]),
        (Installed((WIDGETS.model_copy(update={"private": False}),), installations=NINE), ["publicized"]),
        (Installed((WIDGETS.model_copy(update={"full_name": "acme/gadgets"}),), installations=NINE), ["renamed"]),
    ],
)
def test_the_sweep_finds_out_by_itself(installed: Installed, says: list[str]) -> None:
    """From the list of installations alone, once; an installation that could not be read is no news."""
    desk = Desk()
    events = whereabouts(desk.state.repository, installed)
    assert [event.why if isinstance(event, RepositoryGone) else getattr(event, "what", "") for event in events] == says
    for event in events:
        renamed = {"full_name": event.repository.full_name}
        desk.state = replace(desk.state, repository=desk.state.repository.model_copy(update=renamed))
        desk.tell(event)
    assert whereabouts(desk.state.repository, installed) == ()


def test_the_sweep_finds_it_back() -> None:
    """Under the installation that it is in now."""
    desk = Desk()
    desk.tell(SUSPENDED)
    again = WIDGETS.model_copy(update={"installation_id": 77})
    back, renamed = whereabouts(desk.state.repository, Installed((again,), installations=frozenset({77})))
    assert (back, renamed.kind) == (RepositoryBack(repository_id=1, repository=again), "repository_changed")
    assert whereabouts(desk.state.repository, Installed(installations=NINE, suspended=NINE)) == ()
