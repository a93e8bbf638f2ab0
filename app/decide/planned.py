"""What a plan means for its tasks."""

from collections.abc import Iterator, Mapping

from app.actions import MakePlan
from app.decide.budget import cost_budget, reservation
from app.decide.draft import Draft
from app.decide.hold import ELSEWHERE
from app.decide.state import OrchestrationStatus, Task, TaskStatus
from app.events import EffectFailed, PlanFailed, PlanReady
from app.planning.conflicts import THRESHOLD, counting_conflicts, find_conflicts
from shared.models import Plan, PlannedTask, Problem, Touch, VerdictName
from shared.repository_settings import RepositorySettings


def plan_ready(draft: Draft, event: PlanReady) -> None:
    """Every issue of the batch is either waiting to run or named with the reason why not."""
    orchestration = draft.orchestrations.get(event.orchestration)
    if orchestration is None or orchestration.status is not OrchestrationStatus.PLANNING:
        return
    if orchestration.outdated:
        draft.change_orchestration(event.orchestration, outdated=False)
        draft.act(MakePlan(repository_id=event.repository_id, orchestration=event.orchestration))
        return
    if event.settings.publish == "hold" and not draft.context.policy.attended:
        refused = {"orchestration": event.orchestration, "base_sha": event.base_sha, "reason": ELSEWHERE}
        plan_failed(draft, PlanFailed(repository_id=event.repository_id, **refused))
        return
    settings = event.settings if draft.context.policy.attended else _without_waiting(event.settings)
    proposed = (settings.approval == "plan" or orchestration.needs_start) and bool(event.plan.tasks)
    draft.change_orchestration(
        event.orchestration,
        status=OrchestrationStatus.PROPOSED if proposed else OrchestrationStatus.RUNNING,
        # Waiting for a person is no part of the wall time.
        planned_at=None if proposed else draft.context.now,
        base_sha=event.base_sha,
        latest_sha=event.base_sha,
        default_branch=event.default_branch,
        clone_url=event.clone_url,
        plan=event.plan,
        settings=settings,
        budget_usd=cost_budget(draft.context.policy, settings),
        gather_seconds=event.gather_seconds,
        plan_seconds=event.plan_seconds,
    )
    planned = {task.issue: task for task in event.plan.tasks}
    touches = {task.issue: task.touches for task in _live_elsewhere(draft, event)}
    across = () if settings.on_conflict == "parallel" else tuple(_across(event, touches))
    draft.change_orchestration(event.orchestration, problems=(*event.plan.problems, *across))
    conflicts = counting_conflicts({**touches, **{task.issue: task.touches for task in event.plan.tasks}})
    labels = {label.lower() for label in (draft.context.policy.label, *settings.labels)}
    for task in _batch(draft, event.orchestration):
        if task.label and task.label.lower() not in labels:
            why = f"by the settings of {event.base_sha[:8]} `{task.label}` starts nothing"
            draft.conclude_as(task.issue, VerdictName.NOT_PLANNED, why)
        elif task.issue in planned:
            _wait(draft, event, planned[task.issue], conflicts[task.issue])
        else:
            _set_aside(draft, event.plan, task.issue)
    most = sum(reservation(draft, draft.tasks[issue]) for issue in planned if issue in draft.tasks)
    draft.change_orchestration(event.orchestration, most_usd=most or None)


def _without_waiting(settings: RepositorySettings) -> RepositorySettings:
    """Where nobody is there to press Start or to merge: the label is the approval, and later work starts from branches."""
    on_conflict = "stack" if settings.on_conflict == "after_merge" else settings.on_conflict
    return settings.model_copy(update={"approval": "label", "stack": True, "on_conflict": on_conflict})


def plan_failed(draft: Draft, event: PlanFailed) -> None:
    """Nothing runs; the whole batch says why."""
    orchestration = draft.orchestrations.get(event.orchestration)
    if orchestration is None or orchestration.status is not OrchestrationStatus.PLANNING:
        return
    draft.change_orchestration(
        event.orchestration,
        status=OrchestrationStatus.RUNNING,
        planned_at=draft.context.now,
        base_sha=event.base_sha,
        failure=event.reason,
        failure_line=event.line,
    )
    for task in _batch(draft, event.orchestration):
        draft.conclude_as(task.issue, VerdictName.NOT_PLANNED, event.reason)


def planning_failed(draft: Draft, event: EffectFailed) -> None:
    """The facts could not be had at all: as good as a plan that failed."""
    if event.action == "make_plan":
        plan_failed(draft, PlanFailed(repository_id=event.repository_id, orchestration=event.subject, reason=event.reason))


def _batch(draft: Draft, orchestration: str) -> list[Task]:
    return [task for task in draft.tasks.values() if task.orchestration == orchestration and task.status is TaskStatus.INTAKE]


def _wait(draft: Draft, event: PlanReady, planned: PlannedTask, conflicts: frozenset[int]) -> None:
    issue, task = planned.issue, draft.tasks[planned.issue]
    inside = {
        edge.before for edge in event.plan.edges if edge.kind == "dependency" and edge.after == issue and edge.before is not None
    }
    draft.change_task(
        issue,
        status=TaskStatus.WAITING,
        branch=task.branch or _branch(planned.branch, issue, task.generation),
        kind=planned.kind,
        touches=planned.touches,
        estimate=planned.estimate,
        after=tuple(sorted(inside | set(event.outside.get(issue, ())))),
        late_after=(),
        conflicts=tuple(sorted(conflicts)),
        # Fixed anew at the start of its next attempt, from what is verified by then.
        base_sha="",
        merge_shas=(),
        stacked_on=(),
    )


def _live_elsewhere(draft: Draft, event: PlanReady) -> list[Task]:
    """Conflicts hold across orchestrations: work that was planned earlier and is not merged yet."""
    ours = {task.issue for task in event.plan.tasks}
    return [task for task in draft.tasks.values() if task.branch and task.issue not in ours and task.in_the_way]


def _across(event: PlanReady, elsewhere: Mapping[int, tuple[Touch, ...]]) -> Iterator[Problem]:
    """The conflicts with work of earlier orchestrations, as remarks: the plan itself knows only its own batch."""
    planned = {task.issue: task.touches for task in event.plan.tasks}
    for edge in find_conflicts({**elsewhere, **planned}, lambda _one, _other: False).edges:
        ours, theirs = ([one for one in edge.between or () if (one in planned) is inside] for inside in (True, False))
        if edge.probability >= THRESHOLD and ours and theirs and theirs[0] not in event.outside.get(ours[0], ()):
            what = f"{edge.why}, and #{theirs[0]} was planned before: they do not run at the same time"
            yield Problem(issue=ours[0], what=f"{what} ({edge.evidence}, probability {edge.probability:.2f})")


def _branch(planned: str, issue: int, generation: int) -> str:
    """Generation 2 of `shoal/12-fix` is `shoal/12.2-fix`."""
    return planned if generation == 1 else planned.replace(f"/{issue}-", f"/{issue}.{generation}-", 1)


def _set_aside(draft: Draft, plan: Plan, issue: int) -> None:
    problem = next((p for p in plan.problems if p.issue == issue), None)
    parts = (problem.what, problem.fix) if problem else ("the plan does not contain this issue",)
    what = "; ".join(filter(None, parts))
    waits = problem is not None and (problem.blocked_by or problem.blocked_elsewhere) and issue not in _blockers_of(plan, issue)
    name = VerdictName.BLOCKED if waits else VerdictName.NOT_PLANNED
    draft.change_task(issue, after=problem.blocked_by if problem else ())
    draft.conclude_as(issue, name, what)


def _blockers_of(plan: Plan, issue: int) -> set[int]:
    """All that an issue waits for, directly or through others; in a circle that is the issue itself too."""
    direct = {problem.issue: problem.blocked_by for problem in plan.problems}
    found: set[int] = set()
    todo = list(direct.get(issue, ()))
    while todo:
        blocker = todo.pop()
        if blocker not in found:
            found.add(blocker)
            todo.extend(direct.get(blocker, ()))
    return found
