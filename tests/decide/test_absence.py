"""Stories about a repository that the App may not see for a while: suspended, taken out, uninstalled, and back."""

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
    moved = desk.state.repository.model_copy(update={"installation_id": 77})
    desk.state = type(desk.state)(moved, desk.state.orchestrations, desk.state.tasks, desk.state.attempts)
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
    assert desk.task(5).verdict is not None
    assert desk.task(5).verdict.name is VerdictName.SUCCEEDED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        (Installed((WIDGETS,), frozenset({9})), None),
        (Installed((), frozenset({9})), "removed"),
        (Installed((), frozenset({9}), suspended=frozenset({9})), "suspended"),
        (Installed((), frozenset()), "uninstalled"),
        (Installed((), frozenset({9}), unread=frozenset({9})), None),
    ],
)
def test_the_sweep_finds_out_by_itself(installed: Installed, says: str | None) -> None:
    """From the list of installations alone; one that could not be read is no news."""
    event = whereabouts(Desk().state.repository, installed)
    assert (event.why if isinstance(event, RepositoryGone) else event) == says


def test_the_sweep_finds_it_back() -> None:
    """Under the installation that it is in now."""
    desk = Desk()
    desk.tell(SUSPENDED)
    again = WIDGETS.model_copy(update={"installation_id": 77})
    assert whereabouts(desk.state.repository, Installed((again,), frozenset({77}))) == RepositoryBack(
        repository_id=1, repository=again
    )
    assert whereabouts(desk.state.repository, Installed((), frozenset({9}), suspended=frozenset({9}))) is None
