"""The review: another pass reads the diff, what must be fixed is fixed once, and people see both."""

import base64
import json

import pytest

from runner.pull_request_text import answer_marker, review_marker
from shared.models import AgentSettings, PhaseName
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.scripted_app import ScriptedApp, serving

FINDINGS = [
    {"path": "words.py", "line": 5, "must_fix": True, "text": "an empty text is not handled"},
    {"path": "words.py", "line": 1, "must_fix": False, "text": "the name could be better"},
    {"path": "/etc/passwd", "line": 1, "must_fix": False, "text": "another file"},
]
REVIEW = f"It does what was asked.\n\n```json\n{json.dumps(FINDINGS)}\n```\n"


def reviewed(stage: Stage, fix: str, review: str = REVIEW) -> AgentSettings:
    """Adds a function; its reviewer finds something; `fix` is what it does then."""
    add = "printf '\\n\\ndef longest(text: str) -> str:\\n    return max(text.split(), key=len)\\n' >> words.py"
    lines = f'case "$PASS" in\nfix)\n{fix}\n;;\ndocumentation) :;;\n*) {add};;\nesac'
    return stage.script(lines, review=f"cat <<'END'\n{review}\nEND\n")


def run(stage: Stage, agent: AgentSettings, settings: RepositorySettings | None = None) -> ScriptedApp:
    with serving(stage.scripted_app(stage.brief(agent=agent, settings=settings))) as app:
        code, log = stage.run(app)
    assert code == 0, log
    return app


def shown(stage: Stage) -> list[str]:
    """The bodies of the one pull request's reviews, oldest first."""
    [pull_request] = stage.pull_requests()
    return [review["body"] for review in stage.reviews(pull_request["number"])]


def file_on_branch(stage: Stage, name: str) -> str:
    found = stage.person.get(f"/repos/{stage.full_name}/contents/{name}", ref=stage.branch)
    return base64.b64decode(found["content"]).decode()


def test_what_must_be_fixed_is_fixed_once_and_the_answer_says_how(make_stage: MakeStage) -> None:
    """Two commits on one branch, one pull request, the review and its answer; the evidence is of the second commit."""
    stage = make_stage()
    mend = "sed -i 's/key=len)/key=len, default=\"\")/' words.py; echo 'handled an empty text'"
    app = run(stage, reviewed(stage, mend))
    report = app.report
    assert report.verdict.name == "succeeded", report.verdict
    assert 'default=""' in file_on_branch(stage, "words.py")
    assert stage.branch_sha() == report.head_sha
    review, answer = shown(stage)
    assert review_marker(app.brief) in review
    assert "**must be fixed**: an empty text is not handled" in review
    assert answer_marker(app.brief) in answer
    assert report.head_sha[:12] in answer
    assert "handled an empty text" in answer
    assert [finding.path for finding in report.findings] == ["words.py", "words.py", ""], "a file outside the diff is no place"
    commits = stage.person.get(f"/repos/{stage.full_name}/pulls/{report.pull_request}/commits")
    assert len(commits) == 2
    heads = list(dict.fromkeys(request.head_sha for request in app.permits))
    assert heads == [commit["sha"] for commit in commits]


@pytest.mark.slow
def test_a_fix_that_breaks_the_tests_is_dropped_and_that_is_said(make_stage: MakeStage) -> None:
    """What was reviewed stays; the findings are left to people."""
    stage = make_stage()
    report = run(stage, reviewed(stage, "echo 'raise SystemError' >> words.py")).report
    assert report.verdict.name == "succeeded"
    assert "SystemError" not in file_on_branch(stage, "words.py")
    answer = shown(stage)[1]
    assert "dropped" in answer
    assert "left to you" in answer


@pytest.mark.slow
def test_a_fix_that_touches_a_protected_file_is_dropped_by_name(make_stage: MakeStage) -> None:
    """The gate judges the second push as it judged the first."""
    stage = make_stage()
    report = run(stage, reviewed(stage, "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/ci.yml")).report
    assert report.verdict.name == "succeeded"
    assert ".github/workflows/ci.yml" in shown(stage)[1]
    assert stage.branch_sha() == report.head_sha


@pytest.mark.slow
def test_an_agent_that_defends_its_work_is_heard(make_stage: MakeStage) -> None:
    """Nothing changed: its words are the answer."""
    stage = make_stage()
    run(stage, reviewed(stage, "echo 'texts are never empty here'"))
    assert "texts are never empty here" in shown(stage)[1]


@pytest.mark.slow
def test_a_review_without_findings_needs_no_answer(make_stage: MakeStage) -> None:
    """Prose alone is a review."""
    stage = make_stage()
    report = run(stage, reviewed(stage, "exit 1", review="Looks right.")).report
    assert report.findings == ()
    assert len(shown(stage)) == 1


@pytest.mark.parametrize("call", [2, 3, 4])
@pytest.mark.slow
def test_killed_while_reviewing_the_next_attempt_repeats_nothing(make_stage: MakeStage, call: int) -> None:
    """SIGKILL when the review, the fixed push and the answer are about to be permitted: each is there once."""
    stage = make_stage()
    settings = reviewed(stage, "sed -i 's/key=len)/key=len, default=\"\")/' words.py; echo 'handled an empty text'")
    app = stage.scripted_app(stage.brief(agent=settings))
    with serving(app):
        runner = stage.start(app)

        def on_call(name: str) -> None:
            if name == "permit" and app.calls.count("permit") == call - 1:
                runner.kill()

        app.on_call = on_call
        code, log = stage.wait(runner)
    assert code < 0, log
    again = stage.scripted_app(stage.brief(agent=settings, attempt=2))
    with serving(again):
        code, log = stage.run(again)
    assert code == 0, log
    assert again.report.verdict.name == "succeeded"
    assert again.report.review_posted
    review, answer = shown(stage)
    assert review_marker(again.brief) in review
    assert "handled an empty text" in answer
    assert stage.branch_sha() == again.report.head_sha


def test_checks_run_beside_the_tests_and_a_red_one_is_red(make_stage: MakeStage) -> None:
    """A linter that was green and is red now counts as the tests do, by its own name."""
    stage = make_stage()
    settings = RepositorySettings(checks=("! grep -q lambda words.py", "false"), repair_passes=0)
    report = run(stage, stage.script("echo 'f = lambda: 1' >> words.py"), settings=settings).report
    assert report.verdict.name == "tests_failed"
    assert report.verdict.reason == "a check fails that did not before: ! grep -q lambda words.py"
    assert [check.exit_code for check in report.checks_before] == [0, 1]
    assert [check.exit_code for check in report.checks_after] == [1, 1]
    assert {phase.name: phase.status for phase in report.phases}[PhaseName.TESTING] == "failed"
