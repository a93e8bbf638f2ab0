"""What an attempt may use of its models, from the operator's figure to the report: named, never passed, and the work is kept."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from runner import rescue
from shared.models import AttemptLimits, AttemptReport, PhaseName, VerdictName
from tests.journeys.test_real_agents import KEY, keys
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.asking import ASK
from tests.support.model_api import ModelApi, Story, Turn, model_api
from tests.support.scripted_app import ScriptedApp, serving

# A request of some hundred bytes takes so many tokens; with the answer it costs $0.00315.
_TALKS = Story("^on$", [Turn(text="Go on.", input_tokens=50, output_tokens=200)], endless=True)
_EDIT = "echo 'answer = 1' > made.py\n"
_WITHOUT_END = f"{_EDIT}{ASK}while :; do ask on 300; done"


def attempt(stage: Stage, api: ModelApi, script: str, review: str = "echo a review", **more: Any) -> AttemptReport:
    app = ScriptedApp(stage.brief(agent=stage.script(script, review), **more), permit=stage.grant)
    with serving(app):
        launch = app.launch(stage.work_dir).model_copy(update={"model_keys": str(keys(stage.root, api))})
        code, log = stage.wait(stage.start_with(launch.model_dump_json()))
    assert code == 0, log
    return app.report


def rescued(stage: Stage, into: Path) -> dict[str, str]:
    """The made file of each kept work, restored by the very command that `shoal doctor` shows."""
    found = {}
    for kept in rescue.listing(stage.work_dir):
        subprocess.run(["git", "clone", "--quiet", stage.repository["clone_url"], into], check=True)
        subprocess.run(kept.restore, shell=True, cwd=into, check=True)
        refs = subprocess.run(
            ["git", "for-each-ref", "--format=%(refname)", "refs/rescued"], cwd=into, check=True, capture_output=True
        )
        shown = ["git", "show", f"{refs.stdout.decode().split()[0]}:made.py"]
        found[kept.branch] = subprocess.run(shown, cwd=into, check=True, capture_output=True).stdout.decode()
    return found


@pytest.mark.parametrize(
    ("limits", "limit", "shown"),
    [({"turns": 3}, "turns", "3"), ({"tokens": 1000}, "tokens", "1000"), ({"cost_usd": 0.01}, "cost_usd", "0.01")],
)
def test_a_used_up_limit_is_named_and_the_work_is_kept(
    make_stage: MakeStage, tmp_path: Path, limits: dict[str, Any], limit: str, shown: str
) -> None:
    """The agent would go on for ever; what it has used is in the report and within the limit, what it has made is restored."""
    stage = make_stage()
    with model_api(_TALKS, key=KEY) as api:
        report = attempt(stage, api, _WITHOUT_END, limits=AttemptLimits(**limits))
        assert (report.verdict.name, report.verdict.limit) == (VerdictName.LIMIT_REACHED, limit)
        assert report.verdict.reason == f"the agent's implementation used up the attempt's limit `{limit}` of {shown}"
        used = report.usage
        counted = {"turns": used.turns, "tokens": used.input_tokens + used.output_tokens, "cost_usd": used.cost_usd}
        assert 0 < (counted[limit] or 0) <= limits[limit]
        assert used.turns == len(api.generating)
        assert report.pull_request is None
        assert stage.branch_sha() == ""
        assert rescued(stage, tmp_path / "restored") == {stage.branch: "answer = 1\n"}

        again = attempt(stage, api, f"{_EDIT}{ASK}ask on 300", limits=AttemptLimits(), attempt=2)
    assert again.verdict.name is VerdictName.SUCCEEDED
    [research] = [phase for phase in again.phases if phase.name is PhaseName.RESEARCH]
    assert "the plan of attempt 1 serves again" in research.reason, "what was kept of the first is not paid for once more"


def test_a_limit_that_the_review_reaches_leaves_the_pull_request(make_stage: MakeStage) -> None:
    """The change was tested and is open; that nobody reviewed it, and why, is told."""
    stage = make_stage()
    with model_api(_TALKS, key=KEY) as api:
        report = attempt(stage, api, f"{_EDIT}{ASK}ask on 300", f"{ASK}ask on 300", limits=AttemptLimits(turns=1))
    assert report.verdict.name is VerdictName.SUCCEEDED
    assert [pull["number"] for pull in stage.pull_requests()] == [report.pull_request]
    assert report.phases[-1].name is PhaseName.REVIEW
    assert report.phases[-1].status == "failed"
    assert report.phases[-1].reason == "the agent's review used up the attempt's limit `turns` of 1"
    assert len(api.generating) == 1
