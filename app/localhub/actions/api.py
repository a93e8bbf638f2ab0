"""Endpoints of GitHub Actions: workflows, dispatches, runs, their jobs, and runners."""

from typing import Any

from pydantic import BaseModel, Field

from app.localhub import bare
from app.localhub.actions import runs, show
from app.localhub.actions.workflow_file import WorkflowFile
from app.localhub.calls import Call, Json, Reply
from app.localhub.errors import Refused, not_found
from app.localhub.records import Workflow, WorkflowRun

# Source: GitHub's documentation of `on.workflow_dispatch.inputs`.
_MOST_INPUT_CHARACTERS = 65_535
_OF_ONE_ATTEMPT = ("status", "conclusion", "runner_id", "stopping", "started_at", "completed_at")


def workflows(call: Call) -> Reply:
    found = runs.workflows(call.hub, call.repository)
    return call.wrapped("workflows", found, lambda row: _shown(call, row))


def workflow(call: Call) -> Reply:
    return Reply(200, _shown(call, _workflow(call)))


def _shown(call: Call, row: Workflow) -> Json:
    head = bare.resolve(call.state.git_dir(call.repository), call.repository.default_branch) or ""
    try:
        name = runs.file_at(call.hub, call.repository, row.path, head).name
    except Refused:
        name = row.path
    return show.workflow(call.state, call.repository, row, name)


def _workflow(call: Call) -> Workflow:
    wanted = call.path["workflow_id"]
    for row in runs.workflows(call.hub, call.repository):
        if wanted in {str(row.id), row.path.rpartition("/")[2]}:
            return row
    raise not_found()


class Dispatch(BaseModel):
    """Body of a dispatch."""

    ref: str
    inputs: dict[str, Any] = Field(default_factory=dict)
    return_run_details: bool = False


def dispatch(call: Call) -> Reply:
    """A queued run; 204, or its address when that was asked for."""
    row, wanted = _workflow(call), call.parse(Dispatch)
    if call.hub.run_details == "refused" and "return_run_details" in call.body:
        raise Refused(422, 'Invalid request.\n\n"return_run_details" is not a permitted key.')
    branch = wanted.ref.removeprefix("refs/heads/")
    head = bare.resolve(call.state.git_dir(call.repository), branch)
    if head is None:
        raise Refused(422, f"No ref found for: {wanted.ref}")
    file = runs.file_at(call.hub, call.repository, row.path, head)
    if row.state != "active":
        raise Refused(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    made = runs.Wanted(row, file, branch, head, inputs=_inputs(file, wanted.inputs))
    run = runs.new_run(call.hub, call.repository, call.by, made)
    if not wanted.return_run_details or call.hub.run_details == "ignored":
        return Reply(204)
    shown = show.run(call.state, call.repository, run)
    return Reply(200, {"workflow_run_id": run.id, "run_url": shown["url"], "html_url": shown["html_url"]})


def _inputs(file: WorkflowFile, given: dict[str, Any]) -> dict[str, str]:
    if file.inputs is None:
        raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
    if unknown := sorted(set(given) - set(file.inputs)):
        raise Refused(422, f"Unexpected inputs provided: {unknown}")
    values = {name: _text(given.get(name, about.get("default", ""))) for name, about in file.inputs.items()}
    for name, about in file.inputs.items():
        if about.get("required") and not values[name]:
            raise Refused(422, f"Required input '{name}' not provided")
    if sum(map(len, values.values())) > _MOST_INPUT_CHARACTERS:
        raise Refused(422, "inputs are too large.")
    return values


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def all_runs(call: Call) -> Reply:
    return _runs(call, lambda _row: True)


def runs_of_workflow(call: Call) -> Reply:
    wanted = _workflow(call).id
    return _runs(call, lambda row: row.workflow_id == wanted)


def _runs(call: Call, wanted: Any) -> Reply:
    filters = {name: call.query[name] for name in ("event", "head_sha", "status") if name in call.query}
    if "branch" in call.query:
        filters["head_branch"] = call.query["branch"]
    found = call.state.workflow_runs.where(lambda row: row.repository_id == call.repository.id and wanted(row))
    shown = [row for row in found if all(value in {getattr(row, name), row.conclusion} for name, value in filters.items())]
    return call.wrapped("workflow_runs", shown[::-1], lambda row: show.run(call.state, call.repository, row))


def run(call: Call) -> Reply:
    return Reply(200, show.run(call.state, call.repository, _run(call)))


def jobs(call: Call) -> Reply:
    return call.wrapped("jobs", [_run(call)], lambda row: show.job(call.state, call.repository, row))


def cancel(call: Call) -> Reply:
    """Asks the runner to stop; one that still waits is over at once."""
    return _cancel(call, "cancel")


def force_cancel(call: Call) -> Reply:
    return _cancel(call, "force-cancel")


def _cancel(call: Call, how: Any) -> Reply:
    row = _run(call)
    if row.status == "completed":
        raise Refused(409, "Cannot cancel a workflow run that is completed.")
    row.stopping = how
    if row.status == "queued":
        runs.end(call.hub, call.repository, row, "cancelled")
    call.state.workflow_runs.save(row)
    return Reply(202, {})


def rerun(call: Call) -> Reply:
    row = _run(call)
    if row.status != "completed":
        raise Refused(403, "This workflow is already running")
    fresh: Json = {
        "status": "queued",
        "conclusion": None,
        "runner_id": None,
        "stopping": "",
        "started_at": None,
        "completed_at": None,
    }
    again = row.model_copy(update={**fresh, "attempt": row.attempt + 1, "job_id": call.state.next_id()})
    runs.queue(call.hub, call.repository, again)
    return Reply(201, {})


def _run(call: Call) -> WorkflowRun:
    found = call.state.workflow_runs.get(call.number("run_id"))
    if found is None or found.repository_id != call.repository.id:
        raise not_found()
    return found


def runners(call: Call) -> Reply:
    found = call.state.runners.where(lambda row: row.repository_id == call.repository.id)
    return call.wrapped("runners", found, show.runner)
