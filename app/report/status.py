"""The same facts for programs: what `/status.json` serves and `shoal demo --json` prints, one definition for both sides."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.report.check_run import CheckText
from app.report.measures import measure
from app.report.view import OrchestrationStatus, OrchestrationView, TaskStatus, TaskView
from app.report.words import Conclusion
from shared.models import PhaseName, VerdictName


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GithubCalls(_Value):
    """Requests to GitHub that the app sent for this repository until this orchestration ended; runners' own are not among them."""

    rest: int
    graphql: int
    read: int
    write: int
    token: int


class OrchestrationNumbers(_Value):
    """Null is "not measured" or "not yet"; `speedup` only ever comes from a measured sequential run."""

    id: str
    conclusion: Conclusion | None
    wall_seconds: float | None
    attempt_seconds: float
    parallelism: float | None
    speedup: float | None
    overhead_seconds: float | None
    github_calls: GithubCalls | None = None


class PhaseState(_Value):
    """One phase as it ended."""

    name: PhaseName
    status: Literal["passed", "failed", "skipped"]
    seconds: float


class HeldState(_Value):
    """Work that waits to be published: its diff is at `/held/ATTEMPT.diff`."""

    attempt: str
    bytes: int
    files: int
    until: datetime


class TaskState(_Value):
    """One task; `verdict` is null until it has ended."""

    issue: int
    title: str
    status: TaskStatus
    phase: PhaseName | None
    verdict: VerdictName | None
    branch: str
    pull_request: int | None
    head_sha: str
    phases: tuple[PhaseState, ...]
    waiting_for: str = ""
    held: HeldState | None = None


class CheckState(_Value):
    """A check run as last rendered."""

    head_sha: str
    conclusion: Conclusion | None
    title: str


class OrchestrationState(_Value):
    """One orchestration with its tasks and checks."""

    status: OrchestrationStatus
    orchestration: OrchestrationNumbers
    tasks: tuple[TaskState, ...]
    check_runs: tuple[CheckState, ...]

    def counted(self, calls: object) -> "OrchestrationState":
        """The same with its requests to GitHub, as far as this process knows of them."""
        told = None if calls is None else GithubCalls.model_validate(calls, from_attributes=True)
        return self.model_copy(update={"orchestration": self.orchestration.model_copy(update={"github_calls": told})})


class RoomNow(_Value):
    """Slots as configured and as the pressure on this machine allows, with the reason; waiting tasks by the limit that binds."""

    slots: int
    allowed: int
    because: str = ""
    waiting: dict[str, int] = Field(default_factory=dict)


class Operation(_Value):
    """Whether the operator lets new work start, how many WorkflowManagers may still be at work, and what binds."""

    mode: Literal["running", "paused", "draining"]
    running: int
    room: RoomNow | None = None

    @property
    def drained(self) -> bool:
        """Nothing is left that anybody would have to wait for."""
        return self.mode == "draining" and self.running == 0


class AppStatus(_Value):
    """The body of `GET /status.json`."""

    operation: Operation = Operation(mode="running", running=0)
    # The circuit breaker towards GitHub: `closed` is well, `open` while GitHub is left alone after failures in a row.
    github: Literal["closed", "open", "half_open"] = "closed"
    orchestrations: tuple[OrchestrationState, ...]


def orchestration_state(view: OrchestrationView, whole: CheckText, checks: tuple[CheckState, ...]) -> OrchestrationState:
    """The state of one orchestration; `whole` is its check on the base commit, `checks` all that it wrote."""
    numbers = measure(view)
    return OrchestrationState(
        status=view.status,
        orchestration=OrchestrationNumbers(
            id=view.id,
            conclusion=whole.conclusion,
            wall_seconds=numbers.wall_seconds,
            attempt_seconds=numbers.attempt_seconds,
            parallelism=numbers.parallelism,
            speedup=numbers.speedup,
            overhead_seconds=numbers.overhead_seconds,
        ),
        tasks=tuple(_task_state(task) for task in view.sorted_tasks),
        check_runs=checks,
    )


def _task_state(task: TaskView) -> TaskState:
    held = task.held
    return TaskState(
        issue=task.issue,
        title=task.title,
        status=task.status,
        phase=task.phase,
        verdict=task.verdict.name if task.verdict else None,
        branch=task.branch,
        pull_request=task.pull_request,
        head_sha=task.head_sha,
        phases=tuple(PhaseState(name=phase.name, status=phase.status, seconds=phase.seconds) for phase in task.phases),
        waiting_for=task.waiting_for,
        held=HeldState(attempt=held.attempt, bytes=held.bytes, files=len(task.changes), until=held.until) if held else None,
    )
