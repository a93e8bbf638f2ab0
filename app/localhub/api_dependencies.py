"""Native dependencies between issues, and sub-issues."""

from pydantic import BaseModel

from app.localhub import render, render_issues
from app.localhub.api_issues import find
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused, not_found
from app.localhub.issues import touch
from app.localhub.records import Issue

_LIMIT = 50


class Blocker(BaseModel):
    """Body of a new dependency: the database id, not the number."""

    issue_id: int


class Child(BaseModel):
    """Body of a new sub-issue: the database id, not the number."""

    sub_issue_id: int
    replace_parent: bool = False


def blocked_by(call: Call) -> Reply:
    return _listing(call, [call.state.issues[row_id] for row_id in find(call).blocked_by])


def blocking(call: Call) -> Reply:
    me = find(call)
    return _listing(call, call.state.issues.where(lambda row: me.id in row.blocked_by))


def add_blocker(call: Call) -> Reply:
    row, blocker = find(call), _known(call, call.parse(Blocker).issue_id)
    if blocker.id == row.id or row.id in _all_blockers(call, blocker):
        raise Refused(422, "Validation Failed: An issue cannot be blocked by itself, directly or through others.")
    if blocker.id in row.blocked_by:
        raise Refused(422, "Validation Failed: Target issue has already been taken")
    if len(row.blocked_by) >= _LIMIT:
        raise Refused(422, f"Validation Failed: An issue can be blocked by at most {_LIMIT} issues.")
    row.blocked_by.append(blocker.id)
    touch(call.state, row)
    _tell(call, "added", row, blocker)
    return Reply(201, render_issues.issue(call.state, blocker))


def remove_blocker(call: Call) -> Reply:
    row, blocker = find(call), _known(call, call.number("issue_id"))
    if blocker.id not in row.blocked_by:
        raise not_found()
    row.blocked_by.remove(blocker.id)
    touch(call.state, row)
    _tell(call, "removed", row, blocker)
    return Reply(200, render_issues.issue(call.state, blocker))


def sub_issues(call: Call) -> Reply:
    return _listing(call, [call.state.issues[row_id] for row_id in find(call).sub_issues])


def parent(call: Call) -> Reply:
    found = _parent(call, find(call))
    if found is None:
        raise not_found()
    return Reply(200, render_issues.issue(call.state, found))


def add_sub_issue(call: Call) -> Reply:
    row, wanted = find(call), call.parse(Child)
    child = _known(call, wanted.sub_issue_id)
    before = _parent(call, child)
    if child.id == row.id or (before is not None and not wanted.replace_parent):
        raise Refused(422, "Sub-issue may only have one parent, and it cannot be itself.")
    if before is not None:
        before.sub_issues.remove(child.id)
        touch(call.state, before)
    row.sub_issues.append(child.id)
    touch(call.state, row)
    _tell_family(call, row, child)
    return Reply(201, render_issues.issue(call.state, row))


def _all_blockers(call: Call, start: Issue) -> set[int]:
    found: set[int] = set()
    waiting = [*start.blocked_by]
    while waiting:
        row_id = waiting.pop()
        if row_id not in found:
            found.add(row_id)
            waiting.extend(call.state.issues[row_id].blocked_by)
    return found


def _known(call: Call, row_id: int) -> Issue:
    found = call.state.issues.get(row_id)
    if found is None or found.repository_id != call.repository.id:
        raise not_found()
    return found


def _parent(call: Call, row: Issue) -> Issue | None:
    return call.state.issues.find(lambda other: row.id in other.sub_issues)


def _listing(call: Call, rows: list[Issue]) -> Reply:
    return call.listing(rows, lambda row: render_issues.issue(call.state, row))


def _tell(call: Call, what: str, row: Issue, blocker: Issue) -> None:
    payload = {
        "blocked_issue_id": row.id,
        "blocked_issue": render_issues.issue(call.state, row),
        "blocking_issue_id": blocker.id,
        "blocking_issue": render_issues.issue(call.state, blocker),
        "blocking_issue_repo": render.repository(call.state, call.repository),
    }
    call.hub.note(row.id, f"blocked_by_{what}", call.by)
    call.hub.note(blocker.id, f"blocking_{what}", call.by)
    for action in (f"blocked_by_{what}", f"blocking_{what}"):
        call.hub.webhooks.emit(call.repository, call.by.account_id, "issue_dependencies", action, payload)


def _tell_family(call: Call, row: Issue, child: Issue) -> None:
    payload = {
        "parent_issue_id": row.id,
        "parent_issue": render_issues.issue(call.state, row),
        "sub_issue_id": child.id,
        "sub_issue": render_issues.issue(call.state, child),
    }
    call.hub.note(row.id, "sub_issue_added", call.by)
    call.hub.note(child.id, "parent_issue_added", call.by)
    for action in ("sub_issue_added", "parent_issue_added"):
        call.hub.webhooks.emit(call.repository, call.by.account_id, "sub_issues", action, payload)
