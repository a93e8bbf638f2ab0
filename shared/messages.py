"""What app and runner say to each other: the brief of an attempt and the calls of the runner API."""

from typing import Annotated, Literal

from pydantic import Field

from shared.models import (
    WIRE_VERSION,
    AgentSettings,
    AttemptLimits,
    AttemptReport,
    IssueSnapshot,
    Kind,
    PhaseName,
    PhaseResult,
    Touch,
    Verdict,
    Wire,
)
from shared.repository_settings import RepositorySettings

# Of a bundle, and of a diff, that wait to be published; and of one call that carries a part of it.
HELD_LIMIT = 128 * 1024 * 1024
PIECE_LIMIT = 1024 * 1024


class RunnerRepository(Wire):
    """Where the work is done; `api_url` has no trailing slash."""

    id: int
    full_name: str
    clone_url: str
    default_branch: str
    api_url: str


class Published(Wire):
    """What an earlier attempt already has on GitHub: only its review is left to do."""

    pull_request: int
    report: AttemptReport


class FollowUp(Wire):
    """More work on a branch that is published already: what is wanted, in the words of a person or of the repository's own CI.

    `head_sha` is the branch's commit that it starts from; `text` is untrusted, at most FOLLOW_UP_LIMIT characters.
    """

    source: Literal["ci", "person"]
    head_sha: str
    asked_by: str = ""
    text: str


FOLLOW_UP_LIMIT = 20_000


class HeldWork(Wire):
    """Finished work that the app keeps until a person lets it be published; `report` is what its attempt said of it."""

    report: AttemptReport
    bytes: int
    sha256: str


class AttemptBrief(Wire):
    """What a claim is answered with: all that the WorkflowManager needs, and no secret."""

    wire_version: int = WIRE_VERSION
    attempt_id: str
    number: int
    repository: RunnerRepository
    issue: IssueSnapshot
    kind: Kind
    branch: str
    base_sha: str
    # Verified heads of other predecessors that the base does not contain: merged into the base before work begins.
    merge_shas: tuple[str, ...] = ()
    stacked_on: tuple[int, ...] = ()
    # The default branch's commit at planning, where instructions and commands come from; empty: the base.
    pinned_sha: str = ""
    touches: tuple[Touch, ...] = ()
    settings: RepositorySettings
    agent: AgentSettings
    limits: AttemptLimits = AttemptLimits()
    isolation: Literal["required", "preferred", "none"]
    # Whether the set-up command may use the network.
    setup_network: bool = False
    # Whether a change of protected files is refused, or becomes a draft that a person must look at.
    protected_changes: Literal["refuse", "draft"] = "refuse"
    published: Published | None = None
    # Set when a person has let work be published that was held: it is taken as it is, and no agent runs.
    held: HeldWork | None = None
    # Set when the change is published and more is wanted of it: `base_sha` is then the branch's commit.
    follow_up: FollowUp | None = None
    # The tokens are not this attempt's alone, so that it must not revoke them.
    shared_tokens: bool = False
    app_login: str
    app_email: str
    details_url: str = ""
    lease_seconds: float
    heartbeat_seconds: float


class ClaimRequest(Wire):
    """The nonce is chosen by the runner process: the same process may ask again, another one may not."""

    wire_version: int = WIRE_VERSION
    nonce: str
    pid: int
    pid_started: float
    host: str


class FetchRequest(Wire):
    """Asked only where commits are missing: a runner that has them needs no token."""

    nonce: str


class FetchReply(Wire):
    """`token` fetches this one repository; the runner gives it back before any of the repository's code runs."""

    token: str


class Heartbeat(Wire):
    """`progress` counts something that only moves when work does (lines of output, phases); not a clock."""

    nonce: str
    phase: PhaseName
    progress: int
    note: str = ""


class HeartbeatReply(Wire):
    """`stop` names why the attempt must end now; null: go on."""

    stop: str | None = None


class IssueCheck(Wire):
    """Answer to phase 2: whether the issue on GitHub is still what was approved."""

    unchanged: bool
    reason: str = ""


class PhaseFinished(Wire):
    """Sent after each phase; a repeated one is recognised by the phase's name."""

    nonce: str
    result: PhaseResult


class PermitRequest(Wire):
    """Asks for the right to write once; `sequence` counts an attempt's permits from 1, a repeated one gets the same answer."""

    nonce: str
    sequence: int
    head_sha: str
    report: AttemptReport


class PermitReply(Wire):
    """`pending`: ask again. `granted`: `token` writes to this one repository; `expected_sha` is what the branch must still be
    on GitHub, empty when it must not exist. `refused`: end with `verdict`. `held`: nothing of it may be written; hand it over."""

    status: Literal["pending", "granted", "refused", "held"]
    token: str = ""
    expected_sha: str = ""
    verdict: Verdict | None = None


class Piece(Wire):
    """A part of what is handed over to be kept; `data` is at most PIECE_LIMIT bytes in base64, put at `offset`."""

    nonce: str
    of: Literal["bundle", "diff"]
    offset: Annotated[int, Field(ge=0, le=HELD_LIMIT)]
    data: Annotated[
        str, Field(max_length=PIECE_LIMIT * 4 // 3 + 4, pattern=r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")
    ]


class PieceReply(Wire):
    """How many bytes of it the app has now: the next piece begins there, also after an answer was lost."""

    bytes: int


class HoldRequest(Wire):
    """Everything was handed over: the commit that a person may let out, what is to be said of it, and what the files must be."""

    nonce: str
    head_sha: str
    report: AttemptReport
    bundle_sha256: str
    diff_sha256: str


class HoldReply(Wire):
    """`problem` is for people; empty: it is kept, and survives a crash of the app."""

    problem: str = ""


class HeldRequest(Wire):
    """Asks for the held bundle from `offset` on."""

    nonce: str
    offset: Annotated[int, Field(ge=0, le=HELD_LIMIT)]


class HeldReply(Wire):
    """At most PIECE_LIMIT bytes in base64, or the `problem` that keeps it from being published."""

    data: str = ""
    problem: str = ""


class FinishRequest(Wire):
    """The attempt's last word; repeated until it is answered."""

    nonce: str
    report: AttemptReport
    # Fingerprints (SHA-256) of the write tokens that the runner gave back itself: DELETE /installation/token answered 204.
    tokens_revoked: tuple[str, ...] = ()
    # The job of GitHub Actions around the runner was cancelled: somebody wants the work to end, not to go on elsewhere.
    job_cancelled: bool = False


class RunnerLaunch(Wire):
    """One line of JSON on the runner's standard input: where to call home, and the secret, which is never in argv."""

    app_url: str
    attempt_id: str
    secret: str
    work_dir: str
    # The file with the models' keys, on the runner's machine; empty: its environment has them.
    model_keys: str = ""
    # The one to claim with, where the secret was handed out for it; empty: the runner makes one.
    nonce: str = ""
    # Where a process that was started ahead writes from now on; empty: where it writes already.
    log: str = ""


class IdentityRequest(Wire):
    """A runner of GitHub Actions proves by its OIDC token which run it is; the nonce is the one that it will claim with.

    Asked again, with a fresh token, when the reply was lost: each token is accepted once.
    """

    nonce: str
    id_token: str


class IdentityReply(Wire):
    """The attempt's secret, for every call from now on."""

    secret: str


class Instructions(Wire):
    """What a repository tells agents (AGENTS.md and the like), as it stands in the base commit."""

    path: str
    text: str


class PromptRequest(Wire):
    """All that a prompt is made of, whichever pass it is for; also what `runner prompt` reads from standard input."""

    repository: str
    issue: IssueSnapshot
    touches: tuple[Touch, ...] = ()
    instructions: tuple[Instructions, ...] = ()
    settings: RepositorySettings = RepositorySettings()
    limits: AttemptLimits = AttemptLimits()
    # Empty: not known yet.
    test_command: str = ""
