"""`mode: orchestrate` as the action starts it: what its job is told, and how it answers when somebody cancels."""

from pathlib import Path

import pytest

from shared.github import CHECK_NAME
from tests.support.job_files import Heard, heard
from tests.support.localhub import Hub
from tests.support.orchestrating import Yard, yard_in

pytestmark = pytest.mark.timeout(180)
HOME = "acme/quay"


@pytest.fixture
def yard(tmp_path: Path, hub: Hub) -> Yard:
    return yard_in(tmp_path, hub, HOME)


def test_outputs_and_summary_say_what_came_of_each_issue(yard: Yard) -> None:
    """The next step reads verdicts, pull requests and branches; the run's page shows what the check shows; the token is masked."""
    done, idle = yard.issue("Write a log"), yard.issue("Do nothing", implementation="true")
    with yard.step(issues=f"#{done}, {idle}") as step:
        assert step.ended() == 0, step.log
    [pull] = yard.pulls().values()
    assert step.outputs == {
        "verdict": f"{done}=succeeded {idle}=no_change",
        "conclusion": "neutral",
        "pull-request": str(pull["number"]),
        "branch": f"shoal/{done}-write-a-log",
    }
    [check] = [check for check in yard.checks(yard.main()) if check["name"].startswith(f"{CHECK_NAME} / ")]
    assert check["conclusion"] == "neutral"
    assert step.summary.splitlines()[0] == f"## {check['output']['title']}"
    assert check["output"]["summary"] in step.summary
    assert heard(step.log) == Heard(masks=[yard.token])
    assert step.log.count(yard.token) == 1


@pytest.mark.slow
def test_nothing_to_do_is_neutral(yard: Yard) -> None:
    """Empty outputs are there too, so that a later step need not guess; there is nothing to sum up."""
    with yard.step() as step:
        assert step.ended() == 0, step.log
    assert step.outputs == {"verdict": "", "conclusion": "neutral", "pull-request": "", "branch": ""}
    assert step.summary == ""
