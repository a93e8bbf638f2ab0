"""A run's life: queued, on a runner, over; every step is told to the Apps that subscribed."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from app.localhub import bare, render
from app.localhub.actions import show
from app.localhub.actions.workflow_file import WorkflowFile, parse
from app.localhub.errors import Refused
from app.localhub.hub import By, Hub
from app.localhub.records import Repository, SelfHostedRunner, Workflow, WorkflowRun

_FOLDER = ".github/workflows"
Conclusion = Literal["success", "failure", "cancelled", "timed_out"]


def workflows(hub: Hub, where: Repository) -> list[Workflow]:
    """Those of the default branch; a file keeps its id as long as it is there."""
    git_dir = hub.state.git_dir(where)
    head = bare.resolve(git_dir, where.default_branch)
    paths = [blob.path for blob in bare.entries(git_dir, head, f"{_FOLDER}/")] if head else []
    return [_workflow(hub, where, path) for path in sorted(paths) if path.endswith((".yml", ".yaml"))]


def _workflow(hub: Hub, where: Repository, path: str) -> Workflow:
    known = hub.state.workflows.find(lambda row: row.repository_id == where.id and row.path == path)
    if known is not None:
        return known
    row = Workflow(id=hub.state.next_id(), repository_id=where.id, path=path, created_at=hub.state.stamp())
    return hub.state.workflows.save(row)


def file_at(hub: Hub, where: Repository, path: str, commit: str) -> WorkflowFile:
    """The workflow as it stands at a commit; 422 for what is none."""
    git_dir = hub.state.git_dir(where)
    blob = next((blob for blob in bare.entries(git_dir, commit, path) if blob.path == path), None)
    if blob is None:
        raise Refused(422, f"Workflow {path} does not exist on this ref")
    try:
        file = parse(bare.content(git_dir, blob.sha).decode("utf-8", "replace"), path)
        return file.with_called(_called(hub, file.calls)) if file.calls else file
    except ValueError as error:
        raise Refused(422, f"Invalid workflow file: {error}") from error


@dataclass(frozen=True)
class Wanted:
    """A run to be made: of which workflow, as it stands where, and why."""

    workflow: Workflow
    file: WorkflowFile
    branch: str
    head: str
    event: str = "workflow_dispatch"
    inputs: dict[str, str] | None = None
    payload: dict[str, Any] | None = None


def new_run(hub: Hub, where: Repository, by: By, wanted: Wanted) -> WorkflowRun:
    """Queued, in the name of whoever caused it."""
    state, file, inputs = hub.state, wanted.file, wanted.inputs or {}
    row = WorkflowRun(
        id=state.next_id(),
        repository_id=where.id,
        workflow_id=wanted.workflow.id,
        workflow_name=file.name,
        path=wanted.workflow.path,
        calls=file.calls,
        number=1 + len(state.workflow_runs.where(lambda other: other.workflow_id == wanted.workflow.id)),
        title=file.title(inputs),
        event=wanted.event,
        inputs=inputs,
        payload=wanted.payload or {},
        head_branch=wanted.branch,
        head_sha=wanted.head,
        actor_id=by.account_id,
        job_id=state.next_id(),
        job_name=file.job,
        labels=list(file.labels),
        permissions=file.permissions,
        minutes=file.minutes,
        created_at=state.stamp(),
    )
    return queue(hub, where, row)


def on_label(hub: Hub, where: Repository, by: By, payload: dict[str, Any]) -> None:
    """A label starts every active workflow that waits for one; what a job's own token does starts nothing: loops."""
    head = where.refs.get(f"refs/heads/{where.default_branch}", "")
    waiting = _waiting_for_labels(hub.state.git_dir(where), head) if head else ()
    if not waiting or (by.app_id is not None and hub.state.apps[by.app_id].slug == "github-actions"):
        return
    told = {
        **payload,
        "action": "labeled",
        "repository": render.full_repository(hub.state, where),
        "sender": render.user(hub.state, by.account_id),
    }
    for path, file in waiting:
        workflow = _workflow(hub, where, path)
        if workflow.state == "active":
            new_run(hub, where, by, Wanted(workflow, file, where.default_branch, head, event="issues", payload=told))


@lru_cache(maxsize=64)
def _waiting_for_labels(git_dir: Path, head: str) -> tuple[tuple[str, WorkflowFile], ...]:
    """Read once per commit, for labels are many."""
    found = []
    for blob in bare.entries(git_dir, head, f"{_FOLDER}/"):
        if blob.path.endswith((".yml", ".yaml")):
            try:
                file = parse(bare.content(git_dir, blob.sha).decode("utf-8", "replace"), blob.path)
            except ValueError:
                continue  # GitHub says so on the workflow's page only
            found += [(blob.path, file)] if file.on_label else []
    return tuple(found)


def _called(hub: Hub, name: str) -> str:
    """The text of a workflow in another repository."""
    address, _, ref = name.partition("@")
    owner, _, rest = address.partition("/")
    repository, _, path = rest.partition("/")
    git_dir = hub.state.git_dir(hub.state.repository(owner, repository))
    commit = bare.resolve(git_dir, ref)
    blob = next((blob for blob in bare.entries(git_dir, commit, path) if blob.path == path), None) if commit else None
    if blob is None:
        raise ValueError(f"error parsing called workflow {name}: workflow was not found")
    return bare.content(git_dir, blob.sha).decode("utf-8", "replace")


def queue(hub: Hub, where: Repository, row: WorkflowRun) -> WorkflowRun:
    """Waits for a runner with its labels."""
    hub.state.workflow_runs.save(row)
    _tell(hub, where, row, "queued")
    return row


def begin(hub: Hub, where: Repository, row: WorkflowRun, runner: SelfHostedRunner) -> None:
    """On this runner, which is busy from now on."""
    row.status, row.runner_id, row.started_at = "in_progress", runner.id, hub.state.stamp()
    runner.run_id = row.id
    hub.state.workflow_runs.save(row)
    hub.state.runners.save(runner)
    _tell(hub, where, row, "in_progress")


def end(hub: Hub, where: Repository, row: WorkflowRun, conclusion: Conclusion) -> None:
    """Over; its runner is free again."""
    row.status, row.conclusion, row.completed_at = "completed", conclusion, hub.state.stamp()
    hub.state.workflow_runs.save(row)
    runner = hub.state.runners.get(row.runner_id) if row.runner_id is not None else None
    if runner is not None and runner.run_id == row.id:
        runner.run_id = None
        hub.state.runners.save(runner)
    _tell(hub, where, row, "completed")


def _tell(hub: Hub, where: Repository, row: WorkflowRun, action: str) -> None:
    job: dict[str, Any] = {"workflow_job": show.job(hub.state, where, row)}
    run = {"workflow_run": show.run(hub.state, where, row)}
    hub.webhooks.emit(where, row.actor_id, "workflow_job", action, job)
    hub.webhooks.emit(where, row.actor_id, "workflow_run", "requested" if action == "queued" else action, run)
