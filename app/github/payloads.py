"""Webhook bodies as our own closed set of events: lean models, for GitHub adds and leaves out fields without notice."""

import json
from collections.abc import Callable
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from app.events import (
    AnyEvent,
    BaseMoved,
    BlockersTouched,
    ButtonPressed,
    ChecksTouched,
    CommandGiven,
    IssueLabelled,
    IssueTouched,
    JobEnded,
    JobTaken,
    PullRequestChanged,
    RepositoryBack,
    RepositoryChanged,
    RepositoryGone,
    RepositoryRef,
)
from app.github.commands import is_command
from shared.github import issue_hash
from shared.models import IssueSnapshot


class Unreadable(Exception):
    """The body is not a JSON object."""


class _Lean(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Named(_Lean):
    name: str = ""


class _Account(_Lean):
    login: str = ""


class _Repository(_Lean):
    id: int
    full_name: str
    private: bool = True


class _Installation(_Lean):
    id: int


class _Run(_Lean):
    id: int
    event: str = ""
    conclusion: str | None = None
    head_sha: str = ""


class _Job(_Lean):
    run_id: int
    conclusion: str | None = None
    runner_name: str | None = None


class _Issue(_Lean):
    number: int
    title: str = ""
    body: str | None = None
    user: _Account | None = None
    labels: tuple[_Named, ...] = ()


class _HeadRepository(_Lean):
    id: int


class _Head(_Lean):
    ref: str
    sha: str
    repo: _HeadRepository | None = None


class _Pull(_Lean):
    number: int
    state: Literal["open", "closed"]
    merged: bool | None = None
    merged_at: str | None = None
    head: _Head


class _App(_Lean):
    slug: str = ""


class _Check(_Lean):
    head_sha: str
    external_id: str | None = None
    app: _App = _App()


class _Comment(_Lean):
    id: int
    body: str | None = None


class _Button(_Lean):
    identifier: str


class _Payload(_Lean):
    """Everything that every event may carry; what is there depends on the event."""

    action: str = ""
    repository: _Repository | None = None
    installation: _Installation | None = None
    sender: _Account = _Account()
    label: _Named | None = None
    issue: _Issue | None = None
    pull_request: _Pull | None = None
    check_run: _Check | None = None
    check_suite: _Check | None = None
    requested_action: _Button | None = None
    blocked_issue: _Issue | None = None
    parent_issue: _Issue | None = None
    comment: _Comment | None = None
    sha: str = ""
    state: str = ""
    ref: str = ""
    after: str = ""
    deleted: bool = False
    workflow_run: _Run | None = None
    workflow_job: _Job | None = None


_Maker = Callable[[_Payload, RepositoryRef], AnyEvent | None]
_TOUCHES = get_args(IssueTouched.model_fields["action"].annotation)
_PULL_ACTIONS = {"opened", "closed", "reopened", "edited", "synchronize"}
# By action: where the repositories are that it concerns.
_SEVERAL = {
    "installation": dict.fromkeys(("created", "deleted", "suspend", "unsuspend"), "repositories"),
    "installation_repositories": {"added": "repositories_added", "removed": "repositories_removed"},
}
_CHANGES: dict[str, Literal["archived", "unarchived", "publicized", "privatized", "renamed"]] = {
    "archived": "archived",
    "unarchived": "unarchived",
    "publicized": "publicized",
    "privatized": "privatized",
    "renamed": "renamed",
    "transferred": "renamed",
}
_WHY_GONE: dict[str, Literal["removed", "suspended", "uninstalled"]] = {
    "removed": "removed",
    "suspend": "suspended",
    "deleted": "uninstalled",
}


def split(kind: str, body: bytes) -> list[bytes]:
    """One body per repository: an event of ours belongs to one, but what happens to an installation concerns all it has."""
    if kind not in _SEVERAL:
        return [body]
    data = _load(body)
    action = data.get("action")
    field = _SEVERAL[kind].get(action) if isinstance(action, str) else None
    concerned = [repository for repository in (data.get(field) if field else None) or [] if isinstance(repository, dict)]
    common = {"action": action, "installation": data.get("installation")}
    return [json.dumps({**common, "repository": repository}).encode() for repository in concerned]


def to_event(kind: str, body: bytes) -> AnyEvent | None:
    """The event that a webhook means; None for the many that mean nothing to us."""
    make = _MAKERS.get(kind)
    if make is None:
        return None
    try:
        payload = _Payload.model_validate(_load(body))
    except ValidationError:
        return None  # of a kind we know but not of a shape: the sweep reads from GitHub what this would have said
    if payload.repository is None or payload.installation is None:
        return None
    return make(payload, RepositoryRef(installation_id=payload.installation.id, **payload.repository.model_dump()))


def _load(body: bytes) -> dict[str, Any]:
    try:
        data = from_json(body)  # stricter than json: no lone surrogate gets in, which no database would take
    except ValueError as error:
        raise Unreadable("the body is not JSON in UTF-8") from error
    if not isinstance(data, dict):
        raise Unreadable("the body is not a JSON object")
    return data


def _issues(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    if payload.issue is None:
        return None
    label = payload.label.name if payload.label else ""
    if payload.action == "labeled" and label:
        return IssueLabelled(
            repository_id=repository.id,
            repository=repository,
            issue=payload.issue.number,
            label=label,
            sender=payload.sender.login,
            snapshot=_snapshot(payload.issue),
        )
    if payload.action not in _TOUCHES:
        return None
    touched = {"repository_id": repository.id, "repository": repository, "issue": payload.issue.number, "label": label}
    return IssueTouched.model_validate({**touched, "action": payload.action})


def _snapshot(issue: _Issue) -> IssueSnapshot:
    body = issue.body or ""
    return IssueSnapshot(
        number=issue.number,
        title=issue.title,
        body=body,
        labels=tuple(label.name for label in issue.labels),
        author=issue.user.login if issue.user else "",
        hash=issue_hash(issue.title, body),
    )


def _pull_request(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    pull = payload.pull_request
    # A fork's branch may have any name, ours too.
    if pull is None or payload.action not in _PULL_ACTIONS or pull.head.repo is None or pull.head.repo.id != repository.id:
        return None
    return PullRequestChanged(
        repository_id=repository.id,
        repository=repository,
        number=pull.number,
        action=payload.action,
        head_ref=pull.head.ref,
        head_sha=pull.head.sha,
        state=pull.state,
        merged=bool(pull.merged or pull.merged_at),
    )


def _push(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    if not payload.ref.startswith("refs/heads/") or payload.deleted or not payload.after.strip("0"):
        return None
    return BaseMoved(repository_id=repository.id, repository=repository, ref=payload.ref, sha=payload.after)


def _check_run(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    if payload.action == "rerequested":
        return _button(payload, repository, payload.check_run, "rerun")
    if payload.action == "requested_action" and payload.requested_action:
        return _button(payload, repository, payload.check_run, payload.requested_action.identifier)
    return None


def _check_suite(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    if payload.action == "completed" and payload.check_suite is not None:
        return _touched(repository, payload.check_suite.head_sha, payload.check_suite.app.slug)
    # "Re-run all": names no check run, so `external_id` is empty and the commit says whose it is.
    return _button(payload, repository, payload.check_suite, "rerun") if payload.action == "rerequested" else None


def _button(payload: _Payload, repository: RepositoryRef, check: _Check | None, identifier: str) -> AnyEvent | None:
    if check is None:
        return None
    return ButtonPressed(
        repository_id=repository.id,
        repository=repository,
        external_id=check.external_id or "",
        head_sha=check.head_sha,
        identifier=identifier,
        sender=payload.sender.login,
    )


def _workflow_run(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    run = payload.workflow_run
    if run is None or payload.action != "completed":
        return None
    if run.event != "workflow_dispatch":
        return _touched(repository, run.head_sha)
    return JobEnded(repository_id=repository.id, repository=repository, run_id=run.id, conclusion=run.conclusion or "unknown")


def _workflow_job(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    """Of any workflow: whose run it is the decision knows. A job that ended well says nothing of the run's others."""
    job = payload.workflow_job
    if job is None:
        return None
    if payload.action == "in_progress":
        return JobTaken(repository_id=repository.id, repository=repository, run_id=job.run_id, runner=job.runner_name or "")
    if payload.action != "completed" or job.conclusion in {None, "success", "skipped"}:
        return None
    return JobEnded(repository_id=repository.id, repository=repository, run_id=job.run_id, conclusion=job.conclusion)


def _status(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    return _touched(repository, payload.sha) if payload.state != "pending" else None


def _touched(repository: RepositoryRef, head_sha: str, app_slug: str = "") -> AnyEvent | None:
    if not head_sha:
        return None
    return ChecksTouched(repository_id=repository.id, repository=repository, head_sha=head_sha, app_slug=app_slug)


def _issue_comment(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    """Only a new comment, and only one that begins with the command: an edit of an old one starts nothing."""
    comment, issue = payload.comment, payload.issue
    if payload.action != "created" or comment is None or issue is None or not is_command(comment.body or ""):
        return None
    return CommandGiven(repository_id=repository.id, repository=repository, number=issue.number, comment=comment.id)


def _issue_dependencies(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    """Each link is told from both ends; the blocked one's is ours."""
    return _blocked(payload.blocked_issue, repository) if payload.action.startswith("blocked_by_") else None


def _sub_issues(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    return _blocked(payload.parent_issue, repository) if payload.action.startswith("sub_issue_") else None


def _blocked(issue: _Issue | None, repository: RepositoryRef) -> AnyEvent | None:
    return BlockersTouched(repository_id=repository.id, repository=repository, issue=issue.number) if issue else None


def _installation(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    if payload.action in {"created", "unsuspend", "added"}:
        return RepositoryBack(repository_id=repository.id, repository=repository)
    why = _WHY_GONE.get(payload.action)
    return RepositoryGone(repository_id=repository.id, repository=repository, why=why) if why else None


def _repository(payload: _Payload, repository: RepositoryRef) -> AnyEvent | None:
    what = _CHANGES.get(payload.action)
    if what is not None:
        return RepositoryChanged(repository_id=repository.id, repository=repository, what=what)
    return (
        RepositoryGone(repository_id=repository.id, repository=repository, why="deleted") if payload.action == "deleted" else None
    )


_MAKERS: dict[str, _Maker] = {
    "issues": _issues,
    "pull_request": _pull_request,
    "push": _push,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "workflow_run": _workflow_run,
    "workflow_job": _workflow_job,
    "status": _status,
    "issue_comment": _issue_comment,
    "issue_dependencies": _issue_dependencies,
    "sub_issues": _sub_issues,
    "repository": _repository,
    "installation": _installation,
    "installation_repositories": _installation,
}
