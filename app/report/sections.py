"""The parts that checks are put together from; each is Markdown that stands by itself and keeps its own size."""

from app.planning.conflicts import THRESHOLD
from app.report.evidence import ci_lines, review_section, test_lines, tests_words
from app.report.markdown import block, code, details, plain, table
from app.report.measures import Measures
from app.report.plan import plan_markdown
from app.report.usage import cost_words, phase_table, spending_line, stage_lines, usage_line
from app.report.view import OrchestrationView, TaskView
from app.report.words import MEANINGS, PHASE_NUMBER, counted, duration, minutes, phase_name, task_state
from shared.github import cut
from shared.models import Problem

_EMPTY = "–"
_FILES_SHOWN, _PATH_SHOWN = 20, 200


def own_section(task: TaskView) -> str:
    """This pull request first: what came out, on what evidence, how to go on."""
    lines = [
        f"### #{task.issue} {plain(task.title)}",
        "",
        task_state(task),
        *(["", plain(task.note)] if task.note else []),
        "",
        *_facts(task),
    ]
    if task.held:
        lines += ["", *held_lines(task)]
    if task.verdict and task.status == "done":
        lines += ["", f"**How to go on:** {MEANINGS[task.verdict.name].go_on}."]
        if task.verdict.detail.strip():
            lines += ["", details("Last output", block(task.verdict.detail), 10_000)]
    if review := review_section(task):
        lines += ["", review]
    if task.phases:
        stages = stage_lines(task)
        lines += ["", details("Phases", phase_table(task) + (f"\n\n{stages}" if stages else ""), 8_000)]
    return "\n".join(lines)


def held_lines(task: TaskView) -> list[str]:
    """What waits to be published, file by file: its content is on GitHub only when somebody has published it."""
    if task.held is None:
        return []
    added, removed = sum(change.added for change in task.changes), sum(change.removed for change in task.changes)
    shown = [f"  - {code(change.path[:_PATH_SHOWN])} +{change.added} −{change.removed}" for change in task.changes[:_FILES_SHOWN]]
    more = len(task.changes) - len(shown)
    until, files = f"{task.held.until:%Y-%m-%d %H:%M} UTC", counted(len(task.changes), "file")
    return [
        f"- **#{task.issue} waits to be published** until {until}: {files}, +{added} −{removed}",
        f"  - The diff is not on GitHub; the app shows it to its operator at `/held/{task.held.attempt}.diff`",
        *shown,
        *([f"  - … and {more} more"] if more > 0 else []),
    ]


def task_table(view: OrchestrationView, limit: int) -> str:
    """All tasks, by issue."""
    rows = [_row(task) for task in view.sorted_tasks]
    whole = table(("Issue", "Phase", "Verdict", "PR", "Tests", "Minutes", "Cost"), rows)
    return cut(whole, limit, f"\n\n… the table is cut here{_rest(view)}.")


def plan_section(view: OrchestrationView) -> str:
    """The plan with its reasons; open as long as somebody must decide on it."""
    if view.plan is None:
        return ""
    body = plan_markdown(view.plan, view.most_usd, view.settings)
    if view.status == "proposed":
        return f"### The plan\n\n{body}"
    edges = sum(edge.kind == "dependency" or edge.probability >= THRESHOLD for edge in view.plan.edges)
    return details(
        f"Plan: {counted(len(view.plan.tasks), 'task')}, {counted(edges, 'edge')} that count, with reasons", body, 24_000
    )


def changes_section(view: OrchestrationView) -> str:
    """What is no longer as planned, and why."""
    lines = [f"- {at:%H:%M} UTC: {plain(what, 300)}" for at, what in view.plan_changes[-30:]]
    return "\n".join(["### What changed since the plan", "", *lines]) if lines else ""


def problems_section(view: OrchestrationView) -> str:
    """What could not be done as asked, and the fix."""
    lines = [f"- {problem_line(problem)}" for problem in all_problems(view)]
    return cut("\n".join(["### Problems", "", *lines]), 8_000, f"\n- … more problems{_rest(view)}.") if lines else ""


def all_problems(view: OrchestrationView) -> tuple[Problem, ...]:
    """The orchestration's and the plan's, each once, in a fixed order."""
    found = {*view.problems, *(view.plan.problems if view.plan else ())}
    return tuple(sorted(found, key=lambda problem: (problem.issue is not None, problem.issue or 0, problem.what, problem.fix)))


def problem_line(problem: Problem) -> str:
    """One problem: whose, what, how to mend it."""
    whose = f"#{problem.issue}: " if problem.issue is not None else ""
    return f"{whose}{plain(problem.what)}" + (f" **Fix:** {plain(problem.fix)}" if problem.fix else "")


def measures_section(view: OrchestrationView, measures: Measures) -> str:
    """Measured time, named for what it is."""
    spending = [f"- {line}"] if (line := spending_line(view)) else []
    if measures.wall_seconds is None or measures.parallelism is None or measures.overhead_seconds is None:
        later = "Wall time and parallelism are known once every task has its verdict."
        return "\n".join(["### Measured", "", later, *(["", *spending] if spending else [])])
    faster = "not measured (needs a run one at a time)" if measures.speedup is None else f"{measures.speedup:.2f} times"
    lines = (
        f"Wall time, plan to last verdict: {duration(measures.wall_seconds)}, with {counted(view.slots, 'slot')}",
        f"Attempts together: {duration(measures.attempt_seconds)}",
        f"Parallelism: {measures.parallelism:.2f} attempts at once on average, which is not how much faster it was",
        f"Speed-up: {faster}",
        f"Overhead, wall time in which no attempt ran: {duration(measures.overhead_seconds)}",
    )
    return "\n".join(["### Measured", "", *(f"- {line}" for line in lines), *spending])


def legend() -> str:
    """What a reader can do from here."""
    return (
        "### How to go on\n\n"
        "Press a button of this check, or take the label off the issue and put it on again."
        " Nothing is merged without a person."
        " A pull request's check shows that task's verdict; its table goes on being updated."
    )


def _facts(task: TaskView) -> list[str]:
    added, removed = sum(change.added for change in task.changes), sum(change.removed for change in task.changes)
    made = [f"agent {code(task.agent)}" if task.agent else "", f"isolation {code(task.isolation)}" if task.isolation else ""]
    stacked = ", ".join(f"#{number}" for number in task.stacked_on)
    facts = (
        f"Pull request {_pull_request(task)}" if task.pull_request is not None else "",
        f"Stacked on {stacked}: merge that first" if stacked else "",
        f"Branch {code(task.branch)}" + (f" at `{task.head_sha[:12]}`" if task.head_sha else "") if task.branch else "",
        *test_lines(task),
        *ci_lines(task),
        f"Changes: {counted(len(task.changes), 'file')}, +{added} −{removed}" if task.changes else "",
        f"Made by {', '.join(part for part in made if part)}" if any(made) else "",
        _effort(task) if task.spans else "",
        usage_line(task),
        *(f"Note: {plain(remark)}" for remark in task.remarks[:20]),
    )
    return [f"- {fact}" for fact in facts if fact]


def _effort(task: TaskView) -> str:
    attempts = counted(len(task.spans), "attempt")
    return f"{attempts}, {duration(task.attempt_seconds)} in all, {duration(task.agent_seconds)} of it the agent"


def _row(task: TaskView) -> tuple[str, ...]:
    time = minutes(task.attempt_seconds) if task.spans else _EMPTY
    tests = tests_words(task.tests_before, task.tests_after)
    phase = f"{PHASE_NUMBER[task.phase]}/{len(PHASE_NUMBER)} {phase_name(task.phase)}" if task.phase else _EMPTY
    return (f"#{task.issue} {plain(task.title, 80)}", phase, task_state(task), _pull_request(task), tests, time, cost_words(task))


def _pull_request(task: TaskView) -> str:
    if task.pull_request is None:
        return _EMPTY
    return f"#{task.pull_request}" + (" (draft)" if task.draft else "")


def _rest(view: OrchestrationView) -> str:
    return f"; all of it: {view.details_url}" if view.details_url else ""
