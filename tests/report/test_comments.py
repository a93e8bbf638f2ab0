"""The one comment on an issue."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from app.report.comments import note_comment, settings_comment, status_comment, status_marker
from app.report.view import OrchestrationView, SettingsMistake
from shared.github import COMMENT_LIMIT
from shared.models import Verdict, VerdictName
from tests.report import golden
from tests.report.views import busy, orchestration_views


@pytest.mark.parametrize("issue", [1, 2, 3, 4])
def test_a_comment_reads_as_the_file_says(issue: int) -> None:
    """Done with its pull request, red, at work, waiting with the reason."""
    golden.matches(f"comment-{issue}", status_comment(busy(), issue))


def test_within_seconds_it_says_planning() -> None:
    """Nobody has to wonder whether the label was seen."""
    view = replace(busy(), status="planning", tasks=tuple(replace(task, status="waiting") for task in busy().tasks))

    assert "**Planning.**" in status_comment(view, 1)


def test_a_refusal_says_why_and_that_nothing_ran() -> None:
    """And what can be done."""
    text = note_comment(7, 3, "`mallory` put the label on, but only people with write access can start work.")

    assert text.startswith(status_marker(7, 3))
    assert "**Nothing was started.** `mallory` put the label on" in text


def test_an_edit_after_approval_asks_for_the_label_again() -> None:
    """The comment names the way on."""
    verdict = Verdict(name=VerdictName.EDITED_AFTER_APPROVAL, reason="the body was changed after the label")
    view = replace(busy(), tasks=(replace(busy().task(1), verdict=verdict),))

    assert "put the label on again to approve it" in status_comment(view, 1)


def test_a_problem_of_the_plan_is_told_with_its_fix() -> None:
    """On the issue that it concerns, and only there."""
    assert "**Fix:** take the line out" in status_comment(busy(), 4)
    assert "**Fix:**" not in status_comment(busy(), 1)


def test_a_mistake_in_the_settings_is_told_on_the_issue() -> None:
    """With file and line."""
    view = replace(busy(), settings_mistake=SettingsMistake(3, "unknown key"))

    assert "`.github/shoal.yml`, line 3: unknown key" in settings_comment(view, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(orchestration_views())
def test_any_comment_can_be_found_and_fits(view: OrchestrationView) -> None:
    """The marker comes first and once, nobody is pinged, and GitHub takes the text."""
    for task in view.tasks[:3]:
        text = status_comment(view, task.issue)
        assert text.startswith(status_marker(1, task.issue))
        assert text.count("<!-- shoal:") == 1
        assert len(text.encode()) <= COMMENT_LIMIT
