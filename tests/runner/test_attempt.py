"""Whole attempts: the runner as a process, a real repository, a real pull request at the end."""

from runner.pull_request_text import review_marker
from shared.models import PhaseName
from tests.runner.conftest import MakeStage
from tests.runner.stage import GOOD_PATCH
from tests.support.scripted_app import serving


def test_a_prepared_change_becomes_a_reviewed_pull_request(make_stage: MakeStage) -> None:
    """All nine phases, one commit by the App, one pull request, one review, all tokens given back."""
    stage = make_stage()
    stage.prepare(GOOD_PATCH)
    with serving(stage.scripted_app()) as app:
        code, log = stage.run(app)
    assert code == 0, log
    report = app.report
    assert report.verdict.name == "succeeded", (report.verdict, log)
    assert [phase.name for phase in report.phases] == list(PhaseName)
    assert {phase.name: phase.status for phase in report.phases if phase.status != "passed"} == {"documentation": "skipped"}
    [pull_request] = stage.pull_requests()
    assert pull_request["number"] == report.pull_request
    assert pull_request["head"]["sha"] == report.head_sha == stage.branch_sha()
    assert pull_request["user"]["login"] == stage.app.bot_login
    assert f"Closes #{stage.number}" in pull_request["body"]
    assert not pull_request["draft"]
    [review] = stage.reviews(pull_request["number"])
    assert (review["state"], review["user"]["login"]) == ("COMMENTED", stage.app.bot_login)
    assert review_marker(app.brief) in review["body"]
    assert app.finished is not None
    assert app.finished.tokens_revoked
    assert [request.sequence for request in app.permits] == [1, 2]
