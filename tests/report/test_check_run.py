"""Check runs as people read them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from app.report.check_run import CheckText, orchestration_check, orchestration_check_name, task_check
from app.report.comments import status_comment
from app.report.view import HeldView, OrchestrationView, SettingsMistake
from app.report.words import MEANINGS, Conclusion
from shared.github import CHECK_ANNOTATION_LIMIT, CHECK_BUTTON_LIMIT, CHECK_TEXT_LIMIT
from shared.models import FileChange, Problem, Verdict, VerdictName
from tests.report import golden
from tests.report.views import NOON, busy, ended, orchestration_views, plan


def _page(check: CheckText) -> str:
    buttons = ", ".join(button.label for button in check.actions)
    remarks = [f"{remark.path}:{remark.start_line} {remark.level}: {remark.message}" for remark in check.annotations]
    head = (f"# {check.title}", f"{check.status}, {check.conclusion}. Buttons: {buttons}.", *remarks)
    return "\n\n".join([*head, check.summary, "---", check.text])


@pytest.mark.parametrize("issue", [1, 2, 3])
def test_a_task_reads_as_the_file_says(issue: int) -> None:
    """A green one, a red one with a hostile title, one at work."""
    golden.matches(f"task-{issue}", _page(task_check(busy(), issue)))


def test_the_whole_reads_as_the_file_says() -> None:
    """While it runs, and at its end with a measured speed-up."""
    golden.matches("whole-running", _page(orchestration_check(busy())))
    golden.matches("whole-ended", _page(orchestration_check(ended(), sequential_wall_seconds=300)))


@pytest.mark.parametrize("name", list(VerdictName))
def test_a_check_is_concluded_with_its_own_tasks_verdict(name: VerdictName) -> None:
    """Each verdict has its words and its colour; what stands beside it does not change them."""
    verdict = Verdict(name=name, reason="so it is")
    view = replace(ended(), tasks=tuple(replace(task, verdict=verdict) if task.issue == 3 else task for task in ended().tasks))

    assert task_check(view, 3).conclusion == MEANINGS[name].conclusion
    assert task_check(view, 3).title.startswith(MEANINGS[name].label)
    assert task_check(view, 1).conclusion == "success"


def test_nothing_but_success_is_green() -> None:
    """A change that is not there, a red test, a lost runner: none is shown as success."""
    assert [name for name, meaning in MEANINGS.items() if meaning.conclusion == "success"] == [VerdictName.SUCCEEDED]


def test_a_failed_task_leaves_the_default_branch_alone() -> None:
    """On the base commit a failure is neutral, and named in the title."""
    check = orchestration_check(ended())

    assert check.conclusion == "neutral"
    assert check.title == "3 of 4 done, 1 needs you: #2 tests failed"


def test_a_limit_is_named() -> None:
    """Which one it was stands beside the verdict, in the check and in the issue's comment."""
    verdict = Verdict(name=VerdictName.LIMIT_REACHED, reason="$2.00 are used up", limit="cost_usd")
    view = replace(ended(), tasks=tuple(replace(task, verdict=verdict) for task in ended().tasks))

    assert "**Limit reached** (`cost_usd`): \\$2.00 are used up" in task_check(view, 3).summary
    assert "**Limit reached** (`cost_usd`), pull request #14: " in status_comment(view, 3)


def test_all_done_is_green() -> None:
    """Four successes conclude the whole with success."""
    first = ended().task(1)
    view = replace(ended(), tasks=tuple(replace(first, issue=number) for number in (1, 2, 3, 4)))

    assert orchestration_check(view).conclusion == "success"
    assert orchestration_check(view).actions == ()


def test_a_mistake_in_the_settings_is_red_at_its_line() -> None:
    """The one failure on the base commit: file, line and fix are named."""
    mistake = SettingsMistake(7, "`test_comand` is unknown: did you mean `test_command`?")
    check = orchestration_check(replace(busy(), settings_mistake=mistake))

    assert check.conclusion == "failure"
    assert check.title == "Mistake in .github/shoal.yml, line 7"
    assert [(remark.path, remark.start_line) for remark in check.annotations] == [(".github/shoal.yml", 7)]
    assert "did you mean" in check.annotations[0].message


def test_an_empty_plan_needs_somebody() -> None:
    """Nothing to run is never green: the reasons are on the check."""
    cycle = Problem(issue=1, what="#1 and #2 wait for each other", fix="take one of the two lines out")
    check = orchestration_check(replace(busy(), status="done", tasks=(), plan=plan(()), problems=(cycle,)))

    assert check.conclusion == "action_required"
    assert "wait for each other" in check.summary


def test_waiting_is_concluded() -> None:
    """Only a running attempt leaves a check open; a person's turn asks for the person."""
    waiting = busy().task(4)
    asked = replace(busy(), tasks=(replace(waiting, waits_for_person=True, waiting_for="Start by a maintainer"),))

    assert task_check(busy(), 4).conclusion == "neutral"
    assert task_check(asked, 4).conclusion == "action_required"
    assert task_check(busy(), 3).status == "in_progress"


def test_failing_tests_are_marked_in_their_files() -> None:
    """By pytest's names and by unittest's."""
    paths = [remark.path for remark in task_check(busy(), 2).annotations]

    assert paths == ["tests/test_money.py", "tests/test_tax.py"]


def test_rows_in_any_order_give_the_same_text() -> None:
    """A check is written again only when something changed."""
    turned = replace(busy(), tasks=tuple(reversed(busy().tasks)))

    assert task_check(turned, 1) == task_check(busy(), 1)
    assert orchestration_check(turned) == orchestration_check(busy())


def test_the_whole_has_its_own_name() -> None:
    """So that it does not hide the task's check where both stand on one commit."""
    assert orchestration_check_name(busy()) == "Shoal / 7-1"


def _keeps_the_limits(check: CheckText) -> None:
    assert len(check.title) <= 255
    assert max(len(check.summary.encode()), len(check.text.encode())) <= CHECK_TEXT_LIMIT
    assert check.summary
    assert len(check.annotations) <= CHECK_ANNOTATION_LIMIT
    assert all(remark.message and len(remark.message.encode()) <= 65_536 and remark.start_line >= 1 for remark in check.annotations)
    assert len(check.actions) <= CHECK_BUTTON_LIMIT
    assert all(len(button.label) <= 20 and len(button.description) <= 40 for button in check.actions)
    assert (check.conclusion is None) == (check.status == "in_progress")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(orchestration_views())
def test_any_view_keeps_githubs_limits(view: OrchestrationView) -> None:
    """Long titles, hostile texts, a thousand tasks: every field stays within what GitHub takes, and what is done is concluded."""
    whole = orchestration_check(view)
    _keeps_the_limits(whole)
    allowed: set[Conclusion | None] = {"failure"} if view.settings_mistake else {None, "success", "neutral", "action_required"}
    assert whole.conclusion in allowed
    if view.status == "done":
        assert whole.conclusion is not None
    for task in view.tasks[:3]:
        check = task_check(view, task.issue)
        _keeps_the_limits(check)
        assert (check.conclusion is None) == (task.status == "running")


def test_work_that_waits_to_be_published_asks_for_it_with_what_there_is_to_see() -> None:
    """Files and numbers, until when, how to go on and a button; no retry is offered for it, and nothing of its content is shown."""
    verdict = Verdict(name=VerdictName.HELD, reason="kept until then")
    changes = tuple(FileChange(path=f"src/`odd` {number}.py", added=2, removed=1) for number in range(25))
    waits: dict[str, Any] = {
        "verdict": verdict,
        "held": HeldView("1-3-1-1", 2048, NOON),
        "changes": changes,
        "waits_for_person": True,
    }
    done = ended()
    view = replace(done, tasks=tuple(replace(task, **waits) if task.issue == 3 else task for task in done.tasks if task.issue != 2))
    check = orchestration_check(view)
    assert (check.conclusion, [button.identifier for button in check.actions]) == ("action_required", ["publish", "cancel"])
    assert "#3 waiting to be published" in check.title
    for text in (check.summary, status_comment(view, 3)):
        assert "25 files, +50 −25" in text
        assert "… and 5 more" in text
        assert "/held/1-3-1-1.diff" in text
    assert "`/shoal publish`" in status_comment(view, 3)
