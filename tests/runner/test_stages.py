"""What a phase's time went into: stages by name, what was there already, and what running side by side gained."""

import threading

import pytest

from runner.job import summary
from runner.meter import Meter
from shared.messages import AttemptBrief
from shared.models import AttemptReport, PhaseName, PhaseResult, Step, Verdict, VerdictName
from shared.repository_settings import RepositorySettings
from tests.runner import briefs
from tests.runner.conftest import MakeStage
from tests.runner.stage import FILES, Stage
from tests.runner.test_sandbox import BUBBLEWRAP
from tests.support.scripted_app import serving


def run(stage: Stage, asked: AttemptBrief) -> AttemptReport:
    with serving(stage.scripted_app(asked)) as app:
        code, log = stage.run(app)
    assert code == 0, log
    return app.report


def steps(report: AttemptReport, name: PhaseName) -> list[tuple[str, bool]]:
    """Name of each stage, and whether it was cached."""
    return [(step.name, step.cached) for phase in report.phases if phase.name is name for step in phase.steps]


@pytest.mark.slow
def test_a_siblings_phases_say_what_was_there_already(make_stage: MakeStage) -> None:
    """The first attempt makes everything; the second finds commits and the start commit's tests there, and takes checkouts over."""
    stage = make_stage()
    agent = stage.script("echo working; echo 'x = 1' >> words.py")
    settings = RepositorySettings(setup_command="true", checks=("true", "test -f words.py"))
    brief = stage.brief(agent=agent, settings=settings)
    first = run(stage, brief)
    second = run(stage, stage.brief(agent=agent, settings=settings, branch="shoal/99-other", attempt=2))
    assert sorted(steps(first, PhaseName.SETUP)) == [
        ("agent looked at", False),
        ("checkout for the agent", False),
        ("checkout for the tests", False),
        ("commits fetched", False),
        ("files looked through", False),
        ("leftovers and git's state noted", False),
        ("set-up command for the agent", False),
        ("set-up command for the tests", False),
        ("tests and checks", False),
    ]
    reused = first.isolation.startswith("bubblewrap")  # elsewhere nothing proves that a checkout is pristine
    assert sorted(steps(second, PhaseName.SETUP)) == [
        ("agent looked at", False),
        ("checkout for the agent", reused),
        ("commits fetched", True),
        ("files looked through", False),
        ("leftovers and git's state noted", False),
        ("set-up command for the agent", False),
        ("tests of the start commit", True),
    ]
    assert "- setup: agent looked at " in summary(brief, first)


@pytest.mark.slow
def test_every_phase_with_stages_names_them_in_their_order(make_stage: MakeStage) -> None:
    """From the agent's start, its first word and its work to the permit and the review that was posted."""
    stage = make_stage(files={**FILES, "README.md": "Call `longest(text)`.\n", "long.py": "def longest(t): ...\n"})
    agent = stage.script(
        'if [ "$PASS" = documentation ]; then sed -i "s/longest/longest_word/" README.md;'
        ' else sed -i "s/longest/longest_word/" long.py; fi'
    )
    report = run(stage, stage.brief(agent=agent))
    tested = ["checkout for the tests", "tests"]
    written = ["permit asked for", "branch pushed", "pull request opened and read back", "token given back"]
    named = {name: [step for step, _ in steps(report, name)] for name in PhaseName}
    assert named[PhaseName.ISSUE] == ["approval asked for"]
    assert named[PhaseName.RESEARCH] == ["earlier plan looked for", *played("research")]
    assert named[PhaseName.IMPLEMENTATION] == [*played("implementation"), "change taken in"]
    assert named[PhaseName.TESTING] == tested
    assert named[PhaseName.DOCUMENTATION] == [
        "documents looked through",
        *played("documentation"),
        "change taken in",
        *tested,
    ]
    assert named[PhaseName.PULL_REQUEST] == ["gate", *written]
    assert named[PhaseName.REVIEW] == [
        "checkout for the review",
        *played("review"),
        "permit asked for",
        "review posted",
        "token given back",
    ]


def played(which: str) -> list[str]:
    """The stages of one pass of an agent that reaches its model by itself."""
    prompt = ["issue and instructions read", f"prompt built ({which})"]
    return [*prompt, f"until the agent's first word ({which})", f"the agent's work ({which})"]


@BUBBLEWRAP
@pytest.mark.slow
def test_a_set_up_runs_beside_the_tests_of_the_start_commit(make_stage: MakeStage) -> None:
    """Stages that overlap are no longer than what ran and what that saved; each set-up has what it made, and a log of its own."""
    stage = make_stage()
    made = RepositorySettings(setup_command="echo made in $PWD; echo kept > made.txt; echo made.txt > .gitignore")
    agent = stage.script("echo \"made = '$(cat made.txt)'\" > words_made.py")
    report = run(stage, stage.brief(agent=agent, settings=made.model_copy(update={"test_command": "test -f made.txt"})))
    assert report.verdict.name == "succeeded", report.verdict
    assert {change.path for change in report.changes} == {"words_made.py"}
    [setup] = [phase for phase in report.phases if phase.name is PhaseName.SETUP]
    assert setup.saved_seconds > 0
    for phase in report.phases:
        one_by_one = phase.seconds + phase.saved_seconds
        assert sum(step.seconds for step in phase.steps) <= one_by_one + 0.001 * len(phase.steps)
    logs = {path.name: path.read_text() for path in (stage.task_folder() / "logs").glob("setup-*")}
    assert sorted(logs) == ["setup-for-the-agent.log", "setup-for-the-tests.log"]
    assert "/checkout/tree" in logs["setup-for-the-agent.log"]
    assert "/checkout/check" in logs["setup-for-the-tests.log"]


@BUBBLEWRAP
@pytest.mark.slow
def test_what_running_side_by_side_gained_is_measured(make_stage: MakeStage) -> None:
    """All three wait until each of them has begun, which one by one would never end."""
    stage = make_stage()
    out = stage.task_folder() / "out"  # the one place where checks may write, too
    meet = f"touch {out}/met.$$-{{}}; until set -- {out}/met.*; [ $# = 3 ]; do sleep 0.05; done"
    settings = RepositorySettings(test_command=meet.format("tests"), checks=(meet.format("lint"), meet.format("docs")))
    report = run(stage, stage.brief(agent=stage.script("echo 'x = 1' >> words.py"), settings=settings))
    [testing] = [phase for phase in report.phases if phase.name is PhaseName.TESTING]
    assert report.verdict.name == "succeeded", report.verdict
    assert testing.saved_seconds > 0


def test_side_by_side_gains_what_one_by_one_would_have_taken() -> None:
    """Three commands of 3, 2 and 1 seconds that took 3 together saved 3; a slower whole gains nothing. The summary says so."""
    meter = Meter()
    meter.side_by_side(3.0, (3.0, 2.0, 1.0))
    meter.side_by_side(5.0, (3.0,))
    tested = meter.on(PhaseResult(name=PhaseName.TESTING, status="passed", seconds=8))
    assert tested.saved_seconds == 3.0
    verdict = Verdict(name=VerdictName.SUCCEEDED, reason="")
    told = summary(briefs.brief("a title", "a body"), AttemptReport(verdict=verdict, phases=(tested,)))
    assert "- testing: 3.0 s saved by running side by side" in told


def test_a_stage_that_breaks_is_told_and_stages_do_not_grow_without_end() -> None:
    """Whatever it raised; of a hundred passes from several threads the first forty are kept."""
    meter = Meter()
    with pytest.raises(KeyError), meter.step("fetch"):
        raise KeyError

    def passes() -> None:
        for _ in range(25):
            meter.took("again", 1, cached=True)

    threads = [threading.Thread(target=passes) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = meter.on(PhaseResult(name=PhaseName.SETUP, status="failed", seconds=1)).steps
    assert [step.name for step in found] == ["fetch", *["again"] * 39]
    assert found[1] == Step(name="again", seconds=1, cached=True)
