"""Brings check runs and comments on GitHub in line with the database: renders at sending, writes only what differs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection

from app.freshness import Move, Shown, move
from app.github.client import NotFound
from app.github.repository import CheckWrite, RepositoryClient
from app.github.texts import CheckText, CommentText, Text
from app.report.check_run import CheckText as CheckRunText
from app.report.check_run import orchestration_check, orchestration_check_name, task_check
from app.report.comments import note_comment, settings_comment, status_comment, status_marker
from app.report.status import AppStatus, CheckState, Operation, OrchestrationState, orchestration_state
from app.report.view import OrchestrationView, TaskView
from app.store import documents, operator, rows
from app.store.database import Database
from app.store.documents import Document
from app.views import load_view
from shared.github import CHECK_NAME


@dataclass(frozen=True)
class Wanted:
    """A check run that should exist as `text` says."""

    key: str
    name: str
    head_sha: str
    external_id: str
    issue: int | None
    details_url: str
    text: CheckRunText
    news: str
    is_old_head: bool = False


@dataclass(frozen=True)
class Page:
    """A text and what to do with it now; `document` is what will be remembered of it."""

    move: Move
    until: datetime | None
    text: Text
    document: Document
    # Its commit may have been force-pushed away, and GitHub forgets such commits.
    may_be_gone: bool = False


@dataclass
class Reporter:
    """One per app; GitHub's writes go through the repository client, which paces them."""

    database: Database
    github_url: str
    clock: Callable[[], datetime]
    refresh: timedelta

    async def sync(self, client: RepositoryClient, repository_id: int, orchestration_id: str, *, again: bool) -> datetime | None:
        """Writes what differs, conclusions first. What could wait travels along when something is written at all.

        Answers when what was held back may be written, None when nothing was.
        """
        view = await self.database.read(lambda c: load_view(c, orchestration_id, self.github_url))
        if view is None:
            return None
        known = await self.database.read(lambda c: documents.of_orchestration(c, orchestration_id))
        wanted = wanted_checks(view)
        checks = [
            *sorted(wanted, key=lambda check: check.text.conclusion is None),
            *(_of_old_head(stale) for stale in superseded(known, wanted)),
        ]
        pages = [self._check_page(orchestration_id, check, known.get(check.key), again=again) for check in checks]
        for task in view.sorted_tasks:
            text = settings_comment(view, task.issue) if view.settings_mistake else status_comment(view, task.issue)
            news = text if view.settings_mistake else _news_of(task)
            pages.append(await self._comment_page(orchestration_id, repository_id, task.issue, text, news))
        return await self._write(client, pages)

    async def sync_note(self, client: RepositoryClient, repository_id: int, issue: int) -> None:
        """The comment of an issue on which nothing is started: why not."""
        task = await self.database.read(lambda c: rows.task_of(c, repository_id, issue))
        if task is None or not task.note:
            return
        if task.orchestration:
            await self.sync(client, repository_id, task.orchestration, again=False)
        else:
            note = note_comment(repository_id, issue, task.note)
            await self._write(client, [await self._comment_page("", repository_id, issue, note, note)])

    async def status(self) -> AppStatus:
        """Every orchestration for programs, with the check runs as they were written."""
        identifiers = await self.database.read(rows.orchestration_ids)
        states = [await self._state(identifier) for identifier in identifiers]
        return AppStatus(operation=await self.operation(), orchestrations=tuple(state for state in states if state is not None))

    async def operation(self) -> Operation:
        """As the database has it, for every app on it."""
        return await self.database.read(lambda c: Operation(mode=operator.mode(c).value, running=rows.slots_held(c)))

    async def _state(self, identifier: str) -> OrchestrationState | None:
        view = await self.database.read(lambda c: load_view(c, identifier, self.github_url))
        if view is None:
            return None
        written = await self.database.read(lambda c: documents.of_orchestration(c, identifier))
        wanted = {check.key: check for check in wanted_checks(view)}
        checks = tuple(
            _check_state(wanted.get(key), written.get(key)) for key in sorted({*wanted, *written}) if key.startswith("check:")
        )
        return orchestration_state(view, orchestration_check(view), checks)

    async def _write(self, client: RepositoryClient, pages: Sequence[Page]) -> datetime | None:
        """Together as far as GitHub takes it, the rest one by one; what is confirmed is remembered at once."""
        held = min((page.until for page in pages if page.move is Move.HOLD and page.until is not None), default=None)
        due = [page for page in pages if page.move is Move.WRITE]
        if not due:
            return held
        together = [*due, *(page for page in pages if page.move is Move.HOLD)]
        written = list(zip(together, await client.write_texts([page.text for page in together]), strict=True))
        await self._remember(*(replace(page.document, github_id=made) for page, made in written if made is not None))
        left = [page for page, made in written if made is None]
        for page in left:
            if page.move is Move.WRITE:
                await self._write_alone(client, page)
        return min((page.until for page in left if page.move is Move.HOLD and page.until is not None), default=None)

    async def _write_alone(self, client: RepositoryClient, page: Page) -> None:
        text = page.text
        try:
            if isinstance(text, CheckText):
                github_id = await client.upsert_check(text.check, text.known_id)
            else:
                github_id = await client.upsert_comment(text.number, text.marker, text.body, text.known_id)
        except NotFound:
            if not page.may_be_gone:
                raise
            return
        await self._remember(replace(page.document, github_id=github_id))

    async def _remember(self, *written: Document) -> None:
        def put(connection: Connection) -> None:
            for document in written:
                documents.put(connection, document)

        await self.database.write(put)

    def _check_page(self, orchestration: str, check: Wanted, known: Document | None, *, again: bool) -> Page:
        text = check.text
        document = Document(
            key=check.key,
            orchestration=orchestration,
            issue=check.issue,
            head_sha=check.head_sha,
            github_id=known.github_id if known else None,
            hash=hash_of(text),
            conclusion=text.conclusion or "",
            title=text.title,
            news=check.news,
            written_at=self.clock().timestamp(),
        )
        what, until = self._move(Shown(document.hash, check.news), known)
        wanted = CheckText(self._check_write(check), document.github_id)
        return Page(Move.WRITE if again and not check.is_old_head else what, until, wanted, document, check.is_old_head)

    def _move(self, wanted: Shown, known: Document | None) -> tuple[Move, datetime | None]:
        now = self.clock()
        if known is None:
            return move(wanted, None, now, now, self.refresh)
        return move(wanted, Shown(known.hash, known.news), datetime.fromtimestamp(known.written_at, UTC), now, self.refresh)

    def _check_write(self, check: Wanted) -> CheckWrite:
        text = check.text
        return CheckWrite(
            name=check.name,
            head_sha=check.head_sha,
            external_id=check.external_id,
            status=text.status,
            conclusion=text.conclusion,
            title=text.title,
            summary=text.summary,
            text=text.text,
            details_url=check.details_url,
            actions=tuple({"label": b.label, "description": b.description, "identifier": b.identifier} for b in text.actions),
            annotations=tuple(
                {
                    "path": a.path,
                    "start_line": a.start_line,
                    "end_line": a.end_line,
                    "annotation_level": a.level,
                    "message": a.message,
                    "title": a.title,
                }
                for a in text.annotations
            ),
            completed_at=self.clock().astimezone(UTC) if text.conclusion else None,
        )

    async def _comment_page(self, orchestration: str, repository_id: int, issue: int, text: str, news: str) -> Page:
        key = f"comment:{repository_id}:{issue}"
        text_hash, told = sha256(text.encode()).hexdigest(), sha256(news.encode()).hexdigest()
        known = await self.database.read(lambda c: documents.get(c, key))
        what, until = self._move(Shown(text_hash, told), known)
        github_id = known.github_id if known else None
        document = Document(key, orchestration, issue, "", github_id, text_hash, "", "", told, self.clock().timestamp())
        return Page(what, until, CommentText(issue, status_marker(repository_id, issue), text, github_id), document)


def hash_of(text: CheckRunText) -> str:
    """Equal for texts that GitHub would show alike."""
    return sha256(json.dumps(asdict(text), sort_keys=True, default=str).encode()).hexdigest()


def _check_state(wanted: Wanted | None, written: Document | None) -> CheckState:
    """As GitHub shows it; one that is still to be written, or written anew, is not concluded yet."""
    current = written is not None and (wanted is None or written.hash == hash_of(wanted.text))
    conclusion = written.conclusion if written is not None and current else None
    head_sha = wanted.head_sha if wanted else written.head_sha if written else ""
    title = written.title if written else wanted.text.title if wanted else ""
    return CheckState.model_validate({"head_sha": head_sha, "conclusion": conclusion or None, "title": title})


def wanted_checks(view: OrchestrationView) -> list[Wanted]:
    """One on the base commit for the whole, one on the head of every task's branch that has one.

    News is a conclusion, and that all is over: the last word of every table is as prompt as a verdict.
    """
    checks = []
    if view.base_sha:
        name, key, text = orchestration_check_name(view), f"check:{view.id}:{view.base_sha}", orchestration_check(view)
        checks.append(
            Wanted(key, name, view.base_sha, view.id, None, view.details_url, text, f"{text.conclusion or ''} {view.status}")
        )
    for task in view.sorted_tasks:
        if task.head_sha:
            external_id = f"{view.id}:{task.issue}"
            key = f"check:{external_id}:{task.head_sha}"
            text = task_check(view, task.issue)
            news = f"{text.conclusion or ''} {view.status == 'done'}"
            checks.append(Wanted(key, CHECK_NAME, task.head_sha, external_id, task.issue, view.details_url, text, news))
    return checks


def _news_of(task: TaskView) -> str:
    """The verdict, that somebody is asked for something, or an answer to what somebody did."""
    verdict = task.verdict.name if task.verdict and task.status == "done" else ""
    return f"{verdict} {task.waiting_for if task.waits_for_person else ''} {task.note}"


def _of_old_head(old: Document) -> Wanted:
    text = CheckRunText(
        title="A newer commit is on this branch",
        summary="This commit is no longer the head of its pull request; see the check on the newest commit.",
        text="",
        status="completed",
        conclusion="neutral",
    )
    external_id = old.key.removeprefix("check:").rsplit(":", 1)[0]
    return Wanted(old.key, CHECK_NAME, old.head_sha, external_id, old.issue, "", text, "superseded", is_old_head=True)


def superseded(known: dict[str, Document], wanted: list[Wanted]) -> list[Document]:
    """Checks that were left open on a commit that is no longer anybody's head."""
    keys = {check.key for check in wanted}
    return [d for key, d in known.items() if key.startswith("check:") and key not in keys and not d.conclusion]


def abandoned(name: str, head_sha: str, external_id: str) -> CheckWrite:
    """The last word on a check that stands for no work that is known."""
    return CheckWrite(
        name=name,
        head_sha=head_sha,
        external_id=external_id,
        status="completed",
        conclusion="neutral",
        title="Nobody works on this any more",
        summary="This check was left open. Shoal knows of no work that it stands for; label the issue again to start anew.",
    )
