"""A plan that an attempt paid for serves the next attempt at the same task, as long as nothing that it came from has changed."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.github import issue_hash
from shared.models import AgentSettings, AttemptReport, IssueSnapshot, PhaseName
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.scripted_app import serving

pytestmark = pytest.mark.slow


def planner(stage: Stage, edit: str = "echo broken; exit 3", *, seen: str = "planned") -> AgentSettings:
    """Counts the plans that it makes in a file; `edit` is what it does for the change."""
    path = stage.root / "planner.sh"
    path.write_text(
        f'case "$SHOAL_PASS" in\nresearch) echo plan >> {stage.root}/{seen}; echo "plan $(wc -l < {stage.root}/{seen})";;\n'
        f"review) echo fine;;\n*) {edit};;\nesac\n",
        encoding="utf-8",
    )
    return AgentSettings(name="command", command=("sh", str(path)))


def attempt(stage: Stage, number: int, agent: AgentSettings, **more: Any) -> AttemptReport:
    with serving(stage.scripted_app(stage.brief(agent=agent, isolation="none", attempt=number, **more))) as app:
        code, log = stage.run(app)
    assert code == 0, log
    return app.report


def plans_made(stage: Stage) -> int:
    return len((stage.root / "planned").read_text().split())


def research(report: AttemptReport) -> tuple[str, list[tuple[str, bool]]]:
    """Why it ended as it did, and its stages."""
    [phase] = [phase for phase in report.phases if phase.name is PhaseName.RESEARCH]
    return phase.reason, [(step.name, step.cached) for step in phase.steps]


def test_an_attempt_after_the_agent_broke_is_spared_the_plan(make_stage: MakeStage) -> None:
    """The very plan, named as an earlier attempt's, with no pass of the agent for it; it ends well."""
    stage = make_stage()
    first = attempt(stage, 1, planner(stage))
    assert first.verdict.name == "agent_failed"
    second = attempt(stage, 2, planner(stage, "echo 'x = 1' >> words.py"))
    assert second.verdict.name == "succeeded", second.verdict
    assert (first.plan_text, second.plan_text, plans_made(stage)) == ("plan 1", "plan 1", 1)
    reason, stages = research(second)
    assert reason.startswith("the plan of attempt 1 serves again: ")
    assert stages == [("earlier plan looked for", True)]
    assert not (stage.task_folder() / "plan.json").exists(), "nobody needs it any more"


@pytest.mark.parametrize(("edit", "verdict"), [(":", "no_change"), ("echo 'raise SystemError' >> words.py", "tests_failed")])
def test_a_plan_that_may_be_the_reason_serves_nobody(make_stage: MakeStage, edit: str, verdict: str) -> None:
    """Evidence spoke against what was made by it: the next attempt plans for itself."""
    stage = make_stage()
    settings = stage.brief().settings.model_copy(update={"repair_passes": 0})
    assert attempt(stage, 1, planner(stage, edit), settings=settings).verdict.name == verdict
    assert attempt(stage, 2, planner(stage, edit), settings=settings).plan_text == "plan 2"


def test_another_text_base_or_agent_is_planned_anew(make_stage: MakeStage) -> None:
    """Each input that the plan came from counts; other limits do not, for they say nothing of what is to be done."""
    stage = make_stage()
    agent = planner(stage)
    assert attempt(stage, 1, agent).plan_text == "plan 1"
    assert attempt(stage, 2, agent, limits={"turns": 7, "minutes": 9}).plan_text == "plan 1"
    body = f"{stage.body} Quickly."
    edited = IssueSnapshot(number=stage.number, title=stage.title, body=body, hash=issue_hash(stage.title, body))
    assert attempt(stage, 3, agent, issue=edited).plan_text == "plan 2"
    assert attempt(stage, 4, agent.model_copy(update={"model": "another"}), issue=edited).plan_text == "plan 3"
    stage.base_sha = stage.hub.commit(stage.full_name, "main", {"AGENTS.md": "Be brief.\n"}, login=stage.person.login)
    assert attempt(stage, 5, agent.model_copy(update={"model": "another"}), issue=edited).plan_text == "plan 4"


def test_a_plan_serves_two_more_attempts_and_no_other_task(make_stage: MakeStage) -> None:
    """One with which nothing ever ends is not followed for ever; what one task's agent wrote is never another's plan."""
    stage = make_stage()
    agent = planner(stage)
    told = [attempt(stage, number, agent).plan_text for number in range(1, 5)]
    assert told == ["plan 1", "plan 1", "plan 1", "plan 2"]
    assert attempt(stage, 1, agent, branch="shoal/99-other").plan_text == "plan 3"


@pytest.mark.parametrize("left", [b"", b"{}", json.dumps({"key": 1}).encode(), b"\xff\xfe"])
def test_a_kept_plan_that_cannot_be_read_is_none(make_stage: MakeStage, left: bytes) -> None:
    """A truncation costs a plan and nothing else."""
    stage = make_stage()
    agent = planner(stage)
    attempt(stage, 1, agent)
    kept = Path(stage.task_folder() / "plan.json")
    assert kept.stat().st_size > 0
    kept.write_bytes(left)
    assert attempt(stage, 2, agent).plan_text == "plan 2"
