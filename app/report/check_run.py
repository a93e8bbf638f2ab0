"""Check runs as people read them: one per task on its pull request's head, one per orchestration on the base commit."""

import re
from dataclasses import dataclass
from typing import Literal

from app.report.markdown import plain
from app.report.measures import measure
from app.report.sections import (
    all_problems,
    changes_section,
    held_lines,
    legend,
    measures_section,
    own_section,
    plan_section,
    problem_line,
    problems_section,
    task_table,
)
from app.report.view import OrchestrationView, TaskView
from app.report.words import MEANINGS, Conclusion, counted, progress
from shared.github import CHECK_ANNOTATION_LIMIT, CHECK_NAME, CHECK_TEXT_LIMIT, cut
from shared.models import TestRun, VerdictName

CheckStatus = Literal["in_progress", "completed"]
Level = Literal["notice", "warning", "failure"]
SETTINGS_PATH = ".github/shoal.yml"
_TITLE_LIMIT = 255
_MEND = "Nothing runs until this is mended on the default branch; then label the issues again."
_TEST_PATH = re.compile(r"(?P<path>[\w./-]+\.\w+)::")
_TEST_MODULE = re.compile(r"(?:^|\()(?P<module>[a-z_]\w*(?:\.[a-z_]\w*)*)(?=\.[A-Z]\w*\.\w+)")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark at a line of a file; GitHub appends them at every update, so they are sent once per check run."""

    path: str
    start_line: int
    end_line: int
    level: Level
    message: str
    title: str


@dataclass(frozen=True, slots=True)
class Button:
    """Shown by GitHub once the check is completed; comes back as `requested_action` with the identifier."""

    label: str
    description: str
    identifier: str


RETRY = Button("Retry failed", "Try every task again that needs you", "retry")
START = Button("Start plan", "Start every task of this plan", "start")
PUBLISH = Button("Publish", "Open pull requests for all that waits", "publish")
CANCEL = Button("Cancel", "Stop what runs, start nothing more", "cancel")


@dataclass(frozen=True, slots=True)
class CheckText:
    """Everything of a check run but its name, commit and key; `conclusion` is None only while an attempt runs."""

    title: str
    summary: str
    text: str
    status: CheckStatus
    conclusion: Conclusion | None
    annotations: tuple[Annotation, ...] = ()
    actions: tuple[Button, ...] = ()


def orchestration_check_name(view: OrchestrationView) -> str:
    """The name of the check on the base commit; on a pull request's head it is `shared.github.CHECK_NAME` alone."""
    return f"{CHECK_NAME} / {view.id}"


def task_check(view: OrchestrationView, issue: int, sequential_wall_seconds: float | None = None) -> CheckText:
    """This task's verdict for its own pull request, whatever its siblings did; their table below it."""
    task = view.task(issue)
    conclusion = _task_conclusion(task)
    own = own_section(task)
    summary = "\n\n".join((own, "### All tasks", task_table(view, CHECK_TEXT_LIMIT - len(own.encode()) - 1_000)))
    return CheckText(
        title=_title(f"{_task_word(task)}; {progress(view)}"),
        summary=_fit(summary, view),
        text=_text(view, sequential_wall_seconds),
        status="completed" if conclusion else "in_progress",
        conclusion=conclusion,
        annotations=_test_annotations(task.tests_after),
        actions=_buttons(view),
    )


def orchestration_check(view: OrchestrationView, sequential_wall_seconds: float | None = None) -> CheckText:
    """The whole; red only for a mistake in the settings file, since it stands on a commit of the default branch."""
    if view.settings_mistake:
        return _settings_check(view)
    conclusion = _orchestration_conclusion(view)
    return CheckText(
        title=_title(_orchestration_title(view)),
        summary=_fit(_orchestration_summary(view), view),
        text=_text(view, sequential_wall_seconds),
        status="completed" if conclusion else "in_progress",
        conclusion=conclusion,
        actions=_buttons(view),
    )


def _task_conclusion(task: TaskView) -> Conclusion | None:
    """None only while an attempt runs: waiting is concluded, so that no death can leave a check open."""
    if task.status == "running":
        return None
    if task.status == "done":
        return MEANINGS[task.verdict.name].conclusion if task.verdict else "neutral"
    return "action_required" if task.waits_for_person else "neutral"


def _task_word(task: TaskView) -> str:
    if task.status == "done":
        red = " · CI is red" if task.ci and task.ci.status == "red" else ""
        return (MEANINGS[task.verdict.name].label if task.verdict else "Ended") + red
    return task.status.capitalize()


def _orchestration_conclusion(view: OrchestrationView) -> Conclusion | None:
    if view.status == "running" and any(task.status == "running" for task in view.tasks):
        return None
    if _is_empty(view) or any(task.waits_for_person for task in view.tasks):
        return "action_required"
    verdicts = {task.verdict.name if task.verdict else None for task in view.tasks}
    return "success" if view.status == "done" and verdicts == {VerdictName.SUCCEEDED} else "neutral"


def _is_empty(view: OrchestrationView) -> bool:
    return not view.plan.tasks if view.plan else view.status == "done"


def _orchestration_title(view: OrchestrationView) -> str:
    if _is_empty(view):
        return "Nothing could be planned: this needs you"
    if view.status in ("intake", "planning"):
        return f"Planning {counted(len(view.tasks), 'issue')}"
    if view.status == "proposed":
        return f"A plan of {counted(len(view.plan.tasks) if view.plan else 0, 'task')} waits for you to start it"
    failed = [
        f"#{task.issue} {MEANINGS[task.verdict.name].label.lower()}"
        for task in view.sorted_tasks
        if task.verdict and not _succeeded(task)
    ]
    return progress(view) + (f": {', '.join(failed)}" if failed else "")


def _succeeded(task: TaskView) -> bool:
    return task.verdict is not None and task.verdict.name is VerdictName.SUCCEEDED


def _orchestration_summary(view: OrchestrationView) -> str:
    reasons = [f"- {problem_line(problem)}" for problem in all_problems(view)[:50]] if _is_empty(view) else []
    empty = (
        ["No task could be planned, so nothing runs:", "", *(reasons or ["- No open issue carries the label any more."]), ""]
        if _is_empty(view)
        else []
    )
    head = "\n".join(
        [
            *empty,
            *_proposal(view),
            *_held(view),
            f"Orchestration {plain(view.id)} of {plain(view.repository)}, planned on `{view.base_sha[:12]}`.",
            "",
        ]
    )
    return head + "\n" + task_table(view, CHECK_TEXT_LIMIT - len(head.encode()) - 1_000)


def _proposal(view: OrchestrationView) -> list[str]:
    if view.status != "proposed":
        return []
    return [
        "**Nothing has been spent.** Somebody with write access presses **Start plan**, or says `/shoal start` on an issue.",
        "",
    ]


def _held(view: OrchestrationView) -> list[str]:
    lines = [line for task in view.sorted_tasks for line in held_lines(task)]
    return [cut("\n".join(lines), 8_000, "\n- … more waits to be published."), ""] if lines else []


def _settings_check(view: OrchestrationView) -> CheckText:
    mistake = view.settings_mistake
    assert mistake is not None  # noqa: S101 the one caller has looked
    line = max(1, mistake.line)
    message = plain(mistake.message, 2_000)
    summary = f"`{SETTINGS_PATH}`, line {line}: {message}\n\n{_MEND}"
    remark = Annotation(SETTINGS_PATH, line, line, "failure", mistake.message[:2_000] or "mistake", "Shoal settings")
    return CheckText(
        title=_title(f"Mistake in {SETTINGS_PATH}, line {line}"),
        summary=summary,
        text=_text(view, None),
        status="completed",
        conclusion="failure",
        annotations=(remark,),
    )


def _text(view: OrchestrationView, sequential_wall_seconds: float | None) -> str:
    measures = measures_section(view, measure(view, sequential_wall_seconds))
    return _fit(
        "\n\n".join(
            part for part in (problems_section(view), changes_section(view), plan_section(view), measures, legend()) if part
        ),
        view,
    )


def _fit(markdown: str, view: OrchestrationView) -> str:
    return cut(markdown, CHECK_TEXT_LIMIT, f"\n\n… cut here. {view.details_url}")


def _title(text: str) -> str:
    return text if len(text) <= _TITLE_LIMIT else text[: _TITLE_LIMIT - 1] + "…"


def _buttons(view: OrchestrationView) -> tuple[Button, ...]:
    if view.status == "proposed":
        return (START, CANCEL)
    held = any(task.held for task in view.tasks)
    failed = any(task.status == "done" and not task.held and not _succeeded(task) for task in view.tasks)
    alive = view.status != "done" and any(task.status != "done" for task in view.tasks)
    return (*((PUBLISH,) if held else ()), *((RETRY,) if failed else ()), *((CANCEL,) if alive or held else ()))


def _test_annotations(tests: TestRun | None) -> tuple[Annotation, ...]:
    """Failing tests at their file, where the name of the test tells it."""
    found = [(path, name) for name in (tests.failing if tests else ()) if (path := _path_of_test(name))]
    return tuple(
        Annotation(path, 1, 1, "failure", name[:2_000], "Failing test")  # the line is not known: the first one
        for path, name in found[:CHECK_ANNOTATION_LIMIT]
    )


def _path_of_test(name: str) -> str | None:
    """`tests/test_a.py::test_x` and unittest's `tests.test_a.TestA.test_x`."""
    if match := _TEST_PATH.match(name):
        path = match["path"]
        return path if not path.startswith("/") and ".." not in path.split("/") else None
    module = _TEST_MODULE.search(name)
    return module["module"].replace(".", "/") + ".py" if module else None
