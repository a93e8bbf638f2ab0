"""Values that cross between app and runner, and the plan: frozen, versioned wire JSON."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# Raised with every change that an older runner or app would misread; the two refuse each other by this number.
WIRE_VERSION = 6


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
    PROVIDER_LIMIT = "provider_limit"
    UNSAFE_DIFF = "unsafe_diff"
    EDITED_AFTER_APPROVAL = "edited_after_approval"
    BRANCH_MOVED = "branch_moved"
    HELD = "held"
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
    # Of `limit_reached`: which one, by its name in AttemptLimits.
    limit: str = ""
    # Of `provider_limit`: how long the model's provider asked us to stay away; null: it did not say.
    retry_seconds: float | None = None


class Usage(Wire):
    """What an agent used of its model: `input_tokens` with the cached ones; cost null where no price is known."""

    turns: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    # Bytes between the agent and its model, both ways.
    network_bytes: int = 0


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
    """A file that a task will probably touch; `source` is the rung of evidence, `why` the reason in one line.

    `said`: how much of the probability the text itself gives, beyond what any text would be expected to touch; not set: all.
    """

    path: str
    probability: float
    source: str = "named"
    said: float | None = None
    why: str


class Estimate(Wire):
    """Expected use; `source` says where the numbers come from."""

    minutes_p50: float
    minutes_p90: float
    memory_mib_p90: float
    # Of one core, as the mean over an attempt: agents mostly wait for their model.
    cpu_p90: float = 0.25
    # Of one attempt, in US dollars, by the attempts here of which it is known; not set where there is none.
    cost_usd_p50: float | None = None
    cost_usd_p90: float | None = None
    costs_known: int = 0
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
    # Issues of other repositories, `owner/name#number`.
    blocked_elsewhere: tuple[str, ...] = ()


class Plan(Wire):
    """Tasks, edges and schedule of one batch; the same input gives byte-identical JSON."""

    schema_: Literal[1] = Field(default=1, alias="schema", serialization_alias="schema")
    tasks: tuple[PlannedTask, ...] = ()
    edges: tuple[Edge, ...] = ()
    schedule: Schedule
    problems: tuple[Problem, ...] = ()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Step(Wire):
    """A stage of a phase; `cached`: its result was there already, and the seconds are those of finding it."""

    name: str
    seconds: float
    cached: bool = False


class PhaseResult(Wire):
    """One phase as it ended; `reason` is set when it was skipped or failed."""

    name: PhaseName
    status: Literal["passed", "failed", "skipped"]
    seconds: float
    reason: str = ""
    cpu_seconds: float = 0
    peak_memory_mib: float = 0
    # The mean over the phase, of the whole tree.
    memory_mib: float = 0
    read_bytes: int = 0
    written_bytes: int = 0
    usage: Usage = Usage()
    steps: tuple[Step, ...] = ()
    # What commands that ran side by side took one by one, beyond what they took together.
    saved_seconds: float = 0


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
    # Failed once and passed when run again on the very same commit.
    flaky: tuple[str, ...] = ()
    tail: str = ""
    # The failing tests' own words, at most 20,000 characters: what a repair pass is told.
    failures: str = ""


class Finding(Wire):
    """One remark of a review; `line` counts in the new file, 0: the whole file, `path` empty: the whole change."""

    path: str = ""
    line: int = 0
    must_fix: bool = False
    text: str


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
    # The repository's other checks, in the order of its settings.
    checks_before: tuple[TestRun, ...] = ()
    checks_after: tuple[TestRun, ...] = ()
    isolation: str = "none"
    agent: str = ""
    plan_text: str = ""
    review_text: str = ""
    findings: tuple[Finding, ...] = ()
    review_posted: bool = False
    # What the answer to the review says; empty while there is none.
    review_answer: str = ""
    pull_request_title: str = ""
    pull_request_body: str = ""
    draft: bool = False
    pull_request: int | None = None
    agent_seconds: float = 0
    usage: Usage = Usage()
    # What a person should know beside the verdict, a line each: hidden text that was removed, limits that were hit.
    notes: tuple[str, ...] = ()


AgentName = Literal["patch", "command", "claude", "codex", "gemini", "opencode", "copilot", "aider", "mini-swe-agent"]


class AttemptLimits(Wire):
    """What one attempt may use, all its passes together unless the name says otherwise; null: as much as it likes."""

    minutes: float = 180
    # Of each phase; null: as long as its commands may take together.
    phase_minutes: float | None = None
    # Without a line of output.
    inactive_minutes: float = 15
    memory_mib: int | None = None
    # Printed by one command.
    output_mib: int = 64
    # What must stay free on the disk.
    disk_free_mib: int = 512
    turns: int | None = None
    tokens: int | None = None
    cost_usd: float | None = None


class AgentSettings(Wire):
    """The operator's choice of agent. `folder` and `think_seconds` belong to `patch`; `command` is the whole line of `command`
    and, for every other agent, the program to start in place of its usual name; `options` are added to its arguments."""

    name: AgentName
    folder: str = ""
    think_seconds: float = 0
    command: tuple[str, ...] = ()
    model: str = ""
    options: tuple[str, ...] = ()
