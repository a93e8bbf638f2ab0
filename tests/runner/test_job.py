"""What a job of GitHub Actions is told by a runner, read from the files that GitHub gives a step."""

from pathlib import Path

import pytest

from tests.runner.conftest import MakeStage
from tests.runner.stage import GOOD_PATCH, Stage
from tests.support.job_files import heard, outputs_of
from tests.support.scripted_app import SECRET, serving


def files(folder: Path) -> dict[str, str]:
    """As GitHub's runner sets them for a step."""
    return {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}


def test_outputs_and_summary_of_an_attempt_that_ends_well(make_stage: MakeStage, tmp_path: Path) -> None:
    """Verdict, conclusion, pull request and branch for the next step; phases and seconds for people; every secret masked."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = stage.scripted_app()
    tokens = stage.tokens_granted(app)
    with serving(app):
        code, log = stage.run(app, **files(tmp_path))
    assert code == 0, log
    [pull] = stage.pull_requests()
    assert outputs_of(tmp_path / "output") == {
        "verdict": "succeeded",
        "conclusion": "success",
        "pull-request": str(pull["number"]),
        "branch": stage.branch,
    }
    lines = (tmp_path / "summary").read_text().splitlines()
    assert lines[0] == f"## Shoal: issue #{stage.number}, attempt 1"
    assert f"**succeeded**: {app.report.verdict.reason}, pull request #{pull['number']} from `{stage.branch}`." in lines
    shown = [line.split("|")[1:3] for line in lines if line.startswith("| ")][1:]
    assert [[cell.strip() for cell in row] for row in shown] == [
        [phase.name.replace("_", " "), phase.status] for phase in app.report.phases
    ]
    assert len(shown) == 9
    for secret in (SECRET, *app.lent, *tokens):
        assert log.count(secret) == log.count(f"::add-mask::{secret}") == 1
    assert heard(log).commands == []


@pytest.mark.parametrize(
    ("patch", "verdict", "conclusion"),
    [("", "no_change", "neutral"), pytest.param("not a patch\n", "agent_failed", "failure", marks=pytest.mark.slow)],
)
def test_what_came_to_nothing_has_no_pull_request(
    make_stage: MakeStage, tmp_path: Path, patch: str, verdict: str, conclusion: str
) -> None:
    """An empty output is one, and the summary names the reason."""
    stage = make_stage()
    stage.prepare(patch)
    app = stage.scripted_app()
    with serving(app):
        code, log = stage.run(app, **files(tmp_path))
    assert code == 0, log
    told = outputs_of(tmp_path / "output")
    assert (told["verdict"], told["conclusion"], told["pull-request"]) == (verdict, conclusion, "")
    assert f"**{verdict}**: " in (tmp_path / "summary").read_text()
    assert ", no pull request." in (tmp_path / "summary").read_text()


@pytest.mark.slow
def test_words_of_an_agent_do_nothing_in_summary_or_log(make_stage: MakeStage, tmp_path: Path) -> None:
    """Its reason is a text with a mention, a picture, a table's border and a command: shown as words, obeyed by nobody."""
    stage: Stage = make_stage()
    words = "::error::owned ![x](https://evil.example/p.png) @mona <img src=x> | a | b"
    agent = stage.script(f"echo '{words}'; echo '{words}' >&2; exit 9")
    app = stage.scripted_app(stage.brief(agent=agent))
    with serving(app):
        code, log = stage.run(app, **files(tmp_path))
    assert code == 0, log
    assert outputs_of(tmp_path / "output")["verdict"] == "agent_failed"
    summary = (tmp_path / "summary").read_text()
    assert "![x](https" not in summary
    assert "<img" not in summary
    assert " @mona" not in summary
    assert heard(log).commands == []


def test_a_runner_that_cannot_work_says_why_on_the_runs_page(make_stage: MakeStage, tmp_path: Path) -> None:
    """One annotation with the fix; no output, for there is no verdict."""
    stage = make_stage()
    app = stage.scripted_app()
    app.statuses["claim"] = 426
    with serving(app):
        code, log = stage.run(app, **files(tmp_path))
    assert code == 2
    [said] = heard(log).commands
    assert said.startswith("::error title=Shoal::")
    assert "install the same one on both sides" in said
    assert not (tmp_path / "output").exists()
