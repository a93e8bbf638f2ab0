"""The closed set of things that decide() can ask for. Each is idempotent: its effect looks before it writes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from shared.models import IssueSnapshot, Wire


class Action(Wire):
    """Asked for by one repository; `place` names the app process or machine that alone can do it, empty: anybody."""

    repository_id: int
    place: str = ""


class ReadIssue(Action):
    """Read an issue, its newest label event and the labeller's role -> IssueRead."""

    kind: Literal["read_issue"] = "read_issue"
    issue: int
    labelled_snapshot: IssueSnapshot | None = None


class CheckPresser(Action):
    """Read the role of somebody who pressed a button -> PresserKnown."""

    kind: Literal["check_presser"] = "check_presser"
    external_id: str
    identifier: str
    sender: str


class Acknowledge(Action):
    """Put a reaction on an issue, so that the labeller sees within seconds that it was noticed."""

    kind: Literal["acknowledge"] = "acknowledge"
    issue: int


class MakePlan(Action):
    """Gather facts and plan a batch -> PlanReady or PlanFailed."""

    kind: Literal["make_plan"] = "make_plan"
    orchestration: str


class LookAgain(Action):
    """Work out on the newest commit what the waiting tasks of a planned batch will probably touch -> PlanRevised."""

    kind: Literal["look_again"] = "look_again"
    orchestration: str


class StartAttempt(Action):
    """Start a WorkflowManager -> AttemptStarted (or AttemptGone); `labels` are those of its runner, none: the operator's."""

    kind: Literal["start_attempt"] = "start_attempt"
    attempt: str
    labels: tuple[str, ...] = ()


class ReadRunners(Action):
    """Count the runners that could take a job -> RunnersRead; without `labels` those with the operator's."""

    kind: Literal["read_runners"] = "read_runners"
    labels: tuple[str, ...] = ()


class StopAttempt(Action):
    """End a WorkflowManager with its tree -> AttemptGone."""

    kind: Literal["stop_attempt"] = "stop_attempt"
    attempt: str


class RevokeTokens(Action):
    """Revoke the write tokens handed to an attempt, where we still hold them -> TokensRevoked."""

    kind: Literal["revoke_tokens"] = "revoke_tokens"
    attempt: str


class DropHeld(Action):
    """Remove what an attempt handed over: it will not be published."""

    kind: Literal["drop_held"] = "drop_held"
    attempt: str


class ReadRemote(Action):
    """Read branch, pull requests and issue of an attempt's task -> RemoteRead."""

    kind: Literal["read_remote"] = "read_remote"
    attempt: str
    sequence: int | None = None


class OpenPullRequest(Action):
    """Open or adopt the pull request of a branch that landed -> PullRequestOpened."""

    kind: Literal["open_pull_request"] = "open_pull_request"
    attempt: str


class ReadChecks(Action):
    """Read what others' checks and statuses say of a task's head -> ChecksRead."""

    kind: Literal["read_checks"] = "read_checks"
    issue: int
    head_sha: str


class ReadBlockers(Action):
    """Read what blocks an issue natively -> BlockersRead."""

    kind: Literal["read_blockers"] = "read_blockers"
    issue: int


class ReadCommand(Action):
    """Read a comment with a command, and its author's role -> CommandRead."""

    kind: Literal["read_command"] = "read_command"
    number: int
    comment: int


class AnswerCommand(Action):
    """React to a comment; with `text` also reply to it, once."""

    kind: Literal["answer_command"] = "answer_command"
    number: int
    comment: int
    reaction: Literal["+1", "-1", "confused"]
    text: str = ""


class SyncReport(Action):
    """Bring check runs and comments of an orchestration up to date; rendered when it is sent.

    `again` writes even what did not change: GitHub's Re-run wants an answer.
    """

    kind: Literal["sync_report"] = "sync_report"
    orchestration: str
    again: bool = False


class RefreshReport(Action):
    """The same from `not_before` on, for what no person waits for: tables, phases, minutes."""

    kind: Literal["refresh_report"] = "refresh_report"
    orchestration: str
    not_before: datetime


class ConcludeCheck(Action):
    """Conclude a check run of ours that was found open though nobody is at work for it."""

    kind: Literal["conclude_check"] = "conclude_check"
    check: int
    name: str
    head_sha: str
    external_id: str


class SyncComment(Action):
    """Bring the comment of an issue outside any orchestration up to date (refusals)."""

    kind: Literal["sync_comment"] = "sync_comment"
    issue: int


AnyAction = Annotated[
    ReadIssue
    | CheckPresser
    | Acknowledge
    | MakePlan
    | LookAgain
    | StartAttempt
    | StopAttempt
    | ReadRunners
    | RevokeTokens
    | DropHeld
    | ReadRemote
    | OpenPullRequest
    | ReadChecks
    | ReadBlockers
    | ReadCommand
    | AnswerCommand
    | SyncReport
    | RefreshReport
    | ConcludeCheck
    | SyncComment,
    Field(discriminator="kind"),
]

ACTIONS: TypeAdapter[AnyAction] = TypeAdapter(AnyAction)
