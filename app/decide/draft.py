"""A decision while it is being made: the state with its changes, and the actions asked for."""

from dataclasses import dataclass, field
from typing import Any

from app.actions import Action, DropHeld
from app.decide.context import Context
from app.decide.state import Attempt, Orchestration, Repository, State, Task, TaskStatus
from shared.models import Verdict, VerdictName


@dataclass(frozen=True)
class Decision:
    """New state, the rows that changed, what is to be done, and a refusal for the one who asked (empty: none)."""

    state: State
    repository_changed: bool
    orchestrations: tuple[Orchestration, ...]
    tasks: tuple[Task, ...]
    attempts: tuple[Attempt, ...]
    actions: tuple[Action, ...]
    refusal: str


@dataclass
class Draft:
    """Starts as a state and collects changes; never changes the state it was made from."""

    before: State
    context: Context
    repository: Repository = field(init=False)
    orchestrations: dict[str, Orchestration] = field(init=False)
    tasks: dict[int, Task] = field(init=False)
    attempts: dict[str, Attempt] = field(init=False)
    actions: list[Action] = field(default_factory=list)
    refusal: str = ""

    def __post_init__(self) -> None:
        self.repository = self.before.repository
        self.orchestrations = dict(self.before.orchestrations)
        self.tasks = dict(self.before.tasks)
        self.attempts = dict(self.before.attempts)

    def act(self, action: Action) -> None:
        """Asks for an action; the same one twice in a decision is one."""
        if action not in self.actions:
            self.actions.append(action)

    def change_task(self, issue: int, **changes: Any) -> Task:
        """The task with `changes`."""
        self.tasks[issue] = self.tasks[issue].model_copy(update=changes)
        return self.tasks[issue]

    def change_attempt(self, attempt: str, **changes: Any) -> Attempt:
        """The attempt with `changes`."""
        self.attempts[attempt] = self.attempts[attempt].model_copy(update=changes)
        return self.attempts[attempt]

    def change_orchestration(self, orchestration: str, **changes: Any) -> Orchestration:
        """The orchestration with `changes`."""
        self.orchestrations[orchestration] = self.orchestrations[orchestration].model_copy(update=changes)
        return self.orchestrations[orchestration]

    def conclude(self, issue: int, verdict: Verdict, **changes: Any) -> Task:
        """Ends a task with what the evidence says; of a follow-up that left nothing on the branch only a note stays."""
        task = self.tasks[issue]
        if verdict.name is VerdictName.HELD:  # nothing is over: what was added to still stands, and waits with it
            return self.change_task(
                issue, status=TaskStatus.DONE, verdict=verdict, ended_at=self.context.now, attempt="", **changes
            )
        if task.follow_up is not None and task.standing is not None and task.head_sha == task.follow_up.head_sha:
            what = "mending the red CI" if task.follow_up.source == "ci" else f"what {task.follow_up.asked_by} asked for"
            changes["note"] = f"{what} ended as: {verdict.name.replace('_', ' ')} ({verdict.reason})"
            verdict = task.standing
        self.drop_held(task)
        changes = {**changes, "follow_up": None, "standing": None, "on_hold": None, "released_by": ""}
        return self.change_task(issue, status=TaskStatus.DONE, verdict=verdict, ended_at=self.context.now, attempt="", **changes)

    def drop_held(self, task: Task) -> None:
        """What waited to be published is published, or never will be."""
        if task.on_hold is not None:
            self.act(DropHeld(repository_id=task.repository_id, attempt=task.on_hold.attempt, place=task.on_hold.host))

    def conclude_as(self, issue: int, name: VerdictName, reason: str) -> Task:
        """Ends a task with a verdict that has no output to show."""
        return self.conclude(issue, Verdict(name=name, reason=reason))

    def decision(self) -> Decision:
        """What came of it."""
        return Decision(
            state=State(self.repository, self.orchestrations, self.tasks, self.attempts),
            repository_changed=self.repository != self.before.repository,
            orchestrations=tuple(row for key, row in self.orchestrations.items() if self.before.orchestrations.get(key) is not row),
            tasks=tuple(row for key, row in self.tasks.items() if self.before.tasks.get(key) is not row),
            attempts=tuple(row for key, row in self.attempts.items() if self.before.attempts.get(key) is not row),
            actions=tuple(self.actions),
            refusal=self.refusal,
        )
