"""A repository, its labels and what people may do in it."""

from pydantic import BaseModel

from app.localhub import render, render_issues
from app.localhub.calls import Call, Reply
from app.localhub.errors import invalid, not_found
from app.localhub.permissions import has_role, role_of
from app.localhub.records import Label, Repository
from app.localhub.state import State

_LEGACY = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}


def repository(call: Call) -> Reply:
    return Reply(200, render.full_repository(call.state, call.repository))


def permission(call: Call) -> Reply:
    """The highest right of a person: the old four words, and the true role's name."""
    account = call.state.account(call.path["username"])
    role = role_of(account, call.repository)
    rights = {
        "pull": has_role(account, call.repository, "read"),
        "triage": has_role(account, call.repository, "triage"),
        "push": has_role(account, call.repository, "write"),
        "maintain": has_role(account, call.repository, "maintain"),
        "admin": has_role(account, call.repository, "admin"),
    }
    shown = {**render.user(call.state, account.id), "permissions": rights, "role_name": role}
    return Reply(200, {"permission": _LEGACY[role], "role_name": role, "user": shown})


def labels(call: Call) -> Reply:
    mine = call.state.labels.where(lambda row: row.repository_id == call.repository.id)
    return call.listing(mine, lambda row: render_issues.label(call.state, row))


def label(call: Call) -> Reply:
    found = find_label(call.state, call.repository, call.path["name"])
    if found is None:
        raise not_found()
    return Reply(200, render_issues.label(call.state, found))


class NewLabel(BaseModel):
    """Body of a label's creation."""

    name: str
    color: str = "ededed"
    description: str | None = None


def create_label(call: Call) -> Reply:
    wanted = call.parse(NewLabel)
    if find_label(call.state, call.repository, wanted.name):
        raise invalid("Label", "name", code="already_exists")
    made = make_label(call.state, call.repository, wanted.name, wanted.color.removeprefix("#"), wanted.description or "")
    return Reply(201, render_issues.label(call.state, made))


def find_label(state: State, where: Repository, name: str) -> Label | None:
    """Label names are case-insensitive."""
    return state.labels.find(lambda row: row.repository_id == where.id and row.name.lower() == name.lower())


def make_label(state: State, where: Repository, name: str, color: str = "ededed", description: str = "") -> Label:
    return state.labels.save(Label(id=state.next_id(), repository_id=where.id, name=name, color=color, description=description))
