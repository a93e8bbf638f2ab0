"""Actions made real. Every effect looks before it writes, so doing one twice is doing it once."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import structlog

from app.actions import (
    Acknowledge,
    AnswerCommand,
    AnyAction,
    CheckPresser,
    ConcludeCheck,
    DropHeld,
    LookAgain,
    MakePlan,
    OpenPullRequest,
    ReadBlockers,
    ReadChecks,
    ReadCommand,
    ReadIssue,
    ReadRemote,
    ReadRunners,
    RefreshReport,
    RevokeTokens,
    StartAttempt,
    StopAttempt,
    SyncComment,
    SyncReport,
)
from app.approved import read_issue
from app.backends.backend import Backend
from app.decide.state import Attempt, AttemptStatus, Task
from app.events import (
    AnyEvent,
    AttemptGone,
    AttemptStarted,
    BlockersRead,
    ChecksRead,
    CommandRead,
    PresserKnown,
    PullRequestOpened,
    PullRequestSeen,
    RemoteRead,
    ReportHeldBack,
    RunnersRead,
    TokensRevoked,
)
from app.github.access import Access
from app.github.client import NotFound
from app.github.commands import read_command
from app.github.repository import PullNow, RepositoryClient
from app.github.usage import Usage, on_behalf_of
from app.held_work import HeldFolder
from app.metrics import Metrics
from app.planner import Planner
from app.reporter import Reporter, abandoned, wanted_checks
from app.settings import Settings
from app.store import rows
from app.store.database import Database
from app.store.replicas import Replica
from app.tokens_held import TokensHeld
from app.views import load_view
from shared.errors import FatalError, TransientError, UserError
from shared.github import marker
from shared.messages import RunnerLaunch

log = structlog.get_logger()
# What needs no answer from GitHub, or takes its refusal for one.
_NOT_BY_GITHUB = {"stop_attempt", "revoke_tokens", "drop_held"}
# Asked for again as soon as the App is let in.
_LOOK_AGAIN = timedelta(minutes=5)


@dataclass
class Effects:
    """Performs actions; what comes back are events."""

    settings: Settings
    database: Database
    github: Access
    backend: Backend
    planner: Planner
    reporter: Reporter
    tokens: TokensHeld
    metrics: Metrics
    me: Replica
    usage: Usage

    async def perform(self, action: AnyAction) -> Sequence[AnyEvent]:
        """The events that follow from an action; raises TransientError to be called again, UserError when that is no use."""
        with self.metrics.action_seconds.labels(action.kind).time(), on_behalf_of(action.repository_id):
            await self._must_be_there(action)
            try:
                events = await self._table[action.kind](action)
            except UserError:
                await self._must_be_there(action)  # it may be only for that
                raise
            if action.kind.startswith("read_"):  # what is hidden from us looks as if it were not there
                await self._must_be_there(action)
            return events

    async def _must_be_there(self, action: AnyAction) -> None:
        if action.kind not in _NOT_BY_GITHUB and await self._is_gone(action.repository_id):
            raise TransientError(f"the App may not see repository {action.repository_id}: it waits until it may", _LOOK_AGAIN)

    async def _is_gone(self, repository_id: int) -> bool:
        repository = await self.database.read(lambda c: rows.load_repository(c, repository_id))
        return repository is not None and repository.gone

    @property
    def _table(self) -> dict[str, Callable[[Any], Awaitable[Sequence[AnyEvent]]]]:
        return {
            "read_issue": self._read_issue,
            "check_presser": self._check_presser,
            "acknowledge": self._acknowledge,
            "make_plan": self._make_plan,
            "look_again": self._look_again,
            "start_attempt": self._start_attempt,
            "stop_attempt": self._stop_attempt,
            "read_runners": self._read_runners,
            "revoke_tokens": self._revoke_tokens,
            "drop_held": self._drop_held,
            "read_remote": self._read_remote,
            "open_pull_request": self._open_pull_request,
            "read_blockers": self._read_blockers,
            "read_checks": self._read_checks,
            "read_command": self._read_command,
            "answer_command": self._answer_command,
            "sync_report": self._sync_report,
            "refresh_report": self._refresh_report,
            "sync_comment": self._sync_comment,
            "conclude_check": self._conclude_check,
        }

    # What people did

    async def _read_issue(self, action: ReadIssue) -> Sequence[AnyEvent]:
        repository = await self.database.read(lambda c: rows.load_repository(c, action.repository_id))
        known = repository.labels if repository else ()
        read = await read_issue(await self._client(action.repository_id), action.issue, self.settings.label, known)
        return [read.model_copy(update={"labelled_snapshot": action.labelled_snapshot})]

    async def _check_presser(self, action: CheckPresser) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        permission = await client.permission(action.sender)
        return [PresserKnown(**_asked(action), permission=permission)]

    async def _acknowledge(self, action: Acknowledge) -> Sequence[AnyEvent]:
        await (await self._client(action.repository_id)).react(action.issue, "eyes")
        return []

    async def _read_command(self, action: ReadCommand) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        try:
            comment = await client.comment(action.comment)
        except NotFound:
            return []
        command, words = read_command(comment.body)
        if not command or comment.number != action.number or comment.author == self.github.login:
            return []
        return [
            CommandRead(
                **_asked(action),
                author=comment.author,
                permission=await client.permission(comment.author),
                command=command,
                words=words,
            )
        ]

    async def _answer_command(self, action: AnswerCommand) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        try:
            await client.react_to_comment(action.comment, action.reaction)
        except NotFound:
            return []  # deleted again: nobody waits for an answer
        if action.text:
            mark = marker("reply", f"{action.repository_id}:{action.comment}")
            await client.upsert_comment(action.number, mark, f"{mark}\n\n{action.text}")
        return []

    # Work

    async def _make_plan(self, action: MakePlan) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        await self.backend.prepare()  # while the plan is made
        return [await self.planner.make(client, action.repository_id, action.orchestration)]

    async def _look_again(self, action: LookAgain) -> Sequence[AnyEvent]:
        revised = await self.planner.look_again(
            await self._client(action.repository_id), action.repository_id, action.orchestration
        )
        return [revised] if revised else []

    async def _read_blockers(self, action: ReadBlockers) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        links = await client.links(action.issue)
        waiting = {(link.repository_full_name or client.full_name, link.number) for link in links if link.state == "open"}
        own = sorted(number for name, number in waiting if name == client.full_name)
        elsewhere = sorted(f"{name}#{number}" for name, number in waiting if name != client.full_name)
        return [BlockersRead(**_asked(action), open=tuple(own), elsewhere=tuple(elsewhere))]

    async def _start_attempt(self, action: StartAttempt) -> Sequence[AnyEvent]:
        attempt, _ = await self._attempt(action.attempt)
        if attempt is None or attempt.status is not AttemptStatus.STARTING:
            return []
        secret = f"shoal_secret_{secrets.token_urlsafe(32)}"
        hashed = sha256(secret.encode()).hexdigest()
        again = bool(await self.database.read(lambda c: rows.secret_hash_of(c, attempt.id)))
        # From here on only the process started below can claim: an earlier one, started just before a crash, is refused.
        if not await self.database.write(lambda c: rows.set_secret(c, attempt.id, hashed)):
            return []
        launch = RunnerLaunch(
            app_url=self.settings.runner_url,
            attempt_id=attempt.id,
            secret=secret,
            work_dir=str(self.settings.work_dir.resolve()),
            model_keys=str(self.settings.model_keys.resolve()) if self.settings.model_keys else "",
        )
        try:
            started = await self.backend.start(launch, await self._client(action.repository_id), action.labels, again=again)
        except (OSError, UserError, FatalError) as error:
            log.warning("attempt.not_started", attempt=attempt.id, error=str(error))
            return [AttemptGone(repository_id=action.repository_id, attempt=attempt.id, reason=f"it could not be started: {error}")]
        return [
            AttemptStarted(
                repository_id=action.repository_id,
                attempt=attempt.id,
                pid=started.pid,
                pid_started=started.started_at,
                host=started.host,
            )
        ]

    async def _stop_attempt(self, action: StopAttempt) -> Sequence[AnyEvent]:
        attempt, _ = await self._attempt(action.attempt)
        if attempt is None or attempt.gone:
            return []
        if attempt.pid is None or attempt.pid_started is None:
            # Never recorded: a new secret keeps whatever was started from ever claiming.
            await self.database.write(lambda c: rows.set_secret(c, attempt.id, ""))
            return [AttemptGone(repository_id=action.repository_id, attempt=attempt.id, reason="it never reported")]
        # On a machine where no app lives any more nothing can be ended, only waited out.
        here = attempt.host in {"", self.me.host}
        try:
            proven = here and await self.backend.stop(attempt.pid, attempt.pid_started, await self._client(action.repository_id))
        except (TransientError, UserError):
            if not await self._is_gone(action.repository_id):
                raise
            proven = False  # out of our reach as long, and so is GitHub for it
        reason = "its runner fell silent and was ended" if attempt.status is AttemptStatus.LOST else ""
        return [AttemptGone(repository_id=action.repository_id, attempt=attempt.id, pid=attempt.pid, proven=proven, reason=reason)]

    async def _read_runners(self, action: ReadRunners) -> Sequence[AnyEvent]:
        found = await self.backend.count_runners(await self._client(action.repository_id), action.labels)
        if found is None:
            return [RunnersRead(repository_id=action.repository_id, online=None)]
        return [RunnersRead(repository_id=action.repository_id, online=found.online, idle=found.idle)]

    # What the repository's own CI says

    async def _read_checks(self, action: ReadChecks) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        task = await self.database.read(lambda c: rows.task_of(c, action.repository_id, action.issue))
        if task is None or task.head_sha != action.head_sha or task.pull_request is None:
            return []
        now, mergeable = await client.ci(action.head_sha, task.pull_request)
        said = {"status": now.status, "failures": now.failures, "mergeable": mergeable}
        return [ChecksRead(**_asked(action), **said)]

    # What an attempt may have written

    async def _revoke_tokens(self, action: RevokeTokens) -> Sequence[AnyEvent]:
        held = self.tokens.of(action.attempt)
        if not held:
            return []  # handed out by a process that died: the stored expiry is waited for
        for token in held:
            await self.github.tokens.revoke(token)
        self.tokens.forget(action.attempt)
        return [TokensRevoked(repository_id=action.repository_id, attempt=action.attempt, holder=action.place)]

    async def _drop_held(self, action: DropHeld) -> Sequence[AnyEvent]:
        await asyncio.to_thread(HeldFolder(self.settings.held_dir).drop, action.attempt)
        return []

    async def _read_remote(self, action: ReadRemote) -> Sequence[AnyEvent]:
        attempt, task = await self._attempt(action.attempt)
        if attempt is None or task is None:
            return []
        client = await self._client(action.repository_id)
        branch, issue = await asyncio.gather(client.branch(task.branch), client.issue(task.issue))
        branch_sha = branch.sha
        strange = branch_sha is not None and task.base_sha != "" and branch_sha not in task.heads
        return [
            RemoteRead(
                repository_id=action.repository_id,
                attempt=attempt.id,
                sequence=action.sequence,
                branch_sha=branch_sha,
                branch_is_empty=strange and await client.contains(task.base_sha, str(branch_sha)),
                landed=await self._landed(client, attempt, task, branch_sha) if action.sequence is None and branch_sha else "",
                pulls=tuple(self._seen(pull) for pull in branch.pulls),
                issue_open=issue.state == "open",
                issue_hash=issue.snapshot.hash,
            )
        ]

    @staticmethod
    async def _landed(client: RepositoryClient, attempt: Attempt, task: Task, branch_sha: str) -> str:
        """The newest head that the branch is at or builds on."""
        taken_over = task.published.report.head_sha if task.published else ""
        for head in (*(one.head_sha for one in reversed(attempt.evidence)), taken_over):
            if head and (branch_sha == head or await client.contains(branch_sha, head)):
                return head
        return ""

    async def _open_pull_request(self, action: OpenPullRequest) -> Sequence[AnyEvent]:
        attempt, task = await self._attempt(action.attempt)
        if attempt is None or task is None:
            return []
        report = attempt.said_of(attempt.landed)
        if report is None:
            raise UserError(f"attempt {attempt.id} pushed `{task.branch}` but left no report to open a pull request from")
        client = await self._client(action.repository_id)
        base = (await client.branch(task.branch)).default_branch
        pull = await client.create_pull(
            report.pull_request_title, report.pull_request_body, head=task.branch, base=base, draft=report.draft
        )
        return [PullRequestOpened(repository_id=action.repository_id, attempt=attempt.id, pull=self._seen(pull))]

    # What people see

    async def _sync_report(self, action: SyncReport) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        held = await self.reporter.sync(client, action.repository_id, action.orchestration, again=action.again)
        self.usage.follow(action.orchestration, action.repository_id)
        return _held_back(action, held)

    async def _refresh_report(self, action: RefreshReport) -> Sequence[AnyEvent]:
        client = await self._client(action.repository_id)
        held = await self.reporter.sync(client, action.repository_id, action.orchestration, again=False)
        return _held_back(action, held)

    async def _sync_comment(self, action: SyncComment) -> Sequence[AnyEvent]:
        await self.reporter.sync_note(await self._client(action.repository_id), action.repository_id, action.issue)
        return []

    async def _conclude_check(self, action: ConcludeCheck) -> Sequence[AnyEvent]:
        """By telling how its work ended, where it is that work's; else it only says that nobody works for it."""
        client = await self._client(action.repository_id)
        orchestration = action.external_id.partition(":")[0]
        view = await self.database.read(lambda c: load_view(c, orchestration, self.settings.github_url))
        if view is not None and action.head_sha in {check.head_sha for check in wanted_checks(view)}:
            await self.reporter.sync(client, action.repository_id, orchestration, again=True)
        else:
            await client.upsert_check(abandoned(action.name, action.head_sha, action.external_id), action.check)
        return []

    # Look-ups

    async def _client(self, repository_id: int) -> RepositoryClient:
        repository = await self.database.read(lambda c: rows.load_repository(c, repository_id))
        if repository is None:
            raise UserError(f"repository {repository_id} is unknown")
        return self.github.repository(repository.full_name, repository.id, repository.installation_id)

    async def _attempt(self, attempt_id: str) -> tuple[Attempt | None, Task | None]:
        return await self.database.read(lambda c: rows.attempt_and_task(c, attempt_id))

    def _seen(self, pull: PullNow) -> PullRequestSeen:
        return PullRequestSeen(
            number=pull.number,
            state="open" if pull.state == "open" else "closed",
            merged=pull.merged,
            head_sha=pull.head_sha,
            ours=pull.author == self.github.login,
            url=pull.html_url,
        )


def _held_back(action: SyncReport | RefreshReport, until: datetime | None) -> Sequence[AnyEvent]:
    if until is None:
        return []
    return [ReportHeldBack(repository_id=action.repository_id, orchestration=action.orchestration, until=until)]


def _asked(action: AnyAction) -> dict[str, Any]:
    """What an action was about, as the event that answers it repeats it; where it had to be done is no part of that."""
    return action.model_dump(exclude={"kind", "place"})
