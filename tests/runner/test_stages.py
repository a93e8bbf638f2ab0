"""What a phase's time went into: stages by name, what was there already, and what running side by side gained."""

import threading

import pytest

from runner.job import summary
from runner.meter import Meter
from shared.messages import AttemptBrief
from shared.models import AttemptReport, PhaseName, PhaseResult, RepositorySettings, Step
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.scripted_app import serving


def run(stage: Stage, brief: AttemptBrief) -> AttemptReport:
    with serving(stage.scripted_app(brief)) as app:
        code, log = stage.run(app)
    assert code == 0, log
    return app.report


def steps(report: AttemptReport, name: PhaseName) -> list[tuple[str, bool]]:
    """Name of each stage, and whether it was cached."""
    return [(step.name, step.cached) for phase in report.phases if phase.name is name for step in phase.steps]


@pytest.mark.slow
def test_a_siblings_phases_say_what_was_there_already(make_stage: MakeStage) -> None:
    """The first attempt makes everything; the second finds the start commit's tests done, and checkouts to take over."""
    stage = make_stage()
    agent = stage.script("echo working; echo 'x = 1' >> words.py")
    settings = RepositorySettings(setup_command="true", checks=("true", "test -f words.py"))
    brief = stage.brief(agent=agent, settings=settings)
    first = run(stage, brief)
    second = run(stage, stage.brief(agent=agent, settings=settings, branch="shoal/99-other", attempt=2))
    looked = [("agent looked at", False), ("commits fetched", False), ("files looked through", False)]
    assert steps(first, PhaseName.SETUP) == [
        *looked,
        ("checkout for the agent", False),
        ("set-up command", False),
        ("checkout for the tests", False),
        ("set-up command", False),
        ("tests and checks", False),
    ]
    reused = first.isolation.startswith("bubblewrap")  # elsewhere nothing proves that a checkout is pristine
    assert steps(second, PhaseName.SETUP) == [
        *looked,
        ("checkout for the agent", reused),
        ("set-up command", False),
        ("tests of the start commit", True),
    ]
    assert ("issue and instructions read", False) in steps(first, PhaseName.RESEARCH)
    assert ("until the agent's first word (implementation)", False) in steps(first, PhaseName.IMPLEMENTATION)
    assert ("tests and checks", False) in steps(first, PhaseName.TESTING)
    for phase in first.phases:
        assert sum(step.seconds for step in phase.steps) <= phase.seconds + 0.001 * len(phase.steps)
    assert "- setup: agent looked at " in summary(brief, first)


def test_side_by_side_gains_what_one_by_one_would_have_taken() -> None:
    """Three commands of 3, 2 and 1 seconds that took 3 together saved 3; a slower whole gains nothing."""
    meter = Meter()
    meter.side_by_side(3.0, (3.0, 2.0, 1.0))
    meter.side_by_side(5.0, (3.0,))
    assert meter.on(PhaseResult(name=PhaseName.TESTING, status="passed", seconds=8)).saved_seconds == 3.0


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
