"""The closed set of things that can happen: webhooks, runners, facts and timers all speak in these."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from app.events_of_github import (
    BaseMoved,
    BlockersRead,
    BlockersTouched,
    ButtonPressed,
    CheckFoundOpen,
    ChecksRead,
    ChecksTouched,
    CiFailure,
    CommandGiven,
    CommandRead,
    Event,
    IssueLabelled,
    IssueRead,
    IssueTouched,
    LabelsSeen,
    PresserKnown,
    PullRequestChanged,
    RepositoryBack,
    RepositoryChanged,
    RepositoryGone,
    RepositoryRef,
)
from shared.messages import ClaimRequest, Heartbeat, HeldWork
from shared.models import AttemptReport, PhaseResult, Plan, Wire
from shared.repository_settings import RepositorySettings

__all__ = [
    "EVENTS",
    "AnyEvent",
    "AttemptClaimed",
    "AttemptFinished",
    "AttemptGone",
    "AttemptStarted",
    "BaseMoved",
    "BlockersRead",
    "BlockersTouched",
    "ButtonPressed",
    "CheckFoundOpen",
    "ChecksRead",
    "ChecksTouched",
    "CiFailure",
    "CommandGiven",
    "CommandRead",
    "EffectFailed",
    "Event",
    "HeartbeatReceived",
    "IssueLabelled",
    "IssueRead",
    "IssueTouched",
    "JobEnded",
    "JobTaken",
    "LabelsSeen",
    "PermitRequested",
    "PhaseReported",
    "PlanFailed",
    "PlanReady",
    "PlanRevised",
    "PresserKnown",
    "PullRequestChanged",
    "PullRequestOpened",
    "PullRequestSeen",
    "RemoteRead",
    "RepositoryBack",
    "RepositoryChanged",
    "RepositoryGone",
    "RepositoryRef",
    "RunnersRead",
    "Started",
    "Tick",
    "TokenMinted",
    "TokensRevoked",
    "WorkHandedOver",
    "WorkStopped",
]


class PlanReady(Event):
    """A batch was planned on `base_sha`; `outside` maps an issue to live tasks of other orchestrations it must follow."""

    kind: Literal["plan_ready"] = "plan_ready"
    orchestration: str
    base_sha: str
    default_branch: str
    plan: Plan
    settings: RepositorySettings
    outside: dict[int, tuple[int, ...]] = Field(default_factory=dict)
    clone_url: str
    gather_seconds: float = 0
    plan_seconds: float = 0


class PlanRevised(Event):
    """The same plan on a newer commit: what its waiting tasks will probably touch there, and the conflicts and course of that."""

    kind: Literal["plan_revised"] = "plan_revised"
    orchestration: str
    base_sha: str
    plan: Plan


class PlanFailed(Event):
    """Nothing of a batch can be planned: `reason` names what a person must mend, `line` a line of the settings file."""

    kind: Literal["plan_failed"] = "plan_failed"
    orchestration: str
    base_sha: str = ""
    reason: str
    line: int | None = None


class AttemptStarted(Event):
    """A backend started a WorkflowManager: a process of `host`, or, empty, something that no app can see."""

    kind: Literal["attempt_started"] = "attempt_started"
    attempt: str
    pid: int
    pid_started: float
    host: str = ""


class AttemptClaimed(Event):
    """A runner asks to be the one that works on an attempt."""

    kind: Literal["attempt_claimed"] = "attempt_claimed"
    attempt: str
    claim: ClaimRequest


class HeartbeatReceived(Event):
    """A runner lives and holds its lease."""

    kind: Literal["heartbeat_received"] = "heartbeat_received"
    attempt: str
    heartbeat: Heartbeat


class PhaseReported(Event):
    """A runner finished a phase."""

    kind: Literal["phase_reported"] = "phase_reported"
    attempt: str
    nonce: str
    result: PhaseResult


class PermitRequested(Event):
    """A runner asks to write to GitHub once."""

    kind: Literal["permit_requested"] = "permit_requested"
    attempt: str
    nonce: str
    sequence: int
    head_sha: str
    report: AttemptReport


class WorkHandedOver(Event):
    """A runner gave the app what it may not publish yet; the files are on the disk of `host`, durable before this is said."""

    kind: Literal["work_handed_over"] = "work_handed_over"
    attempt: str
    nonce: str
    head_sha: str
    host: str = ""
    work: HeldWork


class TokenMinted(Event):
    """A write token exists for an attempt; stored before the token is handed out by the app process `holder`, which keeps it."""

    kind: Literal["token_minted"] = "token_minted"
    attempt: str
    sequence: int
    holder: str = ""
    expires_at: datetime


class AttemptFinished(Event):
    """A runner's last word."""

    kind: Literal["attempt_finished"] = "attempt_finished"
    attempt: str
    nonce: str
    report: AttemptReport
    # Every write token of it that would end by then is dead: by its runner's word, compared token by token.
    tokens_dead_until: datetime | None = None
    # Whoever ended it wants the task ended, and not tried again.
    job_cancelled: bool = False


class AttemptGone(Event):
    """A runner's process and its tree are dead, or were never started (`reason`); not `proven` where the backend can only hope.

    `pid` names the process that is meant, None for whatever there was.
    """

    kind: Literal["attempt_gone"] = "attempt_gone"
    attempt: str
    reason: str = ""
    pid: int | None = None
    proven: bool = True


class RunnersRead(Event):
    """Runners with the wanted labels that are online, and those of them that are idle; None: the App may not list them."""

    kind: Literal["runners_read"] = "runners_read"
    online: int | None
    idle: int = 0


class JobTaken(Event):
    """GitHub says that a runner took the job of a run of our workflow; its name, empty where that was not asked."""

    kind: Literal["job_taken"] = "job_taken"
    repository: RepositoryRef | None = None
    run_id: int
    runner: str = ""


class JobEnded(Event):
    """GitHub says that a run of our workflow is over; `conclusion` is GitHub's word for how."""

    kind: Literal["job_ended"] = "job_ended"
    repository: RepositoryRef | None = None
    run_id: int
    conclusion: str


class TokensRevoked(Event):
    """GitHub confirmed that no write token works any more that `holder` had handed to the attempt."""

    kind: Literal["tokens_revoked"] = "tokens_revoked"
    attempt: str
    holder: str = ""


class PullRequestSeen(Wire):
    """One pull request of a branch."""

    number: int
    state: Literal["open", "closed"]
    merged: bool
    head_sha: str
    ours: bool
    url: str


class RemoteRead(Event):
    """What GitHub holds for a task's branch: asked before a permit (`sequence`) or to settle an attempt (`sequence` None).

    `landed`: to settle, the newest head that the attempt was permitted, or took over, and that the branch holds.
    """

    kind: Literal["remote_read"] = "remote_read"
    attempt: str
    sequence: int | None
    branch_sha: str | None
    # The branch has no commit that the task's base has not: nothing is lost when it moves.
    branch_is_empty: bool = False
    landed: str = ""
    pulls: tuple[PullRequestSeen, ...] = ()
    issue_open: bool = True
    issue_hash: str = ""


class PullRequestOpened(Event):
    """The app opened or adopted the pull request of an attempt that could not do so itself."""

    kind: Literal["pull_request_opened"] = "pull_request_opened"
    attempt: str
    pull: PullRequestSeen


class ReportHeldBack(Event):
    """Not all of an orchestration's texts were written: some have no news and were written a moment ago."""

    kind: Literal["report_held_back"] = "report_held_back"
    orchestration: str
    until: datetime


class EffectFailed(Event):
    """An action cannot succeed, whatever is tried; `reason` is for people."""

    kind: Literal["effect_failed"] = "effect_failed"
    action: str
    subject: str
    reason: str


class Started(Event):
    """The app came up: leases did not age while it was down."""

    kind: Literal["started"] = "started"


class WorkStopped(Event):
    """Whoever runs this app wants all its work to end, and says why."""

    kind: Literal["work_stopped"] = "work_stopped"
    reason: str


class OperatorSpoke(Event):
    """The operator lets nothing new start (`paused`, `draining`), or everything go on; each repository is told."""

    kind: Literal["operator_spoke"] = "operator_spoke"
    mode: str


class Tick(Event):
    """Time passed."""

    kind: Literal["tick"] = "tick"


AnyEvent = Annotated[
    IssueLabelled
    | IssueTouched
    | LabelsSeen
    | PullRequestChanged
    | BaseMoved
    | ButtonPressed
    | CheckFoundOpen
    | ChecksTouched
    | ChecksRead
    | BlockersTouched
    | BlockersRead
    | CommandGiven
    | CommandRead
    | RepositoryBack
    | RepositoryChanged
    | RepositoryGone
    | IssueRead
    | PresserKnown
    | PlanReady
    | PlanRevised
    | PlanFailed
    | AttemptStarted
    | AttemptClaimed
    | HeartbeatReceived
    | PhaseReported
    | PermitRequested
    | WorkHandedOver
    | TokenMinted
    | AttemptFinished
    | AttemptGone
    | JobTaken
    | JobEnded
    | RunnersRead
    | TokensRevoked
    | RemoteRead
    | PullRequestOpened
    | ReportHeldBack
    | EffectFailed
    | Started
    | WorkStopped
    | OperatorSpoke
    | Tick,
    Field(discriminator="kind"),
]

EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
