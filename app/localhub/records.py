"""What the embedded GitHub remembers: one small mutable record per kind, each written to SQLite as JSON."""

from typing import Any, Literal

from pydantic import BaseModel, Field

Level = Literal["read", "write", "admin"]
Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
DeliveryStatus = Literal["pending", "held", "dropped", "delivered", "failed"]


class Record(BaseModel):
    """Everything has a database id, never equal to a number that people see."""

    id: int


class Account(Record):
    """A person, an organisation or an App's bot."""

    login: str
    type: Literal["User", "Bot", "Organization"] = "User"
    name: str = ""
    email: str = ""
    created_at: str


class App(Record):
    """A GitHub App's registration. Of one made from a manifest the secrets wait here for one exchange of `code`."""

    client_id: str
    slug: str
    name: str
    owner_id: int
    bot_id: int
    public_key_pem: str
    webhook_url: str = ""
    webhook_secret: str = ""
    permissions: dict[str, Level] = Field(default_factory=dict)
    events: list[str] = Field(default_factory=list)
    setup_url: str = ""
    code: str = ""
    code_expires_at: float = 0
    client_secret: str = ""
    private_key_pem: str = ""
    created_at: str


class Installation(Record):
    """An App on one owner's repositories."""

    app_id: int
    account_id: int
    repository_ids: list[int]
    permissions: dict[str, Level]
    created_at: str
    suspended_at: str | None = None


class Token(Record):
    """A credential, kept as its SHA-256 only; `repository_ids` None means all that its holder may see."""

    digest: str
    account_id: int | None = None
    installation_id: int | None = None
    permissions: dict[str, Level] = Field(default_factory=dict)
    repository_ids: list[int] | None = None
    expires_at: float | None = None
    revoked: bool = False


class Repository(Record):
    """A repository; `refs` are the branches and tags as last seen, by which a push is noticed."""

    owner_id: int
    owner: str
    name: str
    description: str = ""
    default_branch: str
    private: bool = False
    archived: bool = False
    # What it was called before; these names lead here until somebody else takes them.
    former: list[str] = Field(default_factory=list)
    roles: dict[str, Role] = Field(default_factory=dict)
    refs: dict[str, str] = Field(default_factory=dict)
    # Types of the rules that guard the default branch.
    rules: list[str] = Field(default_factory=list)
    last_number: int = 0
    created_at: str
    pushed_at: str

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


class Label(Record):
    """A label of one repository."""

    repository_id: int
    name: str
    color: str = "ededed"
    description: str = ""


class TextEdit(BaseModel):
    """Somebody changed a body; GitHub counts the first version as one, too, once there is a second."""

    editor_id: int
    edited_at: str


class Issue(Record):
    """An issue, and the half of a pull request that GitHub keeps as an issue."""

    repository_id: int
    number: int
    title: str
    body: str | None
    state: Literal["open", "closed"] = "open"
    state_reason: str | None = None
    user_id: int
    app_id: int | None = None
    label_ids: list[int] = Field(default_factory=list)
    blocked_by: list[int] = Field(default_factory=list)
    sub_issues: list[int] = Field(default_factory=list)
    edits: list[TextEdit] = Field(default_factory=list)
    created_at: str
    updated_at: str
    closed_at: str | None = None
    closed_by: int | None = None
    pull_id: int | None = None


class Pull(Record):
    """The other half of a pull request; head and base branches are in the same repository."""

    repository_id: int
    issue_id: int
    number: int
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: str | None = None
    merged_by: int | None = None
    merge_commit_sha: str | None = None


class Comment(Record):
    """A comment on an issue or a pull request."""

    repository_id: int
    issue_id: int
    user_id: int
    app_id: int | None = None
    body: str
    created_at: str
    updated_at: str


class Reaction(Record):
    """One person's reaction to an issue or a comment."""

    subject_id: int
    user_id: int
    content: str
    created_at: str


class IssueEvent(Record):
    """Who did what to an issue, when."""

    issue_id: int
    event: str
    actor_id: int
    app_id: int | None = None
    label: dict[str, str] | None = None
    rename: dict[str, str] | None = None
    created_at: str


class Review(Record):
    """A review of a pull request."""

    pull_id: int
    user_id: int
    body: str
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "PENDING"]
    commit_id: str
    submitted_at: str


class CheckSuite(Record):
    """All check runs of one App on one commit."""

    repository_id: int
    app_id: int
    head_sha: str
    created_at: str


class CheckRun(Record):
    """A check run; `annotations` only ever grow."""

    repository_id: int
    suite_id: int
    app_id: int
    name: str
    head_sha: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = Field(default_factory=list)
    actions: list[dict[str, str]] = Field(default_factory=list)


class CommitStatus(Record):
    """What somebody's CI says of a commit under one name; the newest counts."""

    repository_id: int
    head_sha: str
    creator_id: int
    state: str
    context: str
    description: str | None = None
    target_url: str | None = None
    created_at: str


class Delivery(Record):
    """One webhook on its way to one App; `guid` stays when it is sent again."""

    guid: str
    app_id: int
    installation_id: int
    event: str
    action: str | None
    payload: dict[str, Any]
    status: DeliveryStatus
    status_code: int | None = None
    attempts: int = 0
    redelivery: bool = False
    created_at: str


class Workflow(Record):
    """A workflow file of the default branch."""

    repository_id: int
    path: str
    state: Literal["active", "disabled_manually"] = "active"
    created_at: str


class WorkflowRun(Record):
    """One run with its one job; run again it keeps its id and counts its attempts."""

    repository_id: int
    workflow_id: int
    workflow_name: str
    path: str
    # The workflow of another repository that its job calls.
    calls: str = ""
    number: int
    attempt: int = 1
    title: str
    event: str = "workflow_dispatch"
    inputs: dict[str, str] = Field(default_factory=dict)
    # What happened, for runs that nobody dispatched.
    payload: dict[str, Any] = Field(default_factory=dict)
    head_branch: str
    head_sha: str
    actor_id: int
    job_id: int
    job_name: str
    labels: list[str]
    permissions: dict[str, str]
    minutes: float
    status: Literal["queued", "in_progress", "completed"] = "queued"
    conclusion: str | None = None
    runner_id: int | None = None
    stopping: Literal["", "cancel", "force-cancel"] = ""
    created_at: str
    started_at: str | None = None
    completed_at: str | None = None


class RunnerGroup(Record):
    """Which repositories of an organisation its runners serve, None is all; an inherited one is its enterprise's."""

    owner_id: int
    name: str
    repository_ids: list[int] | None = None
    inherited: bool = False


class SelfHostedRunner(Record):
    """A repository's runner, or an organisation's; `run_id` is its run of now, `environment` what its `.env` file holds."""

    repository_id: int | None = None
    owner_id: int | None = None
    group_id: int = 1
    name: str
    labels: list[str]
    online: bool = True
    # GitHub hands no job to a version that is too old, though its runner is connected.
    outdated: bool = False
    environment: dict[str, str] = Field(default_factory=dict)
    run_id: int | None = None
