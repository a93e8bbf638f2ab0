"""Expected against found."""

import json
from dataclasses import replace

from app.demo.outcome import PullSeen, differences, is_over, outcome
from app.demo.rehearsal import as_json
from app.demo.sample import Expected
from app.report.check_run import orchestration_check
from app.report.status import AppStatus, CheckState, orchestration_state
from app.report.view import OrchestrationView
from shared.models import VerdictName
from tests.report.views import busy, ended

_GREEN = Expected(verdict=VerdictName.SUCCEEDED, pull_request=True, draft=False, why="")
_RED = Expected(verdict=VerdictName.TESTS_FAILED, pull_request=True, draft=True, why="")
_PULLS = (
    PullSeen(9, "shoal/1-weekly-discount", False, "", "success"),
    PullSeen(10, "shoal/2-a-b-c", True, "", "failure"),
)


def _status(view: OrchestrationView, *checks: CheckState) -> AppStatus:
    return AppStatus(orchestrations=(orchestration_state(view, orchestration_check(view), checks),))


def _ended_two() -> OrchestrationView:
    return replace(ended(), tasks=tuple(task for task in ended().tasks if task.issue in {1, 2}))


def _checks(title: str = "Succeeded; 1 of 2 done, 1 needs you") -> list[CheckState]:
    return [CheckState(head_sha=letter * 40, conclusion="neutral", title=title) for letter in "ab"]


def test_json_tells_what_its_contract_names_and_no_more() -> None:
    """Others read it: what `/status.json` gains is no part of it."""
    found = outcome(_status(_ended_two(), *_checks()))
    assert found is not None
    told = json.loads(json.dumps(as_json(found)))

    numbers = {"id", "conclusion", "wall_seconds", "attempt_seconds", "parallelism", "speedup", "overhead_seconds"}
    assert set(told) == {"orchestration", "tasks", "check_runs"}
    assert set(told["orchestration"]) == numbers
    assert [set(task) for task in told["tasks"]] == [{"issue", "verdict", "branch", "pull_request", "head_sha", "phases"}] * 2
    assert {frozenset(phase) for task in told["tasks"] for phase in task["phases"]} == {frozenset({"name", "status", "seconds"})}
    assert [set(check) for check in told["check_runs"]] == [{"head_sha", "conclusion", "title"}] * 2


def test_what_came_out_as_expected_has_no_difference() -> None:
    """Verdicts, drafts and checks agree."""
    assert differences({1: _GREEN, 2: _RED}, _status(ended()).orchestrations[0].tasks, _PULLS) == ()


def test_a_wrong_verdict_is_named() -> None:
    """Expected first, then what was found."""
    lines = differences({2: _GREEN}, _status(ended()).orchestrations[0].tasks, _PULLS)

    assert lines == ("#2: expected succeeded, got tests_failed", "#2: expected a pull request ready for review, found a draft")


def test_a_second_pull_request_is_named() -> None:
    """The app's word is not enough: GitHub's list is counted."""
    twice = (*_PULLS, PullSeen(11, "shoal/1.2-again", False, "", "success"))

    assert differences({1: _GREEN}, _status(ended()).orchestrations[0].tasks, twice) == ("#1: expected one pull request, found 2",)


def test_a_pull_request_that_should_not_be_is_named() -> None:
    """Nothing changed means nothing to open."""
    wanted = Expected(verdict=VerdictName.SUCCEEDED, pull_request=False, draft=False, why="")

    assert differences({1: wanted}, _status(ended()).orchestrations[0].tasks, _PULLS) == ("#1: expected no pull request, found 1",)


def test_a_check_that_is_open_is_named() -> None:
    """Always concluded, whatever died."""
    pulls = (replace(_PULLS[0], conclusion=None),)

    assert differences({1: _GREEN}, _status(ended()).orchestrations[0].tasks, pulls) == (
        "#1: the check on pull request #9 is not concluded",
    )


def test_it_is_over_when_every_check_tells_the_end() -> None:
    """Not while a task runs, not while a check is missing, open, or tells of an earlier moment."""
    open_check = CheckState(head_sha="c" * 40, conclusion=None, title="1 of 2 done")

    assert is_over(_status(_ended_two(), *_checks()), (1, 2))
    assert not is_over(_status(busy(), *_checks()), (1, 2))
    assert not is_over(_status(_ended_two(), *_checks()), (1, 2, 3))
    assert not is_over(_status(_ended_two(), *_checks()[:1]), (1, 2))
    assert not is_over(_status(_ended_two(), *_checks(), open_check), (1, 2))
    assert not is_over(_status(_ended_two(), *_checks("Succeeded; 0 of 2 done")), (1, 2))


def test_a_later_orchestration_tells_the_newer_state() -> None:
    """A task that was tried again counts once, as it is now."""
    first, second = _status(busy()).orchestrations[0], _status(ended()).orchestrations[0]
    found = outcome(AppStatus(orchestrations=(first, second)))

    assert found is not None
    assert [task.status for task in found.tasks] == ["done"] * 4


def test_without_an_orchestration_nothing_came_out() -> None:
    """None, rather than zero of zero."""
    assert outcome(AppStatus(orchestrations=())) is None
