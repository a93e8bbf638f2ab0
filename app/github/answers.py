"""What GitHub said of things, as small frozen values: parsed leniently, for fields come and go without notice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.github import issue_hash
from shared.models import IssueSnapshot

Permission = Literal["admin", "write", "read", "none"]
# `permission` has four values, but servers differ in whether the newer roles show in it.
_ROLES: dict[str, Permission] = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read"}


@dataclass(frozen=True, slots=True)
class RepositoryNow:
    """A repository."""

    id: int
    full_name: str
    private: bool
    default_branch: str
    clone_url: str
    archived: bool


@dataclass(frozen=True, slots=True)
class IssueNow:
    """An issue; `snapshot.blocked_by` is empty, see `blocked_by()`."""

    snapshot: IssueSnapshot
    state: str
    is_pull_request: bool
    id: int
    node_id: str
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue that stands in relation to another, maybe of another repository."""

    number: int
    repository_full_name: str
    state: str


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """Somebody put a label on an issue; `actor` is empty when the account is gone."""

    id: int
    actor: str
    actor_type: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an issue or a pull request, which `number` is."""

    number: int
    author: str
    body: str


@dataclass(frozen=True, slots=True)
class PullNow:
    """A pull request."""

    number: int
    state: str
    merged: bool
    head_sha: str
    base_ref: str
    draft: bool
    author: str
    html_url: str


def repository_now(data: dict[str, Any]) -> RepositoryNow:
    """From the answer of GET /repos/{owner}/{repo}."""
    return RepositoryNow(
        id=data["id"],
        full_name=data["full_name"],
        # Not said is not public: publishing a private repository's work is the mistake that cannot be undone.
        private=data.get("private", True),
        default_branch=data.get("default_branch") or "main",
        clone_url=data.get("clone_url") or "",
        archived=bool(data.get("archived")),
    )


def issue_now(data: dict[str, Any]) -> IssueNow:
    """From an issue object."""
    title, body = data.get("title") or "", data.get("body") or ""
    labels = (label if isinstance(label, str) else label.get("name") or "" for label in data.get("labels") or [])
    snapshot = IssueSnapshot(
        number=data["number"], title=title, body=body, labels=tuple(labels), author=login(data), hash=issue_hash(title, body)
    )
    return IssueNow(
        snapshot=snapshot,
        state=data.get("state") or "open",
        is_pull_request="pull_request" in data,
        id=data["id"],
        node_id=data.get("node_id") or "",
        updated_at=_time(data.get("updated_at")),
    )


def blocker(data: dict[str, Any]) -> Blocker:
    """From an issue object in a list of relations."""
    # Only the name is taken from the address; it is never called.
    home = (data.get("repository") or {}).get("full_name") or "/".join((data.get("repository_url") or "").split("/")[-2:])
    return Blocker(data["number"], home, data.get("state") or "open")


def label_event(data: dict[str, Any]) -> LabelEvent:
    """From an issue event of kind `labeled`."""
    actor = data.get("actor") or {}
    return LabelEvent(data["id"], actor.get("login") or "", actor.get("type") or "", _time(data.get("created_at")))


def pull_now(data: dict[str, Any]) -> PullNow:
    """From a pull request object, whole or in a list (lists do not say `merged`)."""
    return PullNow(
        number=data["number"],
        state=data.get("state") or "open",
        merged=bool(data.get("merged") or data.get("merged_at")),
        head_sha=data["head"]["sha"],
        base_ref=data["base"]["ref"],
        draft=bool(data.get("draft")),
        author=login(data),
        html_url=data.get("html_url") or "",
    )


def permission(data: dict[str, Any]) -> Permission:
    """From the answer of GET /collaborators/{login}/permission: what the role may do, whatever it is called."""
    return _ROLES.get(data.get("permission") or "", "none")


def login(data: dict[str, Any]) -> str:
    """Who wrote it; empty when the account is gone."""
    return (data.get("user") or {}).get("login") or ""


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def comment(data: dict[str, Any]) -> Comment:
    """From the answer of GET /repos/{owner}/{repo}/issues/comments/{id}."""
    return Comment(int(str(data["issue_url"]).rpartition("/")[2]), login(data), data.get("body") or "")
