"""The closed set of things that can happen: webhooks, runners, facts and timers all speak in these."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.messages import ClaimRequest, Heartbeat
from shared.models import AttemptReport, IssueSnapshot, PhaseResult, Plan, RepositorySettings, Wire


class RepositoryRef(Wire):
    """A repository as a webhook names it; every event belongs to one."""

    id: int
    full_name: str
    installation_id: int
    private: bool = True


class Event(Wire):
    """Something that happened to one repository."""

    repository_id: int


class IssueLabelled(Event):
    """Our label was put on an issue. A hint only: who, when and what text is read from GitHub before anything follows.

    `snapshot` is the text that the labeller saw (None when the sweep found the label).
    """

    kind: Literal["issue_labelled"] = "issue_labelled"
    repository: RepositoryRef
    issue: int
    label: str
    sender: str
    snapshot: IssueSnapshot | None = None


class IssueTouched(Event):
    """An issue lost a label, was edited, closed, reopened, deleted or transferred; what it is now is read from GitHub."""

    kind: Literal["issue_touched"] = "issue_touched"
    repository: RepositoryRef
    issue: int
    action: Literal["unlabeled", "edited", "closed", "reopened", "deleted", "transferred"]
    label: str = ""


class PullRequestChanged(Event):
    """A pull request was opened, closed, merged, reopened, edited or got a new head."""

    kind: Literal["pull_request_changed"] = "pull_request_changed"
    repository: RepositoryRef
    number: int
    action: str
    head_ref: str
    head_sha: str
    state: Literal["open", "closed"]
    merged: bool


class BaseMoved(Event):
    """A branch got a new commit (`push`)."""

    kind: Literal["base_moved"] = "base_moved"
    repository: RepositoryRef
    ref: str
    sha: str


class ButtonPressed(Event):
    """A person pressed a button on one of our check runs, or GitHub's own Re-run (`identifier` "rerun")."""

    kind: Literal["button_pressed"] = "button_pressed"
    repository: RepositoryRef
    external_id: str
    head_sha: str
    identifier: str
    sender: str


class ChecksTouched(Event):
    """Somebody else's check or status changed on a commit. A hint only: what it is now is read from GitHub."""

    kind: Literal["checks_touched"] = "checks_touched"
    repository: RepositoryRef
    head_sha: str
    # Whose check it is, where GitHub says that.
    app_slug: str = ""


class CiFailure(Wire):
    """A check or status of the repository's own CI that is red; `tail` is the end of what it printed, untrusted."""

    name: str
    url: str = ""
    tail: str = ""


class ChecksRead(Event):
    """What the repository's own CI says of a task's head now, and whether GitHub could merge that."""

    kind: Literal["checks_read"] = "checks_read"
    issue: int
    head_sha: str
    status: Literal["waiting", "green", "red", "none"]
    failures: tuple[CiFailure, ...] = ()
    mergeable: bool | None = None


class CommandGiven(Event):
    """A new comment begins with `/shoal`. A hint only: author, role and words are read from GitHub."""

    kind: Literal["command_given"] = "command_given"
    repository: RepositoryRef
    number: int
    comment: int


class CommandRead(Event):
    """A command as it stands on GitHub; `number` is an issue's or a pull request's, `words` what follows the command's name."""

    kind: Literal["command_read"] = "command_read"
    number: int
    comment: int
    author: str
    permission: Literal["admin", "write", "read", "none"]
    command: str
    words: str = ""


class RepositoryGone(Event):
    """The App was removed from the repository or suspended."""

    kind: Literal["repository_gone"] = "repository_gone"
    repository: RepositoryRef


class IssueRead(Event):
    """What GitHub says of an issue now; the only basis of an approval.

    `label_event` is the id of the newest `labeled` event with our label, None when the label is not on the issue;
    `permission` is that actor's role on the repository.
    """

    kind: Literal["issue_read"] = "issue_read"
    issue: int
    state: Literal["open", "closed", "gone"]
    is_pull_request: bool = False
    private: bool = True
    snapshot: IssueSnapshot | None = None
    labelled_snapshot: IssueSnapshot | None = None
    label_event: int | None = None
    labeller: str = ""
    labeller_is_bot: bool = False
    permission: Literal["admin", "write", "read", "none"] = "none"


class PresserKnown(Event):
    """The role of somebody who pressed a button."""

    kind: Literal["presser_known"] = "presser_known"
    external_id: str
    identifier: str
    sender: str
    permission: Literal["admin", "write", "read", "none"]


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
    | PullRequestChanged
    | BaseMoved
    | ButtonPressed
    | ChecksTouched
    | ChecksRead
    | CommandGiven
    | CommandRead
    | RepositoryGone
    | IssueRead
    | PresserKnown
    | PlanReady
    | PlanFailed
    | AttemptStarted
    | AttemptClaimed
    | HeartbeatReceived
    | PhaseReported
    | PermitRequested
    | TokenMinted
    | AttemptFinished
    | AttemptGone
    | JobEnded
    | TokensRevoked
    | RemoteRead
    | PullRequestOpened
    | EffectFailed
    | Started
    | WorkStopped
    | OperatorSpoke
    | Tick,
    Field(discriminator="kind"),
]

EVENTS: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
