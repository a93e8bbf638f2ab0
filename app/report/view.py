"""What the texts are made from: plain values that the app fills from its rows, so that every text is a pure function."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.models import FileChange, Finding, Kind, PhaseName, PhaseResult, Plan, Problem, TestRun, Usage, Verdict
from shared.repository_settings import RepositorySettings

TaskStatus = Literal["intake", "waiting", "running", "settling", "done"]
OrchestrationStatus = Literal["intake", "planning", "proposed", "running", "done"]


@dataclass(frozen=True, slots=True)
class Span:
    """One attempt from claim to end; `end` is None while it runs."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettingsMistake:
    """Where and how `.github/shoal.yml` is wrong; `message` names the fix."""

    line: int
    message: str


CiStatus = Literal["waiting", "green", "red", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class CiView:
    """The repository's own CI on the head: how it stands, and what is red with its address."""

    status: CiStatus
    red: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HeldView:
    """Finished work that is not on GitHub: whose bundle it is, its size, and until when it is kept."""

    attempt: str
    bytes: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One task as it stands; `waiting_for` is one line such as "#4 (depends on it)", "a free slot", "Start by a maintainer"."""

    issue: int
    title: str
    status: TaskStatus
    kind: Kind = Kind.FEATURE
    branch: str = ""
    verdict: Verdict | None = None
    waiting_for: str = ""
    waits_for_person: bool = False
    phase: PhaseName | None = None
    phases: tuple[PhaseResult, ...] = ()
    spans: tuple[Span, ...] = ()
    agent_seconds: float = 0
    # Of all attempts; where an attempt asked a model and nobody knows what that cost, `cost_unknown`.
    usage: Usage = field(default_factory=Usage)
    cost_unknown: bool = False
    pull_request: int | None = None
    pull_request_url: str = ""
    draft: bool = False
    head_sha: str = ""
    stacked_on: tuple[int, ...] = ()
    tests_before: TestRun | None = None
    tests_after: TestRun | None = None
    checks_before: tuple[TestRun, ...] = ()
    checks_after: tuple[TestRun, ...] = ()
    ci: CiView | None = None
    # False: GitHub says that the head conflicts with the default branch as it is now.
    mergeable: bool | None = None
    findings: tuple[Finding, ...] = ()
    review_answer: str = ""
    # What the attempt itself wants people to know, a line each.
    remarks: tuple[str, ...] = ()
    changes: tuple[FileChange, ...] = ()
    isolation: str = ""
    agent: str = ""
    # Set while it waits for a person to publish it.
    held: HeldView | None = None
    # What a person should know beside the verdict, such as a new label that started nothing.
    note: str = ""

    @property
    def attempt_seconds(self) -> float:
        """Time of all attempts that ended."""
        return sum((span.end - span.start).total_seconds() for span in self.spans if span.end is not None)

    @property
    def ended_at(self) -> datetime | None:
        """End of the last attempt of a task that is done."""
        ends = [span.end for span in self.spans if span.end is not None]
        return max(ends) if ends and self.status == "done" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestrationView:
    """One orchestration as it stands."""

    id: str
    repository_id: int
    repository: str
    status: OrchestrationStatus
    base_sha: str = ""
    tasks: tuple[TaskView, ...] = ()
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()
    settings_mistake: SettingsMistake | None = None
    # What became different since the plan, a line each with its time; the newest last.
    plan_changes: tuple[tuple[datetime, str], ...] = ()
    # What all its attempts may cost at most, as long as that is limited; None: not limited, or nothing is paid for.
    most_usd: float | None = None
    settings: RepositorySettings = field(default_factory=RepositorySettings)
    slots: int = 1
    planned_at: datetime | None = None
    # Spent or reserved, and what may be.
    counted_usd: float = 0
    budget_usd: float | None = None
    details_url: str = ""

    def task(self, issue: int) -> TaskView:
        """The task of that issue."""
        return next(task for task in self.tasks if task.issue == issue)

    @property
    def sorted_tasks(self) -> tuple[TaskView, ...]:
        """By issue number: every text shows the same order, whatever order the rows came in."""
        return tuple(sorted(self.tasks, key=lambda task: task.issue))
