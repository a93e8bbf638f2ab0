"""The same facts for programs."""

from app.report.check_run import orchestration_check
from app.report.status import AppStatus, CheckState, orchestration_state
from tests.report.views import busy, ended


def test_the_status_is_what_was_measured() -> None:
    """Over the wire and back nothing changes; what was not measured is null."""
    check = CheckState(head_sha="a" * 40, conclusion="success", title="Succeeded")
    state = orchestration_state(ended(), orchestration_check(ended()), (check,))
    status = AppStatus(orchestrations=(state,))

    assert AppStatus.model_validate_json(status.model_dump_json()) == status
    assert (state.orchestration.wall_seconds, state.orchestration.speedup) == (100, None)
    assert [task.issue for task in state.tasks] == [1, 2, 3, 4]


def test_what_runs_has_no_conclusion() -> None:
    """Null until the last task has ended."""
    state = orchestration_state(busy(), orchestration_check(busy()), ())

    assert state.orchestration.conclusion is None
    assert {task.issue: task.verdict and task.verdict.value for task in state.tasks}[3] is None
