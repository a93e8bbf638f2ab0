"""`shoal plan`: what would happen to a batch of issues, before anything is spent."""

import os
from math import inf
from pathlib import Path
from typing import Literal

from pydantic.main import IncEx

from app.commands.console import print_json, print_line, print_lines, print_table, read_json, write_text
from app.facts.analysis import analyse
from app.facts.settings_file import SettingsMistake, of_folder
from app.facts.tree import list_folder
from app.planning.capacity import NO_LIMIT, Machine
from app.planning.issues_file import IssuesFile, read_issues
from app.planning.plan import OnConflict, make_plan
from app.report.plan import plan_markdown, shown_dependencies, waits_left_out
from shared.errors import UserError
from shared.models import Edge, Plan, PlannedTask
from shared.repository_settings import RepositorySettings

# The JSON is a contract with others, which the rung of evidence is no part of; `why` says it in words. Nor are these estimates.
_NOT_OF_TOUCHES: IncEx = {"source", "said"}
_NOT_OF_ESTIMATES: IncEx = {"cpu_p90", "cost_usd_p50", "cost_usd_p90", "costs_known"}
_UNTOLD: IncEx = {"tasks": {"__all__": {"touches": {"__all__": _NOT_OF_TOUCHES}, "estimate": _NOT_OF_ESTIMATES}}}
Shown = Literal["tables", "json", "markdown"]


def run(
    issues: Path, tree: Path, slots: int, *, machine: Machine = NO_LIMIT, shown: Shown = "tables", svg: Path | None = None
) -> int:
    """0 when a task was planned, 1 when none was."""
    batch = read_issues(read_json(issues), str(issues))
    settings = _settings(tree)
    plan = _plan(batch, tree, slots, machine, settings.on_conflict)
    problems = sorted((*batch.problems, *plan.problems), key=lambda problem: problem.issue or 0)
    plan = plan.model_copy(update={"problems": tuple(problems)})
    if svg is not None and str(svg) != "-":
        write_text(svg, _picture(plan))
    if svg is not None and str(svg) == "-":
        print_lines(_picture(plan))
    elif shown == "json":
        print_json(plan.model_dump_json(by_alias=True, indent=2, exclude=_UNTOLD))
    elif shown == "markdown":
        print_lines(plan_markdown(plan, settings=settings))
    else:
        _show(plan, settings)
    return 0 if plan.tasks else 1


def shown_as(*, as_json: bool, markdown: bool) -> Shown:
    """The form that the options ask for."""
    if as_json and markdown:
        raise UserError("--json and --markdown are two forms of the same thing: choose one")
    return "json" if as_json else "markdown" if markdown else "tables"


def machine_of(memory_mib: float | None, cores: float | None) -> Machine:
    """The machine that a person asks about; what is not named is no limit."""
    memory = inf if memory_mib is None else memory_mib
    return Machine(memory, memory, inf if cores is None else cores)


def show_prompt(issues: Path, tree: Path, number: int, *, as_json: bool) -> int:
    """What the agent would be told about this issue, by the runner's own code; 0 when it is planned."""
    from app.commands import runner_prompt

    batch = read_issues(read_json(issues), str(issues))
    plan = _plan(batch, tree, 1)
    task = next((task for task in plan.tasks if task.issue == number), None)
    if task is None:
        raise UserError(f"#{number} is not planned: look at `shoal plan --issues {issues} --tree {tree}` for the reason")
    issue = next(issue for issue in batch.issues if issue.number == number)
    answer = runner_prompt.ask(runner_prompt.request(issue, task, batch.repository, tree))
    if as_json:
        print_json(answer)
    else:
        print_lines(runner_prompt.told(answer))
    return 0


def _picture(plan: Plan) -> str:
    from app.report.timeline import plan_svg

    return plan_svg(plan)


def _settings(tree: Path) -> RepositorySettings:
    """The repository's own as the app reads them, for they say what follows from a conflict; the operator's are not known here."""
    try:
        return of_folder(tree)
    except SettingsMistake as mistake:
        raise UserError(f"{mistake}; the app would not plan by it either") from mistake


def _plan(batch: IssuesFile, tree: Path, slots: int, machine: Machine = NO_LIMIT, on_conflict: OnConflict = "stack") -> Plan:
    listing = list_folder(tree)
    analysis = analyse(listing, batch.issues, _cache(), past_needed=False)
    plan = make_plan(
        batch.issues,
        listing.tree,
        slots=slots,
        blockers=batch.blockers,
        repository=batch.repository,
        touches=analysis.touches,
        machine=machine,
        on_conflict=on_conflict,
    )
    return plan.model_copy(update={"problems": (*analysis.problems, *plan.problems)})


def _cache() -> Path:
    """Where a user's caches lie."""
    place = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(place) if place.startswith("/") else Path.home() / ".cache") / "shoal" / "planning"


def _show(plan: Plan, settings: RepositorySettings) -> None:
    print_table(
        "Tasks", ["Issue", "Kind", "P50", "P90", "From", "Likely files", "Branch"], [_task_row(task) for task in plan.tasks]
    )
    print_table("Edges", ["Kind", "Issues", "P", "Evidence", "Why"], [_edge_row(edge) for edge in _shown_edges(plan)])
    starts = [(f"#{start.issue}", f"{start.start_minutes:g}", f"{start.finish_minutes:g}") for start in plan.schedule.starts]
    print_table("Schedule (minutes)", ["Issue", "Start", "Finish"], starts)
    problems = [(f"#{problem.issue}" if problem.issue else "-", problem.what, problem.fix) for problem in plan.problems]
    print_table("Problems", ["Issue", "What", "Fix"], problems)
    print_line(_summary(plan, settings))


def _task_row(task: PlannedTask) -> tuple[str, ...]:
    files = [f"{touch.path} {touch.probability:.2f}" for touch in task.touches[:3]]
    more = [f"… {len(task.touches) - 3} more"] if len(task.touches) > 3 else []
    minutes = (f"{task.estimate.minutes_p50:g}", f"{task.estimate.minutes_p90:g}", task.estimate.source)
    return (f"#{task.issue}", task.kind.value, *minutes, ", ".join([*files, *more]) or "unknown", task.branch)


def _shown_edges(plan: Plan) -> list[Edge]:
    """Without dependencies that follow from others."""
    return [*shown_dependencies(plan), *(edge for edge in plan.edges if edge.between is not None)]


def _edge_row(edge: Edge) -> tuple[str, ...]:
    pair = f"#{edge.between[0]} ↔ #{edge.between[1]}" if edge.between else f"#{edge.before} → #{edge.after}"
    return (edge.kind, pair, f"{edge.probability:.2f}", edge.evidence, edge.why)


def _summary(plan: Plan, settings: RepositorySettings) -> str:
    schedule = plan.schedule
    if schedule.predicted_speedup is None:
        return "Nothing can be planned."
    parallel = " Conflicts run at once all the same (on_conflict: parallel)." if settings.on_conflict == "parallel" else ""
    waits = "".join(f" {line.replace('`', '')}." for line in waits_left_out(plan, settings))
    return (
        f"{len(plan.tasks)} tasks on {schedule.slots} slots: {schedule.makespan_minutes:g} min, one by one"
        f" {schedule.sequential_minutes:g} min ({schedule.predicted_speedup:.2f}x predicted); no order takes less than"
        f" {schedule.lower_bound_minutes:g} min ({schedule.binding_limit}).{parallel}{waits}"
    )
