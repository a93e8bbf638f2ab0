"""Tests as evidence: flaky ones, bounded repair, documents that follow, and time that runs out."""

import pytest

from shared.messages import AttemptBrief
from shared.models import AttemptLimits, AttemptReport, Kind, PhaseName
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import FILES, Stage
from tests.support.scripted_app import serving

FLAKY = """\
import os, unittest


class Flaky(unittest.TestCase):
    def test_first_time(self) -> None:
        seen = os.path.join(os.environ["MARKS"], "seen")
        if os.path.exists("words_new.py") and not os.path.exists(seen):
            open(seen, "w").close()
            self.fail("not this time")
"""


def run(stage: Stage, brief: AttemptBrief) -> AttemptReport:
    with serving(stage.scripted_app(brief)) as app:
        code, log = stage.run(app)
    assert code == 0, log
    return app.report


def status(report: AttemptReport, name: PhaseName) -> tuple[str, str]:
    return next((phase.status, phase.reason) for phase in report.phases if phase.name is name)


@pytest.mark.slow
def test_a_flaky_test_is_named_and_not_blamed_on_the_change(make_stage: MakeStage) -> None:
    """It fails once and passes on the very same commit: green, and people read which test it was."""
    stage = make_stage(files={**FILES, "tests/test_flaky.py": FLAKY})
    # Outside the sandbox, so that the first run can leave a sign for the second.
    folder = stage.root / "marks"
    folder.mkdir()
    settings = RepositorySettings(test_command=f"MARKS={folder} python3 -m unittest discover -s tests -t .", repair_passes=0)
    report = run(stage, stage.brief(agent=stage.script("echo 'x = 1' > words_new.py"), settings=settings, isolation="none"))
    assert report.verdict.name == "succeeded", report.verdict
    assert report.tests_after is not None
    assert report.tests_after.flaky == ("tests.test_flaky.Flaky.test_first_time",)
    assert "flaky" in report.verdict.reason
    assert "test_first_time" in report.pull_request_body


@pytest.mark.slow
def test_repair_is_bounded_by_the_repositorys_setting(make_stage: MakeStage) -> None:
    """Three passes were allowed and none helped: the draft is red, and says how often the agent tried."""
    stage = make_stage()
    agent = stage.script("echo \"raise SystemError('$PASS')\" >> words.py")
    report = run(stage, stage.brief(agent=agent, settings=RepositorySettings(repair_passes=3)))
    assert report.verdict.name == "tests_failed"
    state, reason = status(report, PhaseName.TESTING)
    assert state == "failed"
    assert "repair passes: 3" in reason
    assert [change.added for change in report.changes] == [4], "one edit, and one for each pass"


@pytest.mark.slow
def test_a_repair_pass_reads_the_failing_tests_own_words(make_stage: MakeStage) -> None:
    """Not the whole log: what failed and why."""
    stage = make_stage()
    agent = stage.script(
        'if [ "$PASS" = repair ]; then grep -q "AssertionError: 2 != 9" && git checkout -q words.py && echo "y = 2" >> words.py;'
        ' else sed -i "s/return len(text.split())/return 9/" words.py; fi'
    )
    report = run(stage, stage.brief(agent=agent))
    assert report.verdict.name == "succeeded", report.verdict


@pytest.mark.slow
def test_documents_that_name_what_was_renamed_follow_the_change(make_stage: MakeStage) -> None:
    """The agent is shown where; only documents may change in that pass, and the tests run again on the result."""
    stage = make_stage(files={**FILES, "README.md": "# Words\n\nCall `longest(text)`.\n", "long.py": "def longest(t): ...\n"})
    agent = stage.script(
        'if [ "$PASS" = documentation ]; then grep -q "README.md:3:" && sed -i "s/longest/longest_word/" README.md;'
        ' else sed -i "s/longest/longest_word/" long.py; fi'
    )
    report = run(stage, stage.brief(agent=agent))
    assert report.verdict.name == "succeeded", report.verdict
    assert {change.path for change in report.changes} == {"README.md", "long.py"}
    assert status(report, PhaseName.DOCUMENTATION) == ("passed", "documents follow the change: README.md")


@pytest.mark.slow
def test_a_documentation_pass_that_touches_code_is_dropped(make_stage: MakeStage) -> None:
    """What was tested is what leaves."""
    stage = make_stage(files={**FILES, "README.md": "Call `longest(text)`.\n", "long.py": "def longest(t): ...\n"})
    agent = stage.script(
        'if [ "$PASS" = documentation ]; then echo "z = 3" >> words.py; else sed -i "s/longest/longest_word/" long.py; fi'
    )
    report = run(stage, stage.brief(agent=agent))
    assert report.verdict.name == "succeeded"
    assert {change.path for change in report.changes} == {"long.py"}
    assert "it also touched words.py" in status(report, PhaseName.DOCUMENTATION)[1]


@pytest.mark.slow
def test_a_documentation_task_needs_no_research_pass(make_stage: MakeStage) -> None:
    """The kind of the task shortens it, and the reason is recorded; there is a plan all the same."""
    stage = make_stage()
    agent = stage.script("echo 'How to count' >> README.md")
    report = run(stage, stage.brief(agent=agent, kind=Kind.DOCS))
    assert report.verdict.name == "succeeded"
    assert status(report, PhaseName.RESEARCH) == ("skipped", "kind docs: the issue itself is the plan")
    assert f"#{stage.number}" in report.plan_text


@pytest.mark.slow
def test_an_attempt_that_takes_too_long_is_ended_by_name(make_stage: MakeStage) -> None:
    """The wall limit of the whole attempt, whatever phase it is in."""
    stage = make_stage()
    report = run(stage, stage.brief(agent=stage.script("sleep 300"), limits=AttemptLimits(minutes=0.08)))
    assert (report.verdict.name, report.verdict.limit) == ("limit_reached", "minutes")
    assert report.verdict.reason == "the attempt took longer than 0.08 minutes"


@pytest.mark.slow
def test_a_phase_that_takes_too_long_is_ended_by_name(make_stage: MakeStage) -> None:
    """Its own limit, while the attempt has time left; the phases before it are told as done."""
    stage = make_stage()
    limits = AttemptLimits(phase_minutes=0.4)
    report = run(stage, stage.brief(agent=stage.script("while :; do echo tick; sleep 1; done"), limits=limits))
    assert (report.verdict.name, report.verdict.limit) == ("limit_reached", "phase implementation")
    assert report.verdict.reason == "the phase implementation took longer than 0.4 minutes"
    assert status(report, PhaseName.RESEARCH)[0] == "passed"
    assert stage.pull_requests() == []


@pytest.mark.slow
def test_an_agent_that_says_nothing_is_ended_by_name(make_stage: MakeStage) -> None:
    """The inactivity limit, long before the time limit."""
    stage = make_stage()
    report = run(stage, stage.brief(agent=stage.script("sleep 300"), limits=AttemptLimits(inactive_minutes=0.03)))
    assert (report.verdict.name, report.verdict.limit) == ("limit_reached", "inactive_minutes")


@pytest.mark.slow
def test_an_agent_that_talks_without_end_is_ended_by_name(make_stage: MakeStage) -> None:
    """The output limit; what it said is cut, not kept in memory."""
    stage = make_stage()
    report = run(stage, stage.brief(agent=stage.script("yes 'and another thing'"), limits=AttemptLimits(output_mib=1)))
    assert (report.verdict.name, report.verdict.limit) == ("limit_reached", "output_mib")
