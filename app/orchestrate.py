"""Without a hosted app: the same core for as long as one job lasts, on the labelled issues that the job could claim."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from app.approved import start_labels
from app.decide.state import Orchestration, Task
from app.events import IssueLabelled, RepositoryRef, WorkStopped
from app.github.errors import Forbidden, Invalid
from app.github.repository import IssueNow, RepositoryClient
from app.report.check_run import CheckText, orchestration_check
from app.store import outbox, rows
from app.views import load_view
from app.wanted import Wanted
from app.wiring import App
from shared.errors import UserError
from shared.github import SETTINGS_FILE, branch_name

_LOOK_AGAIN = 0.2
# Of the seven and a half seconds that GitHub gives a job between SIGINT and SIGTERM.
_STOP_PATIENCE = timedelta(seconds=5)
_PERMISSIONS = "`permissions: {contents: write, issues: write, pull-requests: write, checks: write}`"
log = structlog.get_logger()


@dataclass
class Claim:
    """An issue whose branch this job made; `sha` is where it stood then."""

    issue: int
    branch: str
    sha: str


@dataclass
class Orchestrated:
    """What came out: tasks by issue, and the whole in the words of its check."""

    tasks: list[Task] = field(default_factory=list)
    check: CheckText | None = None
    left_alone: dict[int, str] = field(default_factory=dict)


async def orchestrate(
    app: App, where: RepositoryRef, wanted: Wanted, stop: asyncio.Event, say: Callable[[str], None], label: str
) -> Orchestrated:
    """Claims, works until every claimed issue has its verdict or `stop` is set, and gives back what came to nothing."""
    client = app.github.repository(where.full_name, where.id, where.installation_id)
    outcome = Orchestrated()
    claims = await _claim(client, wanted, label, outcome.left_alone, stop)
    for issue, why in sorted(outcome.left_alone.items()):
        say(f"#{issue} left alone: {why}")
    try:
        for claim in claims:
            event = IssueLabelled(repository_id=where.id, repository=where, issue=claim.issue, label=label, sender="")
            await app.loop.submit(event)
        if claims:
            await _until_over(app, where.id, stop, say)
        outcome.tasks = [task for claim in claims if (task := await _task(app, where.id, claim.issue)) is not None]
        outcome.check = await _check(app)
    finally:
        await _give_back(client, claims, outcome.tasks)
    return outcome


async def _claim(
    client: RepositoryClient, wanted: Wanted, label: str, left_alone: dict[int, str], stop: asyncio.Event
) -> list[Claim]:
    """Whoever creates the branch has the issue; who finds it there leaves the issue to somebody else."""
    labels = start_labels(label, await client.file_text(SETTINGS_FILE), ())
    found = [issue for one in labels for issue in await client.labelled_issues(one)]
    labelled = {issue.snapshot.number: issue for issue in found if not issue.is_pull_request}
    words = " or ".join(f"`{one}`" for one in labels)
    left_alone |= {number: f"it is not open with the label {words}" for number in wanted.numbers if number not in labelled}
    chosen = await _chosen(client, wanted, labelled)
    base = await client.branch_sha((await client.about()).default_branch)
    if base is None:
        raise UserError(f"{client.full_name} has no commit on its default branch: push one first")
    claims = []
    for number in sorted(chosen):
        if stop.is_set():  # what is claimed has to be given back, a write a second, and there are seconds left
            break
        issue = labelled[number]
        claim = Claim(number, branch_name(number, issue.snapshot.title), base)
        if await _create(client, claim):
            claims.append(claim)
        else:
            left_alone[number] = await _who_has(client, issue, claim.branch)
    return claims


async def _chosen(client: RepositoryClient, wanted: Wanted, labelled: Iterable[int]) -> set[int]:
    """Whatever is asked for, of the labelled ones only: a search may find what nobody released, even in other repositories."""
    if wanted.search:
        try:
            return set(labelled) & set(await client.found_issues(wanted.search))
        except Invalid as error:
            raise UserError(f"GitHub refuses the search `{wanted.search}` (input `issues`): {error}") from error
    return set(labelled) & set(wanted.numbers) if wanted.numbers else set(labelled)


async def _create(client: RepositoryClient, claim: Claim) -> bool:
    try:
        return await client.create_branch(claim.branch, claim.sha)
    except Forbidden as error:
        raise UserError(f"this job may not create a branch ({error}): give it {_PERMISSIONS} in the workflow file") from error


async def _who_has(client: RepositoryClient, _issue: IssueNow, branch: str) -> str:
    pulls = [pull for pull in await client.pulls_by_head(branch) if pull.state == "open"]
    if pulls:
        return f"pull request #{pulls[0].number} is open for it"
    return f"another job has it, or one was killed: delete the branch `{branch}` to start anew"


async def _until_over(app: App, repository_id: int, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    told: dict[int, str] = {}
    asked_at: float | None = None
    clock = asyncio.get_running_loop().time
    while not await app.database.read(lambda c: _is_over(rows.orchestrations_of(c, repository_id), outbox.is_empty(c))):
        if app.work.done():
            await app.work
        if stop.is_set():
            asked_at = asked_at or clock()
            # Again at each look: what is just being read, or starts, becomes a task or an attempt only then.
            await app.loop.submit(WorkStopped(repository_id=repository_id, reason="the job was cancelled"))
        if asked_at is not None and clock() - asked_at > _STOP_PATIENCE.total_seconds():
            return
        await _tell(app, told, say)
        await asyncio.sleep(_LOOK_AGAIN)
    await _tell(app, told, say)


def _is_over(orchestrations: list[Orchestration], nothing_waits: bool) -> bool:
    return nothing_waits and all(one.ended_at is not None for one in orchestrations)


async def _tell(app: App, told: dict[int, str], say: Callable[[str], None]) -> None:
    """A line whenever a task has come further."""
    for one in (await app.reporter.status()).orchestrations:
        for task in one.tasks:
            at = task.verdict or task.phase or task.status
            if told.get(task.issue) != at:
                told[task.issue] = at
                pull = f", pull request #{task.pull_request}" if task.verdict and task.pull_request else ""
                say(f"#{task.issue} {at.replace('_', ' ')}{pull}")


async def _task(app: App, repository_id: int, issue: int) -> Task | None:
    return await app.database.read(lambda c: rows.task_of(c, repository_id, issue))


async def _check(app: App) -> CheckText | None:
    """Of the one orchestration; a task that was refused before planning is in none."""
    known = await app.database.read(rows.orchestration_ids)
    views = [await app.database.read(lambda c, name=name: load_view(c, name, app.github_url)) for name in known]  # type: ignore[misc]
    return next((orchestration_check(view) for view in views if view is not None), None)


async def _give_back(client: RepositoryClient, claims: list[Claim], tasks: list[Task]) -> None:
    """A branch with nothing on it is only a claim; without it the issue can be taken again."""
    kept = {task.issue for task in tasks if task.pull_request is not None}
    for claim in claims:
        if claim.issue not in kept and await client.branch_sha(claim.branch) == claim.sha:
            await client.delete_branch(claim.branch)
