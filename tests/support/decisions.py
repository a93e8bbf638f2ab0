"""A repository that only decides: events go in, time is set by hand, and what follows can be asked for."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.actions import AnyAction
from app.decide.budget import day_of
from app.decide.context import Context, Pool
from app.decide.decide import decide
from app.decide.draft import Decision
from app.decide.policy import Policy
from app.decide.state import Repository, State, Task
from app.events import (
    AnyEvent,
    AttemptClaimed,
    AttemptFinished,
    IssueRead,
    PermitRequested,
    PlanReady,
    PullRequestSeen,
    RemoteRead,
    Tick,
)
from app.planning.capacity import NO_LIMIT, Machine
from app.planning.estimate import History, Past
from app.planning.plan import make_plan
from app.planning.tree import Tree
from shared.github import issue_hash
from shared.messages import ClaimRequest
from shared.models import AttemptReport, IssueSnapshot, Verdict, VerdictName
from shared.repository_settings import RepositorySettings
from tests.support.protocol import NOW

POLICY = Policy(
    label="shoal",
    intake=timedelta(seconds=20),
    intake_max=timedelta(seconds=120),
    lease=timedelta(seconds=60),
    start_timeout=timedelta(seconds=60),
    not_begun="nobody began it",
    slots=4,
    task_memory_mib=1000,
)
PATHS = ("README.md", "src/auth.py", "src/billing.py", "docs/install.md")


@dataclass
class Desk:
    """One repository's decisions in a row."""

    policy: Policy = POLICY
    state: State = field(default_factory=lambda: State(Repository(id=1, full_name="acme/widgets", installation_id=9)))
    now: datetime = NOW
    machine: Machine = NO_LIMIT
    writes_left: float = float("inf")
    # What the other repositories do.
    pool: Pool = field(default_factory=Pool)
    # What attempts took here before.
    history: tuple[Past, ...] = ()
    actions: list[AnyAction] = field(default_factory=list)
    label_events: int = 0

    def tell(self, event: AnyEvent) -> str:
        """Decides; the refusal."""
        held = sum(attempt.holds_slot for attempt in self.state.attempts.values())
        spent = sum(attempt.counts_usd for attempt in self.state.attempts.values() if attempt.day == day_of(self.now))
        pool = replace(self.pool, slots_held=self.pool.slots_held + held, cost_today_usd=self.pool.cost_today_usd + spent)
        return self.decided(decide(self.state, event, Context(self.now, self.policy, pool, self.machine, self.writes_left)))

    def decided(self, decision: Decision) -> str:
        """Takes over what was decided."""
        self.state = decision.state
        self.actions += decision.actions  # type: ignore[arg-type]
        return decision.refusal

    def wait(self, seconds: float) -> None:
        """Time passes, and is noticed."""
        self.now += timedelta(seconds=seconds)
        self.tell(Tick(repository_id=self.state.repository.id))

    def issue(self, number: int, body: str = "It breaks.", title: str = "") -> IssueSnapshot:
        """An issue's text."""
        title = title or f"Issue {number}"
        return IssueSnapshot(number=number, title=title, body=body, labels=("shoal",), hash=issue_hash(title, body))

    def read(self, snapshot: IssueSnapshot, **changes: object) -> None:
        """GitHub says that a writer has just put the label on."""
        self.label_events += 1
        event = IssueRead(
            repository_id=self.state.repository.id,
            issue=snapshot.number,
            state="open",
            snapshot=snapshot,
            label="shoal",
            label_event=self.label_events,
            labelled_at=self.now,
            labeller="ann",
            permission="write",
        )
        self.tell(event.model_copy(update=changes))

    def plan(self, *snapshots: IssueSnapshot, settings: RepositorySettings | None = None) -> None:
        """Labels these issues, lets the intake close and answers with their plan."""
        for snapshot in snapshots:
            self.read(snapshot)
        self.wait(21)
        for orchestration in [o.id for o in self.state.orchestrations.values() if o.status == "planning"]:
            self._plan_one(orchestration, settings or RepositorySettings())

    def _plan_one(self, orchestration: str, settings: RepositorySettings) -> None:
        batch = [task for task in self.state.tasks.values() if (task.orchestration, task.status) == (orchestration, "intake")]
        snapshots = [task.snapshot for task in batch if task.snapshot is not None]
        plan = make_plan(
            snapshots,
            Tree(PATHS),
            slots=self.policy.slots,
            history=History(self.history, self.policy.task_memory_mib),
            on_conflict=settings.on_conflict,
        )
        self.tell(
            PlanReady(
                repository_id=self.state.repository.id,
                orchestration=orchestration,
                base_sha="base",
                default_branch="main",
                plan=plan,
                settings=settings,
                clone_url="http://x",
            )
        )

    def task(self, issue: int) -> Task:
        """The newest task of an issue."""
        return self.state.tasks[issue]

    @property
    def running(self) -> list[int]:
        """Issues with an attempt."""
        return sorted(issue for issue, task in self.state.tasks.items() if task.status == "running")

    def asked(self, kind: str) -> list[AnyAction]:
        """Actions of a kind, in their order."""
        return [action for action in self.actions if action.kind == kind]

    def claim(self, issue: int, nonce: str = "n") -> str:
        """A runner claims the issue's attempt."""
        claim = ClaimRequest(nonce=nonce, pid=1, pid_started=1, host="h")
        return self.tell(AttemptClaimed(repository_id=self.state.repository.id, attempt=self.task(issue).attempt, claim=claim))

    def finish(
        self,
        issue: int,
        verdict: VerdictName = VerdictName.SUCCEEDED,
        *,
        pull: int | None = None,
        retry_seconds: float | None = None,
        **said: Any,
    ) -> None:
        """An attempt goes its whole way: claim, permit, push, pull request, finish; or ends before that with another verdict."""
        attempt = self.task(issue).attempt
        words = Verdict(name=verdict, reason="because", retry_seconds=retry_seconds)
        report = AttemptReport(verdict=words, head_sha=f"head-{issue}", **said)
        if pull is None:
            self.claim(issue)
        else:
            self.publish(issue, report)
        self.tell(AttemptFinished(repository_id=self.state.repository.id, attempt=attempt, nonce="n", report=report))
        if pull is not None:
            self.settle(issue, attempt, pull)

    def publish(self, issue: int, report: AttemptReport | None = None) -> None:
        """Claim and permit: from here on the runner pushes."""
        attempt, head = self.task(issue).attempt, f"head-{issue}"
        self.claim(issue)
        good = AttemptReport(verdict=Verdict(name=VerdictName.SUCCEEDED, reason="because"), head_sha=head)
        asks = {"attempt": attempt, "nonce": "n", "sequence": 1, "head_sha": head}
        self.tell(PermitRequested(repository_id=self.state.repository.id, report=report or good, **asks))
        self.tell(self.remote(issue, attempt, 1))

    def settle(self, issue: int, attempt: str, pull: int) -> None:
        """GitHub is found to hold the attempt's branch and pull request."""
        head = f"head-{issue}"
        seen = PullRequestSeen(number=pull, state="open", merged=False, head_sha=head, ours=True, url="u")
        self.tell(replace_remote(self.remote(issue, attempt, None), branch_sha=head, landed=head, pulls=(seen,)))

    def remote(self, issue: int, attempt: str, sequence: int | None) -> RemoteRead:
        """GitHub before anything was pushed."""
        snapshot = self.task(issue).snapshot
        assert snapshot is not None
        return RemoteRead(
            repository_id=self.state.repository.id, attempt=attempt, sequence=sequence, branch_sha=None, issue_hash=snapshot.hash
        )


def replace_remote(event: RemoteRead, **changes: object) -> RemoteRead:
    """The same look at GitHub with other findings."""
    return event.model_copy(update=changes)
