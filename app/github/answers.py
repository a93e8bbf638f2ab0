"""What GitHub said of things, as small frozen values: parsed leniently, for fields come and go without notice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from app.found import BranchFound, CheckFound, DeliverySeen, PullFound, Survey
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
    # Whether its owner is an organisation, which may share runners.
    of_organisation: bool


@dataclass(frozen=True, slots=True)
class IssueNow:
    """An issue; `snapshot.blocked_by` is empty, see `links()` of the repository."""

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
    label: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody changed an issue's title or body; `actor` is empty when the account is gone, None: older ones were left out."""

    actor: str | None
    at: datetime


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


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue and what its repository is; histories have the newest last, and are empty unless asked for.

    `more_labels`: older events were left out; `settings_text`: of the repository's settings file on its default branch now.
    """

    issue: IssueNow
    labels: tuple[LabelEvent, ...]
    more_labels: bool
    edits: tuple[Edit, ...]
    private: bool
    settings_text: str | None

    def labelled(self, *names: str) -> LabelEvent | None:
        """The newest time that one of these labels was put on; they are compared as GitHub does it."""
        wanted = {name.casefold() for name in names}
        return next((event for event in reversed(self.labels) if event.label.casefold() in wanted), None)


@dataclass(frozen=True, slots=True)
class BranchNow:
    """A branch, None where there is none of that name, and the pull requests from it, whatever their base and state."""

    sha: str | None
    pulls: tuple[PullNow, ...]
    default_branch: str


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
        of_organisation=(data.get("owner") or {}).get("type") == "Organization",
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
    name = str((data.get("label") or {}).get("name") or "")
    return LabelEvent(_identity(data), actor.get("login") or "", actor.get("type") or "", _time(data.get("created_at")), name)


def issue_facts(data: Mapping[str, Any], repository: Mapping[str, Any]) -> IssueFacts:
    """From GraphQL's Issue, or PullRequest, and the Repository around it."""
    timeline = data.get("timelineItems") or {}
    private = repository.get("isPrivate")
    return IssueFacts(
        issue=_issue(data),
        labels=tuple(_labelled(event) for event in timeline.get("nodes") or [] if event),
        more_labels=bool((timeline.get("pageInfo") or {}).get("hasPreviousPage")),
        edits=tuple(_edits(data)),
        private=private if isinstance(private, bool) else True,
        settings_text=settings_text(repository),
    )


def settings_text(repository: Mapping[str, Any]) -> str | None:
    """From GraphQL's Repository, of which a file was asked for; None where there is none that is text."""
    text = (repository.get("settings") or {}).get("text")
    return text if isinstance(text, str) else None


def _edits(data: Mapping[str, Any]) -> list[Edit]:
    """Of title and body. The first version of a body, which GitHub lists like an edit, is none."""
    renamed, bodies = data.get("renamed") or {}, data.get("userContentEdits") or {}
    opened = _time(data.get("createdAt"))
    found = [(node.get("actor"), _time(node.get("createdAt"))) for node in renamed.get("nodes") or [] if node]
    found += [(node.get("editor"), _time(node.get("editedAt"))) for node in bodies.get("nodes") or [] if node]
    edits = sorted((Edit(actor(who)[0], at) for who, at in found if at is not None and at != opened), key=lambda edit: edit.at)
    pages = (renamed.get("pageInfo") or {}, bodies.get("pageInfo") or {})
    if edits and any(page.get("hasPreviousPage") or page.get("hasNextPage") for page in pages):
        edits.append(Edit(None, edits[-1].at))
    return edits


def links(connection: Mapping[str, Any] | None) -> tuple[Blocker, ...]:
    """From one of GraphQL's connections between issues."""
    nodes = [node for node in (connection or {}).get("nodes") or [] if node]
    return tuple(
        Blocker(node["number"], (node.get("repository") or {}).get("nameWithOwner") or "", str(node["state"]).lower())
        for node in nodes
    )


def branch_now(
    branch: str, reference: Mapping[str, Any] | None, pulls: Mapping[str, Any] | None, repository: Mapping[str, Any]
) -> BranchNow:
    """From GraphQL's Ref and the pull requests with that name of a head; a fork's branch may have any name, ours too."""
    target = (reference or {}).get("target") or {}
    nodes = [node for node in (pulls or {}).get("nodes") or [] if node and not node.get("isCrossRepository")]
    found = tuple(_pull(node) for node in nodes if node.get("headRefName") == branch)
    return BranchNow(target.get("oid"), found, default_branch(repository))


def default_branch(repository: Mapping[str, Any]) -> str:
    """Of GraphQL's Repository; an empty one has none yet."""
    return (repository.get("defaultBranchRef") or {}).get("name") or "main"


def survey(
    references: Mapping[str, Any], pulls: Mapping[str, Any], repository: Mapping[str, Any], prefix: str, login: str
) -> Survey:
    """From GraphQL's branches, open pull requests and the Repository around them; whatever is somebody else's is left out."""
    names = [
        (f"{node['prefix']}{node['name']}".removeprefix("refs/heads/"), node) for node in references.get("nodes") or [] if node
    ]
    own = [
        node
        for node in pulls.get("nodes") or []
        if node
        and not node.get("isCrossRepository")
        and actor(node.get("author"))[0] == login
        and node["headRefName"].startswith(prefix)
    ]
    return Survey(
        branches=tuple(
            BranchFound(name, bool(node["associatedPullRequests"]["totalCount"])) for name, node in names if name.startswith(prefix)
        ),
        pulls=tuple(PullFound(node["number"], node["headRefName"]) for node in own),
        checks=tuple(check for node in own for head in node["commits"]["nodes"] for check in _open_checks(head["commit"])),
        settings_text=settings_text(repository),
    )


def _open_checks(commit: Mapping[str, Any]) -> Iterator[CheckFound]:
    for suite in (commit.get("checkSuites") or {}).get("nodes") or []:
        for run in suite["checkRuns"]["nodes"]:
            if run["status"] != "COMPLETED":
                yield CheckFound(run["databaseId"], run["name"], commit["oid"], run.get("externalId") or "")


def delivery_seen(data: Mapping[str, Any]) -> DeliverySeen:
    """From an item of GET /app/hook/deliveries. Only `OK` is: what timed out or could not connect has no code of its own."""
    return DeliverySeen(
        id=data["id"],
        guid=data["guid"],
        delivered_at=datetime.fromisoformat(data["delivered_at"]),
        arrived=data.get("status") == "OK",
        redelivery=bool(data.get("redelivery")),
        event=data.get("event") or "",
    )


def actor(data: Mapping[str, Any] | None) -> tuple[str, str]:
    """Login and type as REST has them: GraphQL leaves out the `[bot]` of an App's account."""
    name, kind = (data or {}).get("login") or "", (data or {}).get("__typename") or ""
    return (f"{name}[bot]" if kind == "Bot" and name and not name.endswith("[bot]") else name), kind


def _issue(data: Mapping[str, Any]) -> IssueNow:
    title, body = data.get("title") or "", data.get("body") or ""
    labels = tuple(node["name"] for node in (data.get("labels") or {}).get("nodes") or [] if node)
    snapshot = IssueSnapshot(
        number=data["number"],
        title=title,
        body=body,
        labels=labels,
        author=actor(data.get("author"))[0],
        hash=issue_hash(title, body),
    )
    return IssueNow(
        snapshot=snapshot,
        state="open" if "OPEN" in {data.get("state"), data.get("pullState")} else "closed",
        is_pull_request=data.get("__typename") == "PullRequest",
        id=data.get("databaseId") or 0,
        node_id=data.get("id") or "",
        updated_at=_time(data.get("updatedAt")),
    )


def _labelled(event: Mapping[str, Any]) -> LabelEvent:
    name, kind = actor(event.get("actor"))
    label = str((event.get("label") or {}).get("name") or "")
    return LabelEvent(_identity({"node_id": event["id"]}), name, kind, _time(event.get("createdAt")), label)


def _identity(event: Mapping[str, Any]) -> int:
    """GraphQL does not tell an event's number, and REST tells both: what they share is made into one that a database can hold."""
    return int.from_bytes(sha256(str(event["node_id"]).encode()).digest()[:7])


def _pull(data: Mapping[str, Any]) -> PullNow:
    return PullNow(
        number=data["number"],
        state="open" if data.get("state") == "OPEN" else "closed",
        merged=data.get("state") == "MERGED",
        head_sha=data["headRefOid"],
        base_ref=data["baseRefName"],
        draft=bool(data.get("isDraft")),
        author=actor(data.get("author"))[0],
        html_url=data.get("url") or "",
    )


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
