"""Which waiting tasks start now, and from which commit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

from app.actions import StartAttempt
from app.decide.budget import day_of, hold_or_end, reservation, shortage, tokens_reserved
from app.decide.draft import Draft
from app.decide.merges import merges_awaited
from app.decide.operator_mode import OperatorMode
from app.decide.pause import held_back, must_probe, waiting_for_provider
from app.decide.room import expected_use, free_room, needs_of, note_lacks, overdue, reservation_of_others, slots_in_use
from app.decide.runners import ask_for_runners
from app.decide.state import Attempt, Orchestration, OrchestrationStatus, Task, TaskStatus
from app.planning.capacity import API, CPU, MEMORY
from app.planning.room import Job
from app.planning.schedule import choose, priorities
from shared.models import VerdictName


def start_ready(draft: Draft) -> None:
    """Blocks what can never start, then fills the room there is; work-conserving, critical path first."""
    if not draft.repository.gone:
        block_followers(draft)
        hold_or_end(draft)
    waiting = {task.issue: task for task in draft.tasks.values() if _may_start(draft, task)}
    if held_back(draft):  # who only publishes asks no model
        waiting = {issue: task for issue, task in waiting.items() if task.on_hold is not None}
    stopped = draft.repository.gone or draft.context.pool.mode is not OperatorMode.RUNNING
    if not waiting or stopped:
        note_lacks(draft, {}, {})
        return
    active = [task for task in draft.tasks.values() if task.status in {TaskStatus.RUNNING, TaskStatus.SETTLING}]
    jobs = {task.issue: _job(draft, task) for task in [*waiting.values(), *active]}
    finished = {str(task.issue) for task in draft.tasks.values() if task.verified or task.merged}
    ready = {issue: jobs[issue] for issue in waiting if jobs[issue].after <= finished}
    if ready:
        ask_for_runners(draft)
    chosen = _chosen(draft, list(ready.values()), [jobs[task.issue] for task in active], priorities(list(jobs.values())))
    alone = must_probe(draft)
    released = [issue for issue in chosen if draft.tasks[int(issue)].on_hold is not None]
    others = [issue for issue in chosen if issue not in released]
    for issue in [*released, *(_first(draft, others) if alone else others)]:
        if shortage(draft, draft.tasks[int(issue)]) is None:
            _start(draft, draft.tasks[int(issue)], probe=alone and issue not in released)
    hold_or_end(draft)
    left = {issue: job for issue, job in ready.items() if not alone and _may_start(draft, draft.tasks[issue])}
    note_lacks(draft, left, free_room(draft, len(left)))


def _chosen(draft: Draft, ready: list[Job], active: list[Job], urgency: Mapping[str, float]) -> list[str]:
    """What fits; an idle machine always takes one, however small it is: waiting would not make it larger."""
    waiting = [replace(job, after=frozenset()) for job in ready]
    # What runs is in the room already: here it counts only for the conflicts.
    running = [replace(job, needs={}) for job in active]
    late = overdue(draft, [draft.tasks[int(job.id)] for job in ready], urgency)
    room = free_room(draft, len(ready))
    chosen = choose(waiting, running, (), room, urgency, late)
    if chosen or slots_in_use(draft) or reservation_of_others(draft) is not None:
        return chosen
    return choose(waiting, running, (), {**room, API: inf, MEMORY: inf, CPU: inf}, urgency, late)[:1]


def _may_start(draft: Draft, task: Task) -> bool:
    """Nothing is spent on a plan that still waits for a person."""
    proposed = draft.orchestrations[task.orchestration].status is OrchestrationStatus.PROPOSED if task.orchestration else False
    return task.status is TaskStatus.WAITING and not task.held_by and not proposed


def _first(draft: Draft, chosen: list[str]) -> list[str]:
    """Who asks the provider again: one that it refused, if one can start."""
    refused = [str(task.issue) for task in waiting_for_provider(draft) if str(task.issue) in chosen]
    return (refused or chosen)[:1]


def _job(draft: Draft, task: Task) -> Job:
    after = frozenset(str(issue) for issue in task.after if issue in draft.tasks)
    if task.orchestration in draft.orchestrations:
        settings = draft.orchestrations[task.orchestration].settings
        after |= {f"merge of #{issue}" for issue in merges_awaited(task, settings, draft.tasks)}
    minutes = task.estimate.minutes_p50 if task.estimate else 1.0
    conflicts = () if _settings_parallel(draft, task) else task.conflicts
    return Job(str(task.issue), minutes, needs_of(draft, task), after, frozenset(str(issue) for issue in conflicts))


def _settings_parallel(draft: Draft, task: Task) -> bool:
    return draft.orchestrations[task.orchestration].settings.on_conflict == "parallel"


def block_followers(draft: Draft) -> None:
    """A failed predecessor blocks its dependents, and theirs: repeated until nothing changes."""
    changed = True
    while changed:
        changed = False
        for task in list(draft.tasks.values()):
            failed = next((other for other in _predecessors(draft, task) if _failed(other)), None)
            if task.status is TaskStatus.WAITING and failed is not None and failed.verdict is not None:
                ended = "its pull request was closed" if failed.verified else failed.verdict.name.replace("_", " ")
                draft.conclude_as(task.issue, VerdictName.BLOCKED, f"#{failed.issue} must be done first, and it ended as: {ended}")
                changed = True


def _predecessors(draft: Draft, task: Task) -> list[Task]:
    return [draft.tasks[issue] for issue in task.after if issue in draft.tasks]


def _failed(task: Task) -> bool:
    """Nothing can be built on it: it ended badly, or a person closed its pull request."""
    return not task.open and not task.merged and (not task.verified or task.pull_request_state == "closed")


def _start(draft: Draft, task: Task, *, probe: bool) -> None:
    now, policy = draft.context.now, draft.context.policy
    number = task.attempts + 1
    memory, cpu = expected_use(draft, task)
    base = base_of(draft, task) if not task.base_sha else Base(task.base_sha, task.merge_shas, task.stacked_on)
    if task.follow_up is not None:
        base = Base(task.follow_up.head_sha, (), task.stacked_on)
    attempt = Attempt(
        id=f"{task.repository_id}-{task.issue}-{task.generation}-{number}",
        repository_id=task.repository_id,
        issue=task.issue,
        generation=task.generation,
        number=number,
        orchestration=task.orchestration,
        created_at=now,
        lease_until=now + policy.lease,
        memory_mib=memory,
        cpu=cpu,
        probe=probe,
        follow_up=task.follow_up is not None,
        releases=task.on_hold is not None,
        reserved_usd=reservation(draft, task),
        reserved_tokens=tokens_reserved(draft, task),
        day=day_of(draft.context.now),
    )
    draft.attempts[attempt.id] = attempt
    draft.change_task(
        task.issue,
        status=TaskStatus.RUNNING,
        attempt=attempt.id,
        attempts=number,
        not_before=None,
        base_sha=base.sha,
        merge_shas=base.merge_shas,
        stacked_on=base.stacked_on,
        started_at=task.started_at or now,
    )
    labels = draft.orchestrations[task.orchestration].settings.runner_labels
    draft.act(StartAttempt(repository_id=task.repository_id, attempt=attempt.id, labels=labels))


@dataclass(frozen=True)
class Base:
    """Where work starts: a commit, verified heads merged into it, and whose branches these are."""

    sha: str
    merge_shas: tuple[str, ...] = ()
    stacked_on: tuple[int, ...] = ()


def base_of(draft: Draft, task: Task) -> Base:
    """The verified branches of predecessors that are not merged yet; else the newest commit if one was merged, or the plan's."""
    orchestration = draft.orchestrations[task.orchestration]
    earlier = [draft.tasks[issue] for issue in (*task.after, *_earlier_conflicts(orchestration, task)) if issue in draft.tasks]
    open_ones = {t.issue: t for t in earlier if t.verified and t.pull_request_state == "open"}
    contained = {issue for t in open_ones.values() for issue in _stack_below(draft, t)}
    tops = sorted((t for t in open_ones.values() if t.issue not in contained), key=lambda t: t.issue)
    if not tops:
        merged = any(t.merged for t in earlier)
        return Base(orchestration.latest_sha if merged else planned_base(orchestration))
    return Base(tops[0].head_sha, tuple(t.head_sha for t in tops[1:]), tuple(t.issue for t in tops))


def planned_base(orchestration: Orchestration) -> str:
    """The commit that the whole plan starts from."""
    return orchestration.start_sha or orchestration.base_sha


def _earlier_conflicts(orchestration: Orchestration, task: Task) -> tuple[int, ...]:
    return () if orchestration.settings.on_conflict == "parallel" else task.conflicts


def _stack_below(draft: Draft, task: Task) -> set[int]:
    below: set[int] = set()
    todo = list(task.stacked_on)
    while todo:
        issue = todo.pop()
        if issue not in below and issue in draft.tasks:
            below.add(issue)
            todo.extend(draft.tasks[issue].stacked_on)
    return below
