"""Check runs: written by the App that owns them alone, within GitHub's limits."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from app.localhub import bare, render, render_checks
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused, not_for_integrations, not_found
from app.localhub.hub import Hub
from app.localhub.records import CheckRun, CheckSuite
from shared.github import CHECK_ANNOTATION_LIMIT, CHECK_BUTTON_LIMIT, CHECK_TEXT_LIMIT

Text = Annotated[str, StringConstraints(max_length=CHECK_TEXT_LIMIT)]
Short = Annotated[str, StringConstraints(max_length=20)]
Conclusion = Literal["action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out"]


class Annotation(BaseModel):
    """One remark at one place."""

    path: str
    start_line: int
    end_line: int
    annotation_level: Literal["notice", "warning", "failure"]
    message: str
    start_column: int | None = None
    end_column: int | None = None
    title: str | None = Field(default=None, max_length=255)
    raw_details: str | None = None


class Output(BaseModel):
    """What people read."""

    title: str | None = None
    summary: Text
    text: Text | None = None
    annotations: list[Annotation] = Field(default=[], max_length=CHECK_ANNOTATION_LIMIT)


class NewOutput(Output):
    """At creation the title is required too."""

    title: str


class Button(BaseModel):
    """One of at most three buttons."""

    label: Short
    description: Annotated[str, StringConstraints(max_length=40)]
    identifier: Short


class CheckEdit(BaseModel):
    """Body of a check run's change; what is absent stays."""

    name: str | None = None
    status: Literal["queued", "in_progress", "completed"] | None = None
    conclusion: Conclusion | None = None
    external_id: str | None = None
    details_url: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    output: Output | None = None
    actions: list[Button] | None = Field(default=None, max_length=CHECK_BUTTON_LIMIT)


class NewCheck(CheckEdit):
    """Body of a check run's creation."""

    name: str
    head_sha: str
    output: NewOutput | None = None


def create(call: Call) -> Reply:
    """A new check run in the App's suite on that commit."""
    wanted, state = call.parse(NewCheck), call.state
    sha = wanted.head_sha
    if len(sha) != 40 or bare.resolve(state.git_dir(call.repository), sha) != sha:
        raise Refused(422, f"No commit found for SHA: {sha}")
    made = CheckRun(
        id=state.next_id(),
        repository_id=call.repository.id,
        suite_id=_suite(call, sha).id,
        app_id=call.app.id,
        name=wanted.name,
        head_sha=sha,
        started_at=state.stamp(),
    )
    _apply(call, made, wanted)
    tell(call.hub, made, "created", call.by.account_id)
    if made.status == "completed":
        tell_of_suite(call.hub, made)
    return Reply(201, render_checks.check_run(state, made))


def edit(call: Call) -> Reply:
    row, wanted = find(call), call.parse(CheckEdit)
    if row.app_id != call.app.id:
        raise Refused(
            403, "Invalid app_id `" + str(call.app.id) + "` - check run can only be modified by the GitHub App that created it."
        )
    was_done = row.status == "completed"
    _apply(call, row, wanted)
    if row.status == "completed" and not was_done:
        tell(call.hub, row, "completed", call.by.account_id)
        tell_of_suite(call.hub, row)
    return Reply(200, render_checks.check_run(call.state, row))


def _apply(call: Call, row: CheckRun, wanted: CheckEdit) -> None:
    if wanted.status == "completed" and wanted.conclusion is None and row.conclusion is None:
        raise Refused(422, 'Invalid request.\n\nNo subschema in "anyOf" matched: "conclusion" wasn\'t supplied.')
    given: dict[str, Any] = wanted.model_dump(
        include={"name", "status", "external_id", "details_url", "started_at"}, exclude_none=True
    )
    for name, value in given.items():
        setattr(row, name, value)
    if wanted.conclusion is not None or wanted.completed_at is not None:
        row.status, row.conclusion = "completed", wanted.conclusion or row.conclusion
        row.completed_at = wanted.completed_at or call.state.stamp()
    elif wanted.status in {"queued", "in_progress"}:  # begun again
        row.conclusion = row.completed_at = None
    if wanted.output is not None:
        for name in wanted.output.model_fields_set - {"annotations"}:
            setattr(row, name, getattr(wanted.output, name))
        row.annotations += [annotation.model_dump() for annotation in wanted.output.annotations]
    if wanted.actions is not None:
        row.actions = [button.model_dump() for button in wanted.actions]
    call.state.check_runs.save(row)


def check_run(call: Call) -> Reply:
    return Reply(200, render_checks.check_run(call.state, find(call)))


def annotations(call: Call) -> Reply:
    row = find(call)
    blob = f"{render.web_url(call.state, call.repository)}/blob/{row.head_sha}"
    return call.listing(row.annotations, lambda one: {**one, "blob_href": f"{blob}/{one['path']}"})


def rerequest(call: Call) -> Reply:
    """Asks the owner to run it again; the run itself stays as it is."""
    row = find(call)
    if call.by.app_id not in {None, row.app_id}:
        raise not_for_integrations()
    tell(call.hub, row, "rerequested", call.by.account_id)
    return Reply(201, {})


def for_reference(call: Call) -> Reply:
    """The check runs of a commit, by name, App and status; `latest` keeps one of each name."""
    query, sha = call.query, _sha(call)
    found = [
        row
        for row in call.state.check_runs
        if row.repository_id == call.repository.id
        and row.head_sha == sha
        and query.get("check_name", row.name) == row.name
        and query.get("app_id", str(row.app_id)) == str(row.app_id)
        and query.get("status", row.status) == row.status
    ]
    if query.get("filter", "latest") == "latest":
        found = render_checks.latest(found)
    page, headers = call.page(found[::-1])
    return Reply(
        200, {"total_count": len(found), "check_runs": [render_checks.check_run(call.state, row) for row in page]}, headers
    )


def suites_for_reference(call: Call) -> Reply:
    sha, wanted = _sha(call), call.query.get("app_id", "")
    found = call.state.check_suites.where(
        lambda row: row.repository_id == call.repository.id and row.head_sha == sha and wanted in {"", str(row.app_id)}
    )
    page, headers = call.page(found)
    shown = [render_checks.check_suite(call.state, row) for row in page]
    return Reply(200, {"total_count": len(found), "check_suites": shown}, headers)


def tell_of_suite(hub: Hub, row: CheckRun) -> None:
    """The end of a suite concerns every App that reads checks, also the one that made it."""
    state = hub.state
    suite = render_checks.check_suite(state, state.check_suites[row.suite_id])
    if suite["status"] == "completed":
        where = state.repositories[row.repository_id]
        hub.webhooks.emit(where, state.apps[row.app_id].bot_id, "check_suite", "completed", {"check_suite": suite})


def tell(hub: Hub, row: CheckRun, action: str, sender_id: int, **extra: object) -> None:
    """Tells the App that owns the run; only some of these concern others, and nobody else listens here."""
    state = hub.state
    shown = {
        **render_checks.check_run(state, row),
        "actions": row.actions,
        "check_suite": render_checks.check_suite(state, state.check_suites[row.suite_id]),
    }
    hub.webhooks.emit(
        state.repositories[row.repository_id], sender_id, "check_run", action, {"check_run": shown, **extra}, only_app=row.app_id
    )


def find(call: Call) -> CheckRun:
    """The check run that the path names."""
    found = call.state.check_runs.get(call.number("check_run_id"))
    if found is None or found.repository_id != call.repository.id:
        raise not_found()
    return found


def _suite(call: Call, sha: str) -> CheckSuite:
    key = (call.repository.id, call.app.id, sha)
    found = call.state.check_suites.find(lambda row: (row.repository_id, row.app_id, row.head_sha) == key)
    if found is not None:
        return found
    made = CheckSuite(
        id=call.state.next_id(), repository_id=call.repository.id, app_id=call.app.id, head_sha=sha, created_at=call.state.stamp()
    )
    return call.state.check_suites.save(made)


def _sha(call: Call) -> str:
    sha = bare.resolve(call.state.git_dir(call.repository), call.path["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.path['ref']}")
    return sha
