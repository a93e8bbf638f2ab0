"""Commit statuses, the older way for a CI to speak: anybody who may push can leave one, the newest of a context counts."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from app.localhub import bare, render
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused
from app.localhub.records import CommitStatus

Json = dict[str, Any]


class NewStatus(BaseModel):
    """Body of a status."""

    state: Literal["error", "failure", "pending", "success"]
    target_url: str | None = None
    description: str | None = Field(default=None, max_length=140)
    context: str = "default"


def create(call: Call) -> Reply:
    """Adds one, and tells every App that may read them."""
    wanted, state = call.parse(NewStatus), call.state
    row = state.statuses.save(
        CommitStatus(
            id=state.next_id(),
            repository_id=call.repository.id,
            head_sha=_sha(call, "sha"),
            creator_id=call.by.account_id,
            created_at=state.stamp(),
            **wanted.model_dump(),
        )
    )
    shown = {"id": row.id, "sha": row.head_sha, "context": row.context, "state": row.state, "description": row.description}
    call.hub.webhooks.emit(call.repository, call.by.account_id, "status", None, {**shown, "target_url": row.target_url})
    return Reply(201, {**_status(call, row), "creator": render.user(state, row.creator_id)})


def combined(call: Call) -> Reply:
    """The newest of each context, and the worst of them."""
    sha = _sha(call, "ref")
    rows = call.state.statuses.where(lambda row: (row.repository_id, row.head_sha) == (call.repository.id, sha))
    newest = list({row.context: row for row in rows}.values())
    states = {row.state for row in newest}
    worst = "failure" if states & {"error", "failure"} else "pending" if "pending" in states or not states else "success"
    page, headers = call.page(newest)
    url = f"{render.repository_url(call.state, call.repository)}/commits/{sha}"
    shown = {
        "state": worst,
        "statuses": [_status(call, row) for row in page],
        "sha": sha,
        "total_count": len(newest),
        "repository": render.repository(call.state, call.repository),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(200, shown, headers)


def _status(call: Call, row: CommitStatus) -> Json:
    return {
        "url": f"{render.repository_url(call.state, call.repository)}/statuses/{row.head_sha}",
        "avatar_url": None,
        "id": row.id,
        "node_id": render.node_id("SC", row.id),
        "state": row.state,
        "description": row.description,
        "target_url": row.target_url,
        "context": row.context,
        "created_at": row.created_at,
        "updated_at": row.created_at,
    }


def _sha(call: Call, name: str) -> str:
    sha = bare.resolve(call.state.git_dir(call.repository), call.path[name])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.path[name]}")
    return sha
