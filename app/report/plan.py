"""A plan as Markdown: what runs when and why, what it will take, what it may cost; the same in check runs and on the terminal."""

from collections.abc import Sequence

from app.planning.conflicts import THRESHOLD
from app.planning.graph import reduced
from app.report.markdown import code, plain, table
from app.report.words import counted
from shared.models import Edge, Plan, PlannedTask
from shared.repository_settings import RepositorySettings

_EMPTY = "–"
# GitHub draws larger graphs too, but nobody reads them.
_DRAWN = 40
_USUAL = RepositorySettings()
_AT_ONCE = {
    "stack": "not at the same time",
    "parallel": "at the same time all the same (`on_conflict: parallel`)",
    "after_merge": "not at the same time, and the later one waits until the other's pull request is merged or closed",
}


def plan_markdown(plan: Plan, most_usd: float | None = None, settings: RepositorySettings = _USUAL) -> str:
    """`most_usd`: what all its attempts may cost together, None where that is not limited or nothing is paid for.

    `settings`: the repository's, which say what follows from a conflict and from a dependency.
    """
    if not plan.tasks:
        return "No task could be planned."
    parts = [_outlook(plan, most_usd, settings), _order(plan, settings), _graph(plan), _tasks(plan)]
    return "\n\n".join(part for part in parts if part)


def peak_memory_mib(plan: Plan) -> float:
    """The most that the tasks running at one time need by P90, if everything goes as predicted."""
    needs = {task.issue: task.estimate.memory_mib_p90 for task in plan.tasks}
    starts = plan.schedule.starts
    at_once = [
        sum(needs[other.issue] for other in starts if other.start_minutes <= one.start_minutes < other.finish_minutes)
        for one in starts
    ]
    return max(at_once, default=0.0)


def waits_left_out(plan: Plan, settings: RepositorySettings) -> list[str]:
    """What the predicted minutes do not hold: nobody knows when people will merge."""
    depend = any(edge.before is not None for edge in plan.edges) and not settings.stack
    conflict = any(edge.between and edge.probability >= THRESHOLD for edge in plan.edges) and settings.on_conflict == "after_merge"
    causes = [*["`stack: false`"] * depend, *["`on_conflict: after_merge`"] * conflict]
    return (
        [f"Not in these minutes: the wait until people have merged or closed pull requests ({', '.join(causes)})"] if causes else []
    )


def shown_dependencies(plan: Plan) -> list[Edge]:
    """Without those that follow from others."""
    edges = [edge for edge in plan.edges if edge.before is not None and edge.after is not None]
    after: dict[int, list[int]] = {task.issue: [] for task in plan.tasks}
    for edge in edges:
        if edge.after is not None and edge.before is not None:
            after.setdefault(edge.after, []).append(edge.before)
    kept = reduced(after)
    return [edge for edge in edges if edge.before in kept.get(edge.after or 0, ())]


def _outlook(plan: Plan, most_usd: float | None, settings: RepositorySettings) -> str:
    schedule = plan.schedule
    faster = f", {schedule.predicted_speedup:.2f} times as fast as one at a time" if schedule.predicted_speedup else ""
    facts = (
        f"Predicted: {schedule.makespan_minutes:.0f} min with {counted(schedule.slots, 'slot')}{faster}",
        f"One at a time: {schedule.sequential_minutes:.0f} min; no order takes less than {schedule.lower_bound_minutes:.0f} min",
        f"What binds: {plain(schedule.binding_limit)}",
        f"Peak memory: {peak_memory_mib(plan):,.0f} MiB (P90)",
        f"Cost: {_cost(plan, most_usd)}",
        *waits_left_out(plan, settings),
    )
    return "\n".join(f"- {fact}" for fact in facts)


def _cost(plan: Plan, most_usd: float | None) -> str:
    """One attempt for each task; what the budget ends is not predicted beyond it."""
    limit = "not limited, or nothing is paid for" if most_usd is None else f"at most ${most_usd:.2f} by the budget"
    known = [task.estimate.costs_known for task in plan.tasks if task.estimate.costs_known]
    if not known:
        return f"not known yet; {limit}"
    usual, high = (
        sum(task.estimate.cost_usd_p50 or 0 for task in plan.tasks),
        sum(task.estimate.cost_usd_p90 or 0 for task in plan.tasks),
    )
    if most_usd is not None:
        usual, high = min(usual, most_usd), min(high, most_usd)
    return f"about ${usual:.2f} to ${high:.2f} (P50 to P90 of {counted(max(known), 'attempt')} here), {limit}"


def _order(plan: Plan, settings: RepositorySettings) -> str:
    conflicts = [edge for edge in plan.edges if edge.between is not None]
    merged = "" if settings.stack else " is merged"
    hard = [edge for edge in conflicts if edge.probability >= THRESHOLD]
    watched = [edge for edge in conflicts if edge.probability < THRESHOLD]
    lines = [f"- #{edge.after} after #{edge.before}{merged}: {_why(edge)}" for edge in shown_dependencies(plan)]
    lines += [f"- {_pair(edge)} {_AT_ONCE[settings.on_conflict]}: {_why(edge)}" for edge in hard]
    if not shown_dependencies(plan) and (settings.on_conflict == "parallel" or not hard):
        lines = ["No task waits for another.", *lines]
    lines += [f"- {_pair(edge)} run side by side and are watched: {_why(edge)}" for edge in watched[:20]]
    return "\n".join(lines)


def _graph(plan: Plan) -> str:
    """Numbers and kinds only: a title is somebody's text, and this is a language of its own."""
    if len(plan.tasks) > _DRAWN:
        return ""
    nodes = [f'  t{task.issue}["#{task.issue} {task.kind} {task.estimate.minutes_p50:.0f} min"]' for task in _sorted(plan.tasks)]
    arrows = [f"  t{edge.before} --> t{edge.after}" for edge in shown_dependencies(plan)]
    arrows += [
        f'  t{edge.between[0]} -. "{edge.probability:.2f}" .- t{edge.between[1]}'
        for edge in plan.edges
        if edge.between is not None and edge.probability >= THRESHOLD
    ]
    return "\n".join(["```mermaid", "graph LR", *nodes, *arrows, "```"])


def _tasks(plan: Plan) -> str:
    starts = {start.issue: start for start in plan.schedule.starts}
    rows = [
        (
            f"#{task.issue}",
            task.kind.value,
            f"{task.estimate.minutes_p50:.0f} / {task.estimate.minutes_p90:.0f}",
            f"{starts[task.issue].start_minutes:.0f}" if task.issue in starts else _EMPTY,
            plain(task.estimate.source),
            ", ".join(f"{code(touch.path[:120])} ({touch.probability:.2f})" for touch in task.touches[:4]) or _EMPTY,
        )
        for task in _sorted(plan.tasks)
    ]
    return table(("Issue", "Kind", "Minutes P50 / P90", "Starts at minute", "From", "Will probably touch"), rows)


def _sorted(tasks: Sequence[PlannedTask]) -> list[PlannedTask]:
    return sorted(tasks, key=lambda task: task.issue)


def _pair(edge: Edge) -> str:
    return f"#{edge.between[0]} and #{edge.between[1]}" if edge.between else ""


def _why(edge: Edge) -> str:
    return f"{plain(edge.why)} ({plain(edge.evidence)}, probability {edge.probability:.2f})"
