"""Issues: list, read, write, label, and their history."""

from typing import Literal

from pydantic import BaseModel

from app.localhub import issues, render_issues
from app.localhub.api_repositories import find_label, make_label
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused
from app.localhub.permissions import may
from app.localhub.records import Issue, Label, Repository
from app.localhub.state import State


class NewIssue(BaseModel):
    """Body of an issue's creation."""

    title: str | int
    body: str | None = None
    labels: list[str | dict[str, str | None]] = []


class IssueEdit(BaseModel):
    """Body of an issue's change; what is absent stays."""

    title: str | int | None = None
    body: str | None = None
    state: Literal["open", "closed"] | None = None
    state_reason: Literal["completed", "not_planned", "duplicate", "reopened"] | None = None
    labels: list[str | dict[str, str | None]] | None = None


class LabelNames(BaseModel):
    """Body of adding labels in the documented form."""

    labels: list[str | dict[str, str | None]] = []


def listing(call: Call) -> Reply:
    """Issues and pull requests, filtered by state, labels, creator and `since`, newest first by default."""
    query, state = call.query, call.state
    wanted_state = query.get("state", "open")
    names = {name.lower() for name in query.get("labels", "").split(",") if name}
    found = [
        row
        for row in state.issues
        if row.repository_id == call.repository.id
        and wanted_state in {row.state, "all"}
        and names <= {state.labels[label_id].name.lower() for label_id in row.label_ids}
        and query.get("creator", state.accounts[row.user_id].login) == state.accounts[row.user_id].login
        and row.updated_at >= query.get("since", "")
    ]
    by_update = query.get("sort") == "updated"
    found.sort(key=lambda row: (row.updated_at if by_update else "", row.number), reverse=query.get("direction", "desc") == "desc")
    return call.listing(found, lambda row: render_issues.issue(state, row))


def issue(call: Call) -> Reply:
    return Reply(200, render_issues.issue(call.state, find(call)))


def create(call: Call) -> Reply:
    """A new issue; labels of somebody who may not label are dropped without a word, as GitHub does."""
    wanted, state, where = call.parse(NewIssue), call.state, call.repository
    title = issues.checked_title(wanted.title)
    issues.check_body(wanted.body, "Issue")
    made = issues.new_issue(state, where, title, wanted.body, call.by)
    named = wanted.labels if may(call.actor, where, "triage") else []
    labels = _named_labels(state, where, named)
    made.label_ids = [label.id for label in labels]
    issues.tell(call.hub, made, "opened", call.by)
    for label in labels:
        issues.tell_label(call.hub, made, "labeled", label, call.by)
    return Reply(201, render_issues.issue(state, made))


def edit(call: Call) -> Reply:
    """Title, body, state and labels; the author may change the words, triage the rest."""
    row, wanted = find(call), call.parse(IssueEdit)
    if not may(call.actor, call.repository, "triage") and row.user_id != call.by.account_id:
        raise Refused(403, "Must have admin rights to Repository.")
    issues.change_text(call.hub, row, wanted, call.by)
    if wanted.labels is not None and may(call.actor, call.repository, "triage"):
        _replace_labels(call, row, _named_labels(call.state, call.repository, wanted.labels))
    if wanted.state is not None and wanted.state != row.state:
        issues.set_state(call.hub, row, wanted.state, wanted.state_reason, call.by)
    return Reply(200, render_issues.issue(call.state, row))


def labels(call: Call) -> Reply:
    return call.listing(render_issues.labels(call.state, find(call)), dict)


def add_labels(call: Call) -> Reply:
    """Adds labels; names unknown to the repository are made."""
    row = find(call)
    for label in _named_labels(call.state, call.repository, call.parse(LabelNames).labels):
        issues.add_label(call.hub, row, label, call.by)
    return Reply(200, render_issues.labels(call.state, row))


def remove_label(call: Call) -> Reply:
    row = find(call)
    label = find_label(call.state, call.repository, call.path["name"])
    if label is None or label.id not in row.label_ids:
        raise Refused(404, "Label does not exist")
    issues.remove_label(call.hub, row, label, call.by)
    return Reply(200, render_issues.labels(call.state, row))


def events(call: Call) -> Reply:
    """The history, oldest first."""
    row = find(call)
    mine = call.state.issue_events.where(lambda event: event.issue_id == row.id)
    return call.listing(mine, lambda event: render_issues.issue_event(call.state, event))


def find(call: Call) -> Issue:
    """The issue that the path names."""
    return issues.find_issue(call.state, call.repository, call.number("issue_number"))


def _replace_labels(call: Call, row: Issue, wanted: list[Label]) -> None:
    for label in [call.state.labels[label_id] for label_id in row.label_ids]:
        if label not in wanted:
            issues.remove_label(call.hub, row, label, call.by)
    for label in wanted:
        issues.add_label(call.hub, row, label, call.by)


def _named_labels(state: State, where: Repository, given: list[str | dict[str, str | None]]) -> list[Label]:
    names = [item if isinstance(item, str) else (item.get("name") or "") for item in given]
    return [find_label(state, where, name) or make_label(state, where, name) for name in dict.fromkeys(names) if name]
