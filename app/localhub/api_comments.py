"""Comments on issues and pull requests, and reactions to both."""

from typing import Literal

from pydantic import BaseModel

from app.localhub import render_issues
from app.localhub.api_issues import find
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused, invalid, not_found
from app.localhub.issues import touch
from app.localhub.permissions import may
from app.localhub.records import Comment, Reaction

_BODY_LIMIT = 65_536


class CommentBody(BaseModel):
    """Body of a comment's creation or change."""

    body: str


class NewReaction(BaseModel):
    """Body of a reaction's creation."""

    content: Literal["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]


def listing(call: Call) -> Reply:
    about = find(call)
    mine = call.state.comments.where(lambda row: row.issue_id == about.id and row.updated_at >= call.query.get("since", ""))
    return call.listing(mine, lambda row: render_issues.comment(call.state, row))


def comment(call: Call) -> Reply:
    return Reply(200, render_issues.comment(call.state, _find_comment(call)))


def create(call: Call) -> Reply:
    about, body, now = find(call), _checked_body(call), call.state.stamp()
    made = Comment(
        id=call.state.next_id(),
        repository_id=call.repository.id,
        issue_id=about.id,
        user_id=call.by.account_id,
        app_id=call.by.app_id,
        body=body,
        created_at=now,
        updated_at=now,
    )
    call.state.comments.save(made)
    touch(call.state, about)
    _tell(call, made, "created")
    return Reply(201, render_issues.comment(call.state, made))


def edit(call: Call) -> Reply:
    row, body = _find_own(call), _checked_body(call)
    before, row.body, row.updated_at = row.body, body, call.state.stamp()
    call.state.comments.save(row)
    if before != body:
        _tell(call, row, "edited", changes={"body": {"from": before}})
    return Reply(200, render_issues.comment(call.state, row))


def delete(call: Call) -> Reply:
    row = _find_own(call)
    _tell(call, row, "deleted")
    call.state.comments.remove(row.id)
    return Reply(204)


def react_to_comment(call: Call) -> Reply:
    return _react(call, _find_comment(call).id)


def react_to_issue(call: Call) -> Reply:
    return _react(call, find(call).id)


def _react(call: Call, subject_id: int) -> Reply:
    content, by = call.parse(NewReaction).content, call.by.account_id
    same = call.state.reactions.find(lambda row: (row.subject_id, row.user_id, row.content) == (subject_id, by, content))
    if same is not None:
        return Reply(200, render_issues.reaction(call.state, same))
    row = Reaction(id=call.state.next_id(), subject_id=subject_id, user_id=by, content=content, created_at=call.state.stamp())
    return Reply(201, render_issues.reaction(call.state, call.state.reactions.save(row)))


def _find_comment(call: Call) -> Comment:
    found = call.state.comments.get(call.number("comment_id"))
    if found is None or found.repository_id != call.repository.id:
        raise not_found()
    return found


def _find_own(call: Call) -> Comment:
    """Only the author and people who may write change a comment; an App only its own."""
    row = _find_comment(call)
    writer = call.by.app_id is None and may(call.actor, call.repository, "write")
    if row.user_id != call.by.account_id and not writer:
        raise Refused(403, "You must have write access to update or delete this comment.")
    return row


def _checked_body(call: Call) -> str:
    body = call.parse(CommentBody).body
    if not body.strip():
        raise invalid("IssueComment", "body", "body cannot be blank")
    if len(body) > _BODY_LIMIT:
        raise invalid("IssueComment", "body", f"body is too long (maximum is {_BODY_LIMIT} characters)")
    return body


def _tell(call: Call, row: Comment, action: str, **extra: object) -> None:
    about = render_issues.issue(call.state, call.state.issues[row.issue_id])
    payload = {"issue": about, "comment": render_issues.comment(call.state, row), **extra}
    call.hub.webhooks.emit(call.repository, call.by.account_id, "issue_comment", action, payload)
