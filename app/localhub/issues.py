"""What can happen to an issue (or a pull request's half that is one), each told by history and webhook."""

from typing import Literal

from pydantic import BaseModel

from app.localhub import render_issues, render_pulls
from app.localhub.actions import runs
from app.localhub.errors import invalid, not_found
from app.localhub.hub import By, Hub
from app.localhub.records import Issue, Label, Repository, TextEdit
from app.localhub.state import State

_BODY_LIMIT = 65_536


def find_issue(state: State, where: Repository, number: int) -> Issue:
    found = state.issues.find(lambda row: row.repository_id == where.id and row.number == number)
    if found is None:
        raise not_found()
    return found


def touch(state: State, row: Issue) -> None:
    """Remembers a change and its time."""
    row.updated_at = state.stamp()
    state.issues.save(row)


def new_issue(state: State, where: Repository, title: str, body: str | None, by: By) -> Issue:
    """The record that issues and pull requests share, with the repository's next number."""
    where.last_number += 1
    state.repositories.save(where)
    now = state.stamp()
    return state.issues.save(
        Issue(
            id=state.next_id(),
            repository_id=where.id,
            number=where.last_number,
            title=title,
            body=body,
            user_id=by.account_id,
            app_id=by.app_id,
            created_at=now,
            updated_at=now,
        )
    )


def change_text(hub: Hub, row: Issue, wanted: BaseModel, by: By) -> None:
    """Sets title and body where given and tells what they were."""
    changes: dict[str, dict[str, str]] = {}
    title, body = getattr(wanted, "title", None), getattr(wanted, "body", None)
    if title is not None and str(title) != row.title:
        changes["title"] = {"from": row.title}
        hub.note(row.id, "renamed", by, rename={"from": row.title, "to": str(title)})
        row.title = checked_title(title)
    if "body" in wanted.model_fields_set and body != row.body:
        check_body(body, "Issue")
        changes["body"] = {"from": row.body or ""}
        row.body = body
        first = [TextEdit(editor_id=row.user_id, edited_at=row.created_at)]
        row.edits = [*(row.edits or first), TextEdit(editor_id=by.account_id, edited_at=hub.state.stamp())]
    if changes:
        touch(hub.state, row)
        tell(hub, row, "edited", by, changes=changes)


def set_state(hub: Hub, row: Issue, state: Literal["open", "closed"], reason: str | None, by: By) -> None:
    """Opens or closes an issue (a pull request's state is `pull_requests`' matter)."""
    row.state = state
    closed = state == "closed"
    row.state_reason = (reason or "completed") if closed else "reopened"
    row.closed_at = hub.state.stamp() if closed else None
    row.closed_by = by.account_id if closed else None
    touch(hub.state, row)
    hub.note(row.id, "closed" if closed else "reopened", by)
    tell(hub, row, "closed" if closed else "reopened", by)


def add_label(hub: Hub, row: Issue, label: Label, by: By) -> None:
    """Labels once; a second time is no event."""
    if label.id not in row.label_ids:
        row.label_ids.append(label.id)
        touch(hub.state, row)
        tell_label(hub, row, "labeled", label, by)


def remove_label(hub: Hub, row: Issue, label: Label, by: By) -> None:
    row.label_ids.remove(label.id)
    touch(hub.state, row)
    tell_label(hub, row, "unlabeled", label, by)


def tell(hub: Hub, row: Issue, action: str, by: By, **extra: object) -> None:
    where = hub.state.repositories[row.repository_id]
    if row.pull_id is None:
        hub.webhooks.emit(where, by.account_id, "issues", action, {"issue": render_issues.issue(hub.state, row), **extra})
    else:
        shown = render_pulls.pull(hub.state, hub.state.pulls[row.pull_id])
        hub.webhooks.emit(where, by.account_id, "pull_request", action, {"number": row.number, "pull_request": shown, **extra})


def tell_label(hub: Hub, row: Issue, action: str, label: Label, by: By) -> None:
    hub.note(row.id, action, by, label={"name": label.name, "color": label.color})
    shown = render_issues.label(hub.state, label)
    tell(hub, row, action, by, label=shown)
    if action == "labeled" and row.pull_id is None:
        where = hub.state.repositories[row.repository_id]
        runs.on_label(hub, where, by, {"issue": render_issues.issue(hub.state, row), "label": shown})


def checked_title(title: str | int) -> str:
    if not str(title).strip():
        raise invalid("Issue", "title", code="missing_field")
    return str(title)


def check_body(body: str | None, resource: str) -> None:
    if body is not None and len(body) > _BODY_LIMIT:
        raise invalid(resource, "body", f"body is too long (maximum is {_BODY_LIMIT} characters)")
