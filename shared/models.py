"""Values that cross between app and runner, and the plan: frozen, versioned wire JSON."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# Raised with every change that an older runner or app would misread; the two refuse each other by this number.
WIRE_VERSION = 1


class Wire(BaseModel):
    """Frozen; unknown keys are an error, so that versions cannot drift silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    """What an issue asks for."""

    FEATURE = "feature"
    BUG = "bug"
    TESTS = "tests"
    DOCS = "docs"
    REFACTOR = "refactor"
    CHORE = "chore"


class PhaseName(StrEnum):
    """The nine phases, in their order."""

    SETUP = "setup"
    ISSUE = "issue"
    BRANCH = "branch"
    RESEARCH = "research"
    IMPLEMENTATION = "implementation"
    TESTING = "testing"
    DOCUMENTATION = "documentation"
    PULL_REQUEST = "pull_request"
    REVIEW = "review"


class VerdictName(StrEnum):
    """What the evidence says about an attempt; each is shown as such."""

    SUCCEEDED = "succeeded"
    NO_CHANGE = "no_change"
    TESTS_FAILED = "tests_failed"
    SETUP_FAILED = "setup_failed"
    AGENT_FAILED = "agent_failed"
    LIMIT_REACHED = "limit_reached"
    UNSAFE_DIFF = "unsafe_diff"
    EDITED_AFTER_APPROVAL = "edited_after_approval"
    BRANCH_MOVED = "branch_moved"
    PUBLISH_FAILED = "publish_failed"
    BLOCKED = "blocked"
    NOT_PLANNED = "not_planned"
    CANCELLED = "cancelled"
    LOST = "lost"
    INTERNAL_ERROR = "internal_error"


class Verdict(Wire):
    """`reason` is one line for people; `detail` the tail of the output that shows it, at most 8,000 characters."""

    name: VerdictName
    reason: str
    detail: str = ""


class IssueSnapshot(Wire):
    """An issue as it was approved; `hash` is shared.github.issue_hash(title, body)."""

    number: int
    title: str
    body: str
    labels: tuple[str, ...] = ()
    author: str = ""
    hash: str
    blocked_by: tuple[int, ...] = ()


class Touch(Wire):
    """A file that a task will probably touch."""

    path: str
    probability: float
    why: str


class Estimate(Wire):
    """Expected use; `source` says where the numbers come from."""

    minutes_p50: float
    minutes_p90: float
    memory_mib_p90: float
    source: str


class PlannedTask(Wire):
    """One issue, one branch."""

    issue: int
    kind: Kind
    branch: str
    touches: tuple[Touch, ...] = ()
    estimate: Estimate


class Edge(Wire):
    """A dependency (`before`, `after` set) or a conflict (`between` set); the other fields are null."""

    kind: Literal["dependency", "conflict"]
    before: int | None = None
    after: int | None = None
    between: tuple[int, int] | None = None
    probability: float
    evidence: str
    why: str


class PlannedStart(Wire):
    """When a task is expected to run, minutes from the start of the orchestration."""

    issue: int
    start_minutes: float
    finish_minutes: float


class Schedule(Wire):
    """The predicted course; `binding_limit` names what keeps it from being shorter."""

    slots: int
    starts: tuple[PlannedStart, ...] = ()
    makespan_minutes: float
    sequential_minutes: float
    lower_bound_minutes: float
    predicted_speedup: float | None
    binding_limit: str


class Problem(Wire):
    """Something in the input that could not be planned as asked; `issue` is null when it concerns the whole."""

    issue: int | None = None
    what: str
    fix: str = ""
    blocked_by: tuple[int, ...] = ()


class Plan(Wire):
    """Tasks, edges and schedule of one batch; the same input gives byte-identical JSON."""

    schema_: Literal[1] = Field(default=1, alias="schema", serialization_alias="schema")
    tasks: tuple[PlannedTask, ...] = ()
    edges: tuple[Edge, ...] = ()
    schedule: Schedule
    problems: tuple[Problem, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class PhaseResult(Wire):
    """One phase as it ended; `reason` is set when it was skipped or failed."""

    name: PhaseName
    status: Literal["passed", "failed", "skipped"]
    seconds: float
    reason: str = ""
    cpu_seconds: float = 0
    peak_memory_mib: float = 0


class TestRun(Wire):
    """One run of the repository's tests; counts are null when only the exit code could be read (`source`)."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    command: str
    exit_code: int
    seconds: float
    source: str
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failing: tuple[str, ...] = ()
    tail: str = ""


class FileChange(Wire):
    """Lines added and removed in one file (0 and 0 for a binary one)."""

    path: str
    added: int
    removed: int


class AttemptReport(Wire):
    """Everything that an attempt can say of itself; sent with the permit request and again at the finish."""

    verdict: Verdict
    phases: tuple[PhaseResult, ...] = ()
    base_sha: str = ""
    head_sha: str = ""
    changes: tuple[FileChange, ...] = ()
    tests_before: TestRun | None = None
    tests_after: TestRun | None = None
    isolation: str = "none"
    agent: str = ""
    plan_text: str = ""
    review_text: str = ""
    review_posted: bool = False
    pull_request_title: str = ""
    pull_request_body: str = ""
    draft: bool = False
    pull_request: int | None = None
    agent_seconds: float = 0
    cost_usd: float | None = None


class RunnerRepository(Wire):
    """Where the work is done; `api_url` has no trailing slash."""

    id: int
    full_name: str
    clone_url: str
    default_branch: str
    api_url: str


class RepositorySettings(Wire):
    """`.github/shoal.yml`, read at the pinned base commit only; every field has a default, unknown keys are an error."""

    test_command: str = Field(default="", description="Shell command that runs the tests; empty: detected.")
    setup_command: str = Field(
        default="", description="Shell command run once before the agent, for example to install dependencies."
    )
    protected_paths: tuple[str, ...] = Field(
        default=(), description="Globs that an agent must not change, added to the built-in list."
    )
    test_minutes: float = Field(default=15, gt=0, le=360, description="Longest run of the test command, minutes.")
    agent_minutes: float = Field(default=60, gt=0, le=360, description="Longest run of the agent in one phase, minutes.")
    on_conflict: Literal["stack", "parallel"] = Field(
        default="stack",
        description="Likely conflicts: the later task starts from the earlier one's branch, or both run at once.",
    )


class AgentSettings(Wire):
    """The operator's choice of agent. `folder` and `think_seconds` belong to `patch`, `command` to `command`."""

    name: Literal["patch", "command"]
    folder: str = ""
    think_seconds: float = 0
    command: tuple[str, ...] = ()


class AttemptBrief(Wire):
    """What a claim is answered with: all that the WorkflowManager needs; the only secret is the read token."""

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
    touches: tuple[Touch, ...] = ()
    settings: RepositorySettings
    agent: AgentSettings
    isolation: Literal["required", "preferred", "none"]
    read_token: str
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
    on GitHub, empty when it must not exist. `refused`: end with `verdict`."""

    status: Literal["pending", "granted", "refused"]
    token: str = ""
    expected_sha: str = ""
    verdict: Verdict | None = None


class FinishRequest(Wire):
    """The attempt's last word; repeated until it is answered."""

    nonce: str
    report: AttemptReport
    # Set when the runner gave its write tokens back itself (DELETE /installation/token answered 204).
    tokens_revoked: bool = False


class RunnerLaunch(Wire):
    """One line of JSON on the runner's standard input: where to call home, and the secret, which is never in argv."""

    app_url: str
    attempt_id: str
    secret: str
    work_dir: str
