"""What an agent did beyond its task had no effect, and people are told: one line, what was found and what was done."""

import pytest

from shared.models import AttemptReport
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.scripted_app import serving

EDIT = "echo 'x = 1' >> words.py"
TAKEN = "only the files of its checkout are taken, as one commit on the start commit"
COMMIT = "git add -A; git -c user.name=a -c user.email=b commit -q --no-verify -m work"


def after(stage: Stage, script: str, **more: object) -> AttemptReport:
    """Of an attempt that ends well: its change is in the one pull request, with every note in its text and the app's report."""
    app = stage.scripted_app(stage.brief(agent=stage.script(script), **more))  # type: ignore[arg-type]
    with serving(app):
        code, log = stage.run(app)
    assert code == 0, log
    report = app.report
    assert report.verdict.name == "succeeded", report.verdict
    assert "words.py" in {change.path for change in report.changes}
    [pull_request] = stage.pull_requests()
    shown = pull_request["body"].replace("\u200b", "")
    assert all(f"- {note}" in shown for note in report.notes)
    assert [ref["ref"] for ref in stage.person.get(f"/repos/{stage.full_name}/git/matching-refs/tags")] == []
    return report


@pytest.mark.parametrize(
    ("script", "note"),
    [
        pytest.param(
            "git config core.hooksPath /tmp", "the agent changed its git configuration: nothing outside", id="configuration"
        ),
        pytest.param(
            "echo exit 1 > ../../git/hooks/pre-push; chmod 755 ../../git/hooks/pre-push",
            "the agent changed git hooks (`pre-push`): none of them runs outside its sandbox",
            id="hooks",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            f"git checkout -q -b elsewhere; {COMMIT}",
            f"the agent left its branch (`elsewhere`): {TAKEN}",
            id="another branch",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            f"{COMMIT}; git branch main; git tag v1",
            f"the agent committed outside its branch (`main`, `tags/v1`): {TAKEN}",
            id="other references",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            f"{COMMIT.replace('commit', 'commit --amend')}",
            f"the agent rewrote the history of its branch: {TAKEN}",
            id="history",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "rm -rf .git ../../git/* || true",
            f"the agent destroyed its git directory: {TAKEN}",
            id="no git directory",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "setsid sleep 300 & setsid sleep 300 & sleep 0.2",
            "the agent left 2 processes running after its implementation: ended with it",
            id="children",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "touch /usr/mine || true",
            "the agent was refused files outside its checkout, by its own output: `/usr/mine`",
            id="outside",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_each_deed_is_one_line(make_stage: MakeStage, script: str, note: str) -> None:
    """And the only one: nothing else is said of an agent that did nothing else."""
    report = after(make_stage(), f"{EDIT}\n{script}")
    assert report.isolation.startswith("bubblewrap")
    assert len(report.notes) == 1
    assert report.notes[0].startswith(note)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "notes"),
    [
        pytest.param("rm .git; git init -q .", [f"the agent replaced the `.git` of its checkout: {TAKEN}"], id="another .git"),
        pytest.param(
            "setsid sleep 300 & sleep 0.2",
            ["the agent left a process running after its implementation: ended with it"],
            id="children",
        ),
    ],
)
def test_without_a_sandbox_too(make_stage: MakeStage, script: str, notes: list[str]) -> None:
    """Where nothing keeps an agent from it, it is at least seen."""
    report = after(make_stage(), f"{EDIT}\n{script}", isolation="none")
    assert report.isolation.startswith("process")
    assert list(report.notes) == notes


def test_an_agent_that_only_works_is_told_nothing_of(make_stage: MakeStage) -> None:
    """Commits on its own branch are what it may do, and what the set-up command did to git is not its doing."""
    stage = make_stage()
    settings = RepositorySettings(setup_command="git config core.hooksPath .husky && git tag setup || true")
    report = after(stage, f"{EDIT}\n{COMMIT}", settings=settings)
    assert report.notes == ()
