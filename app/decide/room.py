"""The room that a repository's waiting tasks have now, resource by resource, and the words for the one that is short."""

from collections.abc import Collection, Mapping

from app.decide.context import Held, Reservation
from app.decide.draft import Draft
from app.decide.runners import free_runners, runners_words
from app.decide.state import Attempt, Lack, Task
from app.planning.capacity import API, CPU, MEMORY, PRESSURE, RESERVED, RUNNERS, SHARE, SLOTS, gigabytes, lacking
from app.planning.estimate import CPU_P90
from app.planning.fairness import Demand, fair_shares
from app.planning.room import Job

# Short of these a task waits for something that all repositories share.
OF_THE_POOL = (SLOTS, PRESSURE, SHARE, MEMORY, CPU, RESERVED)
# What a whole task creates on GitHub: comment, check, pull request, review, and one for what goes wrong.
_WRITES_OF_A_TASK = 5.0


def needs_of(draft: Draft, task: Task) -> dict[str, float]:
    """One of everything that is counted, and what it will probably use."""
    memory, cpu = expected_use(draft, task)
    return {SLOTS: 1.0, PRESSURE: 1.0, RUNNERS: 1.0, SHARE: 1.0, API: _WRITES_OF_A_TASK, MEMORY: memory, CPU: cpu}


def expected_use(draft: Draft, task: Task) -> tuple[float, float]:
    """Memory (MiB) and share of a core: the operator's figure, or what enough attempts of its kind have shown."""
    if task.estimate is None:
        return draft.context.policy.task_memory_mib, CPU_P90
    return task.estimate.memory_mib_p90, task.estimate.cpu_p90


def free_room(draft: Draft, ready: int) -> dict[str, float]:
    """What is left of each resource; `ready` of our tasks want some of it. The first one that is short is the one that is named."""
    context = draft.context
    held = _holding(draft)
    in_use = slots_in_use(draft)
    slots = context.policy.slots
    allowed = min(slots, context.pool.throttle.allowed) if context.pool.throttle else slots
    expected: list[Held | Attempt] = [*context.pool.held, *held]
    young = sum(one.memory_mib for one in expected if context.now - one.created_at < context.policy.memory_settles)
    room = {
        SLOTS: float(slots - in_use),
        PRESSURE: float(allowed - in_use),
        RUNNERS: free_runners(draft),
        SHARE: _share(draft, allowed, len(held), ready),
        API: context.writes_left - _WRITES_OF_A_TASK * len(held),
        MEMORY: context.machine.free_memory_mib - young,
        CPU: context.machine.cores - sum(one.cpu for one in expected),
    }
    if (reserved := reservation_of_others(draft)) is not None:
        room[MEMORY] -= reserved.memory_mib
        room[CPU] -= reserved.cpu
    return room


def slots_in_use(draft: Draft) -> int:
    """Over all repositories; of this one the draft knows better than the pool."""
    before = sum(attempt.holds_slot for attempt in draft.before.attempts.values())
    return draft.context.pool.slots_held - before + len(_holding(draft))


def overdue(draft: Draft, waiting: Collection[Task], urgency: Mapping[str, float]) -> list[str]:
    """Who has been ready for longer than patience allows, longest first.

    Counted in whole patiences: of a large batch that waits together the most urgent still go first.
    """
    now, patience = draft.context.now, draft.context.policy.patience
    waited = {task.issue: (now - task.ready_since) // patience for task in waiting if task.ready_since is not None}
    late = [issue for issue, periods in waited.items() if periods >= 1]
    return [str(issue) for issue in sorted(late, key=lambda issue: (-waited[issue], -urgency.get(str(issue), 0.0), issue))]


def reservation_of_others(draft: Draft) -> Reservation | None:
    """None also when one of our own has waited even longer: then it is the others who keep out of its way."""
    reserved = draft.context.pool.reserved
    since = [task.ready_since for task in draft.tasks.values() if task.ready_since is not None and task.limit in OF_THE_POOL]
    return None if reserved is None or (since and min(since) <= reserved.since) else reserved


def note_lacks(draft: Draft, jobs: Mapping[int, Job], room: Mapping[str, float]) -> None:
    """Every task that is ready and was not started says since when and for want of what; all others say nothing."""
    now = draft.context.now
    for task in list(draft.tasks.values()):
        if task.issue not in jobs:
            if task.limit or task.lack or task.ready_since:
                draft.change_task(task.issue, limit="", lack=None, ready_since=None)
            continue
        job = jobs[task.issue]
        limit = _limit_of(draft, job, room)
        since = task.ready_since or now
        if (task.limit, task.ready_since) != (limit, since):
            draft.change_task(task.issue, limit=limit, ready_since=since)
        _tell(draft, task, limit, _words(draft, limit, job.needs, room) if limit else "")


def _limit_of(draft: Draft, job: Job, room: Mapping[str, float]) -> str:
    """What is short; empty when only a conflict keeps it."""
    reserved = reservation_of_others(draft)
    kept = {MEMORY: reserved.memory_mib, CPU: reserved.cpu} if reserved else {}
    if short := lacking(job.needs, {name: left + kept.get(name, 0.0) for name, left in room.items()}):
        return short
    return "" if _is_excluded(draft, job) else RESERVED


def _tell(draft: Draft, task: Task, limit: str, words: str) -> None:
    """Not with every change of a figure, nor when limits take turns within a minute: each text is a write to GitHub."""
    now, told = draft.context.now, task.lack
    if told is not None and (told.limit == limit or now - told.since < draft.context.policy.memory_settles):
        return
    if words or told is not None:
        draft.change_task(task.issue, lack=Lack(limit=limit, words=words, since=now) if words else None)


def _is_excluded(draft: Draft, job: Job) -> bool:
    """By one that conflicts with it and is at work: that is told in other words."""
    return any(draft.tasks[int(name)].attempt for name in job.conflicts_with if int(name) in draft.tasks)


def _share(draft: Draft, allowed: int, held: int, ready: int) -> float:
    """How many more this repository may start while others wait too."""
    others = draft.context.pool.demands
    if not any(other.waiting for other in others):
        return float("inf")
    mine = [task.ready_since for task in draft.tasks.values() if task.ready_since is not None]
    since = min(mine, default=draft.context.now).timestamp()
    own = Demand(draft.repository.id, held, ready, since)
    return float(fair_shares(allowed, [*others, own])[own.repository_id] - held)


def _holding(draft: Draft) -> list[Attempt]:
    return [attempt for attempt in draft.attempts.values() if attempt.holds_slot]


def _words(draft: Draft, limit: str, needs: Mapping[str, float], room: Mapping[str, float]) -> str:
    context = draft.context
    slots, in_use, need, left = context.policy.slots, slots_in_use(draft), needs.get(limit, 0.0), max(0.0, room.get(limit, 0.0))
    if limit == MEMORY:
        return f"memory (needs {gigabytes(need)}, {gigabytes(left)} free)"
    if limit == CPU:
        return f"CPU time (needs {need:.2f} of a core, {left:.2f} of {context.machine.cores:g} left)"
    if limit == PRESSURE and context.pool.throttle is not None:
        throttle = context.pool.throttle
        because = throttle.because or "it is tried how many it bears"
        return f"less pressure on the machine ({because}: {throttle.allowed} at once instead of {slots})"
    if limit == SHARE:
        return "other repositories, which wait for the same slots and have fewer"
    if limit == RUNNERS:
        return runners_words(draft)
    if limit == API:
        return f"GitHub's limits (a task writes {need:g} times, {left:.0f} left for now)"
    if limit == RESERVED:
        return "another task, which has waited too long and for which the room is kept"
    return f"a free slot ({in_use} of {slots} in use)"
