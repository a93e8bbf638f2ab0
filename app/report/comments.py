"""The one comment that an issue gets, edited in place while its task goes its way."""

from app.report.evidence import tests_words
from app.report.markdown import block, details, plain
from app.report.sections import all_problems, held_lines, problem_line
from app.report.view import OrchestrationView, TaskView
from app.report.words import MEANINGS, counted, duration, limit_words, phase_words
from shared.github import COMMENT_LIMIT, cut, marker
from shared.models import PhaseName


def status_marker(repository_id: int, issue: int) -> str:
    """The hidden line by which the comment is found again; it counts only in comments of our own App."""
    return marker("status", f"{repository_id}:{issue}")


def status_comment(view: OrchestrationView, issue: int) -> str:
    """Where this issue's task stands, what it waits for, how to go on."""
    task = view.task(issue)
    lines = [_headline(view, task), *([plain(task.note)] if task.note else []), *_own_problems(view, issue)]
    if task.status == "done":
        lines += _outcome(task)
    if view.details_url:
        lines.append(f"[Orchestration {plain(view.id)}]({view.details_url}) works on {counted(len(view.tasks), 'issue')}.")
    return _comment(view.repository_id, issue, lines)


def note_comment(repository_id: int, issue: int, note: str) -> str:
    """Why nothing was started on an issue: a refusal, or a label that changes nothing."""
    return _comment(repository_id, issue, [f"**Nothing was started.** {note}"])


def settings_comment(view: OrchestrationView, issue: int) -> str:
    """Answer while `.github/shoal.yml` has a mistake."""
    mistake = view.settings_mistake
    what = f"`.github/shoal.yml`, line {mistake.line}: {plain(mistake.message)}" if mistake else "`.github/shoal.yml` is in order."
    return _comment(
        view.repository_id, issue, [what, "Nothing runs until this is mended on the default branch; then put the label on again."]
    )


def _comment(repository_id: int, issue: int, lines: list[str]) -> str:
    body = "\n\n".join([status_marker(repository_id, issue), *lines])
    return cut(body, COMMENT_LIMIT, "\n\n… cut here.")


def _headline(view: OrchestrationView, task: TaskView) -> str:
    match task.status:
        case "intake":
            return "**Planning.** This issue is planned together with the others that are labelled now."
        case "waiting":
            return _waiting(view, task)
        case "running":
            return f"**Running**, {phase_words(task.phase or PhaseName.SETUP)}{_attempt(task)}."
        case "settling":
            return "**Settling.** The last attempt fell silent; what it left on GitHub is looked at once it can no longer write."
        case "done":
            return _ended(task)


def _waiting(view: OrchestrationView, task: TaskView) -> str:
    if view.status in ("intake", "planning"):
        return "**Planning.** This issue is planned together with the others that are labelled now."
    return f"**Waiting** for {plain(task.waiting_for)}." if task.waiting_for else "**Waiting** for a free slot."


def _attempt(task: TaskView) -> str:
    return f", attempt {len(task.spans)}" if len(task.spans) > 1 else ""


def _ended(task: TaskView) -> str:
    if task.verdict is None:
        return "**Ended** without a verdict."
    meaning = MEANINGS[task.verdict.name]
    where = f", pull request #{task.pull_request}{' (draft)' if task.draft else ''}" if task.pull_request is not None else ""
    return f"**{meaning.label}**{limit_words(task.verdict)}{where}: {plain(task.verdict.reason)}"


def _outcome(task: TaskView) -> list[str]:
    stacked = ", ".join(f"#{number}" for number in task.stacked_on)
    lines = [
        "\n".join(held_lines(task)),
        f"Stacked on the work for {stacked}: merge that first." if stacked and task.pull_request is not None else "",
        f"Tests: {tests_words(task.tests_before, task.tests_after)}." if task.tests_after else "",
        f"It took {duration(task.attempt_seconds)}." if task.spans else "",
        *(f"Note: {plain(remark)}" for remark in task.remarks[:5]),
        f"How to go on: {MEANINGS[task.verdict.name].go_on}." if task.verdict else "",
        details("Last output", block(task.verdict.detail), 10_000) if task.verdict and task.verdict.detail.strip() else "",
    ]
    return [line for line in lines if line]


def _own_problems(view: OrchestrationView, issue: int) -> list[str]:
    found = [f"- {problem_line(problem)}" for problem in all_problems(view) if problem.issue == issue]
    return ["\n".join(found[:20])] if found else []
