"""From rows to what the texts are made of. Pure; the rows are read in one snapshot."""

from sqlalchemy import Connection

from app.decide.merges import merges_awaited
from app.decide.operator_mode import OperatorMode
from app.decide.state import Attempt, AttemptStatus, Orchestration, OrchestrationStatus, Repository, Task, TaskStatus
from app.report.view import CiView, HeldView, OrchestrationView, SettingsMistake, Span, TaskView
from app.report.view import TaskStatus as ShownStatus
from app.store import operator, rows
from shared.models import PhaseName, Usage, VerdictName

_SHOWN: dict[TaskStatus, ShownStatus] = {
    TaskStatus.READING: "intake",
    TaskStatus.INTAKE: "intake",
    TaskStatus.WAITING: "waiting",
    TaskStatus.RUNNING: "running",
    TaskStatus.SETTLING: "settling",
    TaskStatus.DONE: "done",
    TaskStatus.REFUSED: "done",
}


_HALTED = {
    OperatorMode.PAUSED: "the operator, who has paused everything new",
    OperatorMode.DRAINING: "the operator, who lets everything end for maintenance",
}
_GONE = {
    "suspended": "the owner of the account to unsuspend the GitHub App (Settings, Applications)",
    "uninstalled": "somebody to install the GitHub App here again",
    "deleted": "this repository, which was deleted",
}
_TAKEN_OUT = "somebody to give the GitHub App this repository again (Settings, Applications, Repository access)"


def absence_of(repository: Repository | None) -> str:
    """Who or what is waited for while the App may not see it; empty while it may."""
    return _GONE.get(repository.gone_why, _TAKEN_OUT) if repository is not None and repository.gone else ""


def load_view(connection: Connection, orchestration_id: str, github_url: str) -> OrchestrationView | None:
    """An orchestration as it stands in this snapshot."""
    orchestration = rows.load_orchestration(connection, orchestration_id)
    if orchestration is None:
        return None
    repository = rows.load_repository(connection, orchestration.repository_id)
    name = repository.full_name if repository else ""
    tasks, mode = rows.tasks_of(connection, orchestration_id), operator.mode(connection)
    found = rows.attempts_of(connection, orchestration_id)
    attempts: dict[int, list[Attempt]] = {}
    for attempt in found:
        attempts.setdefault(attempt.issue, []).append(attempt)
    states = {task.issue: task for task in tasks}
    mistake, absence = orchestration.failure_line, absence_of(repository)
    return OrchestrationView(
        id=orchestration.id,
        repository_id=orchestration.repository_id,
        repository=name,
        status=orchestration.status.value,
        base_sha=orchestration.base_sha,
        tasks=tuple(
            _task(orchestration, task, sorted(attempts.get(task.issue, []), key=lambda a: a.number), states, mode, absence)
            for task in tasks
        ),
        plan=orchestration.plan,
        problems=orchestration.problems,
        settings_mistake=SettingsMistake(mistake, orchestration.failure) if mistake is not None else None,
        plan_changes=tuple((change.at, change.what) for change in orchestration.changes),
        most_usd=orchestration.most_usd,
        settings=orchestration.settings,
        slots=max(1, orchestration.slots),
        planned_at=orchestration.planned_at,
        counted_usd=orchestration.spent_usd + sum(a.counts_usd for a in found if a.status is not AttemptStatus.ENDED),
        budget_usd=orchestration.budget_usd,
        details_url=details_url(github_url, name, orchestration),
    )


def details_url(github_url: str, repository: str, orchestration: Orchestration) -> str:
    """Where the whole is told: the commit it was planned on, which carries its check run; empty before the plan."""
    return f"{github_url}/{repository}/commit/{orchestration.base_sha}" if orchestration.base_sha else ""


def _task(
    orchestration: Orchestration, task: Task, attempts: list[Attempt], states: dict[int, Task], mode: OperatorMode, absence: str
) -> TaskView:
    last = attempts[-1] if attempts else None
    report = (last.report if last else None) or (task.published.report if task.published else None)
    return TaskView(
        issue=task.issue,
        title=task.snapshot.title if task.snapshot else f"issue {task.issue}",
        status=_SHOWN[task.status],
        kind=task.kind,
        branch=task.branch,
        verdict=task.verdict,
        # Who is at work goes on, and waits at the end like everybody else.
        waiting_for=(task.live and absence) or _waiting_for(orchestration, task, states, mode),
        waits_for_person=_waits_for_person(orchestration, task, states),
        phase=_phase(task, last),
        phases=last.phases if last else (),
        # A follow-up and what a person lets out come hours later: they are no part of how long it took.
        spans=tuple(
            Span(a.claimed_at, a.ended_at) for a in attempts if a.claimed_at is not None and not (a.follow_up or a.releases)
        ),
        agent_seconds=sum(a.report.agent_seconds for a in attempts if a.report),
        usage=_total([a.report.usage for a in attempts if a.report]),
        cost_unknown=any(_cost_unknown(a) for a in attempts),
        pull_request=task.pull_request,
        pull_request_url=task.pull_request_url,
        draft=report.draft if report else False,
        head_sha=task.head_sha,
        stacked_on=task.stacked_on,
        tests_before=report.tests_before if report else None,
        tests_after=report.tests_after if report else None,
        checks_before=report.checks_before if report else (),
        checks_after=report.checks_after if report else (),
        ci=CiView(task.ci.status, tuple((red.name, red.url) for red in task.ci.failures)) if task.ci else None,
        mergeable=task.mergeable,
        findings=report.findings if report else (),
        review_answer=report.review_answer if report else "",
        remarks=report.notes if report else (),
        changes=report.changes if report else (),
        isolation=report.isolation if report else "",
        agent=report.agent if report else "",
        held=_held(task),
        note=task.note,
    )


def _held(task: Task) -> HeldView | None:
    kept = task.on_hold if task.waits_to_be_published else None
    return HeldView(kept.attempt, kept.work.bytes, kept.until) if kept else None


def _total(parts: list[Usage]) -> Usage:
    """The sum; a cost where at least one is known."""
    costs = [part.cost_usd for part in parts if part.cost_usd is not None]
    return Usage(
        turns=sum(part.turns for part in parts),
        input_tokens=sum(part.input_tokens for part in parts),
        cached_tokens=sum(part.cached_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
        cost_usd=sum(costs) if costs else None,
        network_bytes=sum(part.network_bytes for part in parts),
    )


def _cost_unknown(attempt: Attempt) -> bool:
    """A model was asked, or may have been by a runner that vanished, and no price is known."""
    if attempt.report is None:
        return attempt.status is AttemptStatus.ENDED and bool(attempt.settled_usd)
    usage = attempt.report.usage
    return usage.cost_usd is None and bool(usage.turns or usage.input_tokens or usage.output_tokens)


def _phase(task: Task, last: Attempt | None) -> PhaseName | None:
    """One that takes over published work has only its review to do, from the first moment."""
    if last is None or last.status not in {AttemptStatus.STARTING, AttemptStatus.CLAIMED}:
        return None
    return PhaseName.REVIEW if task.published else last.phase


def _waits_for_person(orchestration: Orchestration, task: Task, states: dict[int, Task]) -> bool:
    if task.verdict is not None:
        return task.verdict.name in {VerdictName.EDITED_AFTER_APPROVAL, VerdictName.HELD}
    proposed = orchestration.status is OrchestrationStatus.PROPOSED
    return task.status is TaskStatus.WAITING and (proposed or bool(merges_awaited(task, orchestration.settings, states)))


def _waiting_for(orchestration: Orchestration, task: Task, states: dict[int, Task], mode: OperatorMode) -> str:
    if task.status is not TaskStatus.WAITING:
        return ""
    if orchestration.status is OrchestrationStatus.PROPOSED:
        return "somebody with write access to press Start plan"
    if merges := merges_awaited(task, orchestration.settings, states):
        return ", ".join(f"the merge of #{issue}" for issue in merges)
    unfinished = [issue for issue in task.after if issue in states and not (states[issue].verified or states[issue].merged)]
    if unfinished:
        return ", ".join(f"#{issue} (depends on it)" for issue in unfinished)
    busy = [i for i in task.conflicts if i in states and states[i].status in {TaskStatus.RUNNING, TaskStatus.SETTLING}]
    if busy and orchestration.settings.on_conflict == "stack":
        return ", ".join(f"#{issue} (likely touches the same place)" for issue in busy)
    if task.held_by:
        return task.held_by
    if mode is not OperatorMode.RUNNING:
        return _HALTED[mode]
    if task.lack is not None:
        return task.lack.words
    if any(state.waits_for_provider for state in states.values()):
        return "the model provider"
    if task.published is not None:
        return "another runner, to do its review"
    return "a free slot"
