"""A runner whose work is held: it hands over what publishing needs, writes nothing to GitHub, and another one goes on from that."""

import json
import shutil
from hashlib import sha256

from shared.messages import HeldWork, PermitReply
from shared.models import AgentSettings
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import GOOD_PATCH, RED_PATCH, Stage
from tests.support.scripted_app import ScriptedApp, serving

HOLDS = RepositorySettings(publish="hold")
FINDING = json.dumps([{"path": "words.py", "line": 5, "must_fix": True, "text": "an empty text is not handled"}])


def holds(stage: Stage, agent: AgentSettings | None = None) -> ScriptedApp:
    """An app that lets nothing out."""
    app = stage.scripted_app(stage.brief(settings=HOLDS, agent=agent))
    app.permit = lambda _request: PermitReply(status="held")
    return app


def handed_over(app: ScriptedApp) -> HeldWork:
    """What the next attempt's brief says of it."""
    assert app.hold is not None, app.calls
    bundle = app.pieces["bundle"]
    return HeldWork(report=app.hold.report, bytes=len(bundle), sha256=sha256(bundle).hexdigest())


def publishes(stage: Stage, first: ScriptedApp, held: HeldWork) -> ScriptedApp:
    """The attempt that takes it back, on a machine that knows nothing of the first."""
    shutil.rmtree(stage.work_dir)
    app = stage.scripted_app(stage.brief(settings=HOLDS, attempt=2, held=held))
    app.pieces = first.pieces
    return app


def test_it_hands_over_bundle_diff_and_review_and_then_only_publishes(make_stage: MakeStage) -> None:
    """The second attempt's agent cannot even play: everything is there already, the review with its finding too."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH, review=f"Mostly fine.\n\n```json\n{FINDING}\n```\n")
    app = holds(stage)
    with serving(app):
        assert stage.run(app)[0] == 0
    assert app.report.verdict.name == "held"
    assert stage.branch_sha() == ""
    assert stage.pull_requests() == []
    assert b"+def longest" in app.pieces["diff"]
    assert app.hold is not None
    assert app.hold.diff_sha256 == sha256(app.pieces["diff"]).hexdigest()
    assert [finding.text for finding in app.hold.report.findings] == ["an empty text is not handled"]
    assert not list((stage.work_dir / "rescued").glob("*"))

    shutil.rmtree(stage.patches)
    second = publishes(stage, app, handed_over(app))
    with serving(second):
        assert stage.run(second)[0] == 0
    assert second.report.verdict.name == "succeeded", second.report.verdict
    [pull] = stage.pull_requests()
    assert pull["head"]["sha"] == stage.branch_sha() == app.hold.head_sha
    [review] = stage.reviews(pull["number"])
    assert "Mostly fine." in review["body"]


def test_red_tests_are_held_as_a_draft(make_stage: MakeStage) -> None:
    """What it found is said while it waits; let out, it is a draft with the red verdict."""
    stage = make_stage()
    stage.prepare(RED_PATCH)
    app = holds(stage)
    with serving(app):
        stage.run(app)
    held = handed_over(app)
    assert (app.report.verdict.name, held.report.verdict.name) == ("held", "tests_failed")
    second = publishes(stage, app, held)
    with serving(second):
        stage.run(second)
    [pull] = stage.pull_requests()
    assert (pull["draft"], second.report.verdict.name) == (True, "tests_failed")


def test_another_commit_than_the_one_that_was_shown_is_not_published(make_stage: MakeStage) -> None:
    """A sound bundle of something else: refused by its commit, whatever its sum."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = holds(stage)
    with serving(app):
        stage.run(app)
    held = handed_over(app)
    other = held.model_copy(update={"report": held.report.model_copy(update={"head_sha": "b" * 40})})
    second = publishes(stage, app, other)
    with serving(second):
        stage.run(second)
    assert second.report.verdict.name == "publish_failed"
    assert "another commit than the one that was shown" in second.report.verdict.reason
    assert (stage.branch_sha(), second.permits) == ("", [])


def test_a_base_that_is_gone_is_named(make_stage: MakeStage) -> None:
    """A forced push took the commit away that the work builds on: there is nothing to publish it onto."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = holds(stage)
    with serving(app):
        stage.run(app)
    second = publishes(stage, app, handed_over(app))
    second.brief = second.brief.model_copy(update={"base_sha": "c" * 40})
    with serving(second):
        stage.run(second)
    assert second.report.verdict.name == "publish_failed"
    assert f"commit {'c' * 40} is not in {stage.full_name} any more" in second.report.verdict.reason
    assert "`/shoal retry`" in second.report.verdict.reason
    assert (stage.branch_sha(), second.permits) == ("", [])


def test_the_gate_judges_again_what_comes_back(make_stage: MakeStage) -> None:
    """The repository protects the file meanwhile: it does not leave."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = holds(stage)
    with serving(app):
        stage.run(app)
    second = publishes(stage, app, handed_over(app))
    second.brief = second.brief.model_copy(update={"settings": RepositorySettings(publish="hold", protected_paths=("words.py",))})
    with serving(second):
        stage.run(second)
    assert (second.report.verdict.name, second.permits, stage.branch_sha()) == ("unsafe_diff", [], "")


def test_an_app_that_keeps_forgetting_is_named_and_not_tried_for_ever(make_stage: MakeStage) -> None:
    """As with several apps that share no folder."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    app = holds(stage)
    app.forgetful = True
    with serving(app):
        stage.run(app)
    assert app.report.verdict.name == "publish_failed"
    assert "SHOAL_HELD_DIR" in app.report.verdict.reason
    assert app.calls.count("piece") < 20
