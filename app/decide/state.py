"""The state that decisions are made on: rows as they lie in the database, frozen."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from app.decide.on_hold import OnHold
from app.decide.row import Row
from app.events import CiFailure
from shared.messages import FollowUp, Published
from shared.models import (
    AttemptReport,
    Estimate,
    IssueSnapshot,
    Kind,
    PhaseName,
    PhaseResult,
    Plan,
    Problem,
    Touch,
    Verdict,
    VerdictName,
)
from shared.repository_settings import RepositorySettings


class RunnersSeen(Row):
    """Runners that could take a job: `for_us` are idle or at work for us, all others are somebody else's; None: nobody may look."""

    at: datetime
    online: int | None
    for_us: int


class Repository(Row):
    """One repository; `orchestrations` counts those ever opened, `version` every change of its rows."""

    id: int
    full_name: str
    installation_id: int
    orchestrations: int = 0
    version: int = 0
    # Set while the App may not see it: nothing can be read or written, so nothing is started. Why, since when, what it was seen by.
    gone: bool = False
    gone_why: str = ""
    gone_since: datetime | None = None
    gone_from: int | None = None
    # Nothing can be written to it since then; everybody may read it.
    archived_since: datetime | None = None
    public: bool = False
    # Where runners are GitHub's: as last seen, and when somebody was sent to look.
    runners: RunnersSeen | None = None
    runners_asked_at: datetime | None = None
    # What its settings file names beside the operator's label, as last seen; the times of the refusals answered in the last hour.
    labels: tuple[str, ...] = ()
    refusals: tuple[datetime, ...] = ()


class OrchestrationStatus(StrEnum):
    """An orchestration takes labels, is planned, runs and ends; PROPOSED waits for a person to press Start."""

    INTAKE = "intake"
    PLANNING = "planning"
    PROPOSED = "proposed"
    RUNNING = "running"
    DONE = "done"


class PlanChange(Row):
    """One thing that is no longer as it was planned."""

    at: datetime
    what: str


class Orchestration(Row):
    """One intake window's issues, planned together."""

    id: str
    repository_id: int
    status: OrchestrationStatus = OrchestrationStatus.INTAKE
    created_at: datetime
    last_label_at: datetime
    planned_at: datetime | None = None
    ended_at: datetime | None = None
    base_sha: str = ""
    # The default branch's newest commit seen since planning: the base of work whose predecessor was merged meanwhile.
    latest_sha: str = ""
    # The one for which the planner was last asked to look again.
    looked_at_sha: str = ""
    # Where the work of a plan that waited for a person begins, if not on `base_sha`.
    start_sha: str = ""
    default_branch: str = ""
    clone_url: str = ""
    plan: Plan | None = None
    outdated: bool = False  # a blocker came or went while it was planned
    settings: RepositorySettings = RepositorySettings()
    # Its plan must be started by a person, whatever the settings say: a text was changed just before it was labelled.
    needs_start: bool = False
    problems: tuple[Problem, ...] = ()
    # What became different from the plan, and why; the newest last.
    changes: tuple[PlanChange, ...] = ()
    # Why nothing could be planned, and the line of the settings file when that is the reason.
    failure: str = ""
    failure_line: int | None = None
    slots: int = 0
    gather_seconds: float = 0
    plan_seconds: float = 0
    # Attempts that ran, in seconds: what `parallelism` is made of.
    attempt_seconds: float = 0
    # What its ended attempts cost, and what all of them may; tokens likewise, where the repository limits them.
    spent_usd: float = 0
    budget_usd: float | None = None
    spent_tokens: int = 0
    # What all its planned attempts may cost together; None: not limited, or nothing is paid for.
    most_usd: float | None = None


class TaskStatus(StrEnum):
    """REFUSED and DONE are ends; SETTLING waits for GitHub to say what became of an attempt's writes."""

    READING = "reading"
    REFUSED = "refused"
    INTAKE = "intake"
    WAITING = "waiting"
    RUNNING = "running"
    SETTLING = "settling"
    DONE = "done"


class Ci(Row):
    """What the repository's own CI, everything but our checks, says of one head.

    `unknown`: it did not end in time. `repairs` counts the attempts to mend that it has caused on this branch.
    """

    head_sha: str
    status: Literal["waiting", "green", "red", "none", "unknown"] = "waiting"
    since: datetime
    look_at: datetime
    failures: tuple[CiFailure, ...] = ()
    repairs: int = 0


class Lack(Row):
    """The limit that keeps a task from starting, in words with figures; they stand as they were when it became the limit."""

    limit: str
    words: str
    since: datetime


class Task(Row):
    """One issue, one branch, one pull request; `generation` grows when a person merged or closed the last one."""

    repository_id: int
    issue: int
    generation: int = 1
    status: TaskStatus = TaskStatus.READING
    orchestration: str = ""
    snapshot: IssueSnapshot | None = None
    # The approval: used once, so a label event that was seen starts nothing again.
    label_event: int | None = None
    label: str = ""
    labelled_at: datetime | None = None
    labeller: str = ""
    # Which refusals were answered already: each is, once.
    refused: tuple[str, ...] = ()
    approved_at: datetime | None = None
    # Fixed at first planning.
    branch: str = ""
    kind: Kind = Kind.FEATURE
    touches: tuple[Touch, ...] = ()
    estimate: Estimate | None = None
    after: tuple[int, ...] = ()
    # Those of `after` that were marked as blockers when the plan was made already.
    late_after: tuple[int, ...] = ()
    conflicts: tuple[int, ...] = ()
    base_sha: str = ""
    merge_shas: tuple[str, ...] = ()
    stacked_on: tuple[int, ...] = ()
    attempt: str = ""
    attempts: int = 0
    losses: int = 0
    # Every head that was permitted: what the branch may hold without a person having pushed.
    heads: tuple[str, ...] = ()
    head_sha: str = ""
    pull_request: int | None = None
    pull_request_url: str = ""
    pull_request_state: str = ""
    verdict: Verdict | None = None
    # How often in a row the model's provider refused, since when, and until when nothing is tried.
    pauses: int = 0
    paused_since: datetime | None = None
    not_before: datetime | None = None
    # The budget that another attempt does not fit into.
    held_by: str = ""
    # Since when nothing but room is missing, what of it is short now, and what people are told of that.
    ready_since: datetime | None = None
    limit: str = ""
    lack: Lack | None = None
    # What an attempt left on GitHub before it vanished: the next one only has its review to do.
    published: Published | None = None
    # Checked work that waits for a person to publish it, and who did; it is cleared when the task ends in any other way.
    on_hold: OnHold | None = None
    released_by: str = ""
    # More work that is wanted on the published branch, and the verdict that stands unless that work is published too.
    follow_up: FollowUp | None = None
    standing: Verdict | None = None
    # A person's commits are on the branch: only a follow-up, which builds on them, may write to it.
    shared_branch: bool = False
    ci: Ci | None = None
    # Whether GitHub can merge the head into the default branch as it is now; None: not known.
    mergeable: bool | None = None
    # What a person should know beside the verdict: a refusal, an edit, a new label that started nothing.
    note: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Work on it may still happen without a new approval."""
        return self.status not in {TaskStatus.REFUSED, TaskStatus.DONE}

    @property
    def waits_to_be_published(self) -> bool:
        """Its work is done and kept from GitHub until a person says so."""
        return self.on_hold is not None and not self.live

    @property
    def open(self) -> bool:
        """Something may still happen on its present approval: the issue's text must stay what was approved."""
        return self.live or self.on_hold is not None

    @property
    def verified(self) -> bool:
        """Ended well: others may build on its branch."""
        return self.status is TaskStatus.DONE and self.verdict is not None and self.verdict.name is VerdictName.SUCCEEDED

    @property
    def in_the_way(self) -> bool:
        """Its change is under way, or published and not merged yet: others may conflict with it."""
        return self.open or (self.verified and self.pull_request_state == "open")

    @property
    def waits_for_provider(self) -> bool:
        """Its last attempt was refused by the model's provider."""
        return self.status is TaskStatus.WAITING and self.not_before is not None

    @property
    def waits_for_ci(self) -> bool:
        """The repository's own CI has not ended yet."""
        return not self.live and self.ci is not None and self.ci.status == "waiting"

    @property
    def merged(self) -> bool:
        """Its pull request was merged: the default branch holds it."""
        return self.pull_request_state == "merged"


# What every new approval of a task, and every retry by a person, begins with.
AFRESH: dict[str, object] = {
    "losses": 0,
    "pauses": 0,
    "paused_since": None,
    "not_before": None,
    "published": None,
    "held_by": "",
    "on_hold": None,
    "released_by": "",
    "follow_up": None,
    "standing": None,
}


class AttemptStatus(StrEnum):
    """FINISHED and LOST are settled against GitHub; ENDED is over."""

    STARTING = "starting"
    CLAIMED = "claimed"
    FINISHED = "finished"
    LOST = "lost"
    ENDED = "ended"


class Permit(Row):
    """The right to write once; `reading` until GitHub was asked."""

    sequence: int
    head_sha: str
    status: str = "reading"
    expected_sha: str = ""
    refusal: Verdict | None = None


class Evidence(Row):
    """What an attempt said of a head when it got the right to push it."""

    head_sha: str
    report: AttemptReport


class Attempt(Row):
    """One try at a task; its id names repository, issue, generation and number, and is the fencing token."""

    id: str
    repository_id: int
    issue: int
    generation: int
    number: int
    orchestration: str
    status: AttemptStatus = AttemptStatus.STARTING
    created_at: datetime
    nonce: str = ""
    pid: int | None = None
    pid_started: float | None = None
    # The machine of that process.
    host: str = ""
    # Since when a runner has its job, and which one.
    taken_at: datetime | None = None
    taken_by: str = ""
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
    lease_until: datetime
    # Why the runner must stop, told at the next heartbeat; the verdict that the task gets then.
    stop: Verdict | None = None
    # No process of it lives any more, and whether that is proven (a killed tree) or hoped (a cancelled remote job).
    gone: bool = False
    gone_proven: bool = False
    gone_reason: str = ""
    phase: PhaseName | None = None
    progress: int = 0
    phases: tuple[PhaseResult, ...] = ()
    permit: Permit | None = None
    # Every head that it was permitted to push, oldest first: only GitHub can say what came of them.
    evidence: tuple[Evidence, ...] = ()
    # The newest of them that the branch was found to hold.
    landed: str = ""
    token_expires_at: datetime | None = None
    # The app processes that alone hold its write tokens in memory.
    token_holders: tuple[str, ...] = ()
    # What it handed over instead of publishing it.
    on_hold: OnHold | None = None
    revoke_asked: bool = False
    remote_asked: bool = False
    report: AttemptReport | None = None
    memory_mib: float = 0
    cpu: float = 0
    # Its work is added to a published branch; its time is no part of the orchestration's.
    follow_up: bool = False
    # It only publishes what an earlier one did: it teaches nothing about how long work takes.
    releases: bool = False
    # Started to see whether the model's provider answers again; nothing else is started meanwhile.
    probe: bool = False
    # Set aside at the start, of this day's (UTC) budget; what it counted with in the end.
    reserved_usd: float = 0
    day: str = ""
    settled_usd: float | None = None
    reserved_tokens: int = 0
    settled_tokens: int | None = None

    @property
    def counts_usd(self) -> float:
        """Against the budgets."""
        return self.reserved_usd if self.settled_usd is None else self.settled_usd

    @property
    def counts_tokens(self) -> int:
        """Likewise."""
        return self.reserved_tokens if self.settled_tokens is None else self.settled_tokens

    def said_of(self, head_sha: str) -> AttemptReport | None:
        """The evidence for a head; that of another one says nothing about it."""
        return next((one.report for one in self.evidence if one.head_sha == head_sha), None)

    @property
    def holds_slot(self) -> bool:
        """Its process may be alive. A finished runner is about to exit by itself and no longer needs its slot."""
        return self.status in {AttemptStatus.STARTING, AttemptStatus.CLAIMED} or (
            self.status is AttemptStatus.LOST and not self.gone
        )

    @property
    def seconds(self) -> float:
        """How long it was worked on."""
        if self.claimed_at is None or self.ended_at is None:
            return 0.0
        return max(0.0, (self.ended_at - self.claimed_at).total_seconds())


@dataclass(frozen=True)
class State:
    """One repository: its latest task per issue, its orchestrations and its attempts that are not over."""

    repository: Repository
    orchestrations: dict[str, Orchestration] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
