"""The part of GitHub's GraphQL schema that callers use: types, their fields, and where each field's value comes from."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app.localhub import bare, permissions, render, render_checks, render_pulls
from app.localhub.auth import Actor
from app.localhub.errors import not_found
from app.localhub.hub import Hub
from app.localhub.records import CheckRun, CheckSuite, CommitStatus, Issue, Pull, Repository
from app.localhub.state import State

Arguments = Mapping[str, Any]
_READ_TALK = ("issues:read", "pull_requests:read")
_HEADS = "refs/heads/"
_TIMELINE = {"LABELED_EVENT": ("labeled", "LabeledEvent"), "RENAMED_TITLE_EVENT": ("renamed", "RenamedTitleEvent")}


class Node(NamedTuple):
    """An object of a type of the schema."""

    type: str
    row: Any


class World(NamedTuple):
    """What a field's value may depend on."""

    hub: Hub
    actor: Actor

    @property
    def state(self) -> State:
        return self.hub.state


class Page(NamedTuple):
    """A connection: the rows that were asked for, and whether there are more."""

    nodes: list[Node]
    total: int
    more_before: bool
    more_after: bool
    end: str


class Commit(NamedTuple):
    """A commit of a repository."""

    where: Repository
    sha: str


class Reference(NamedTuple):
    """A branch or a tag."""

    where: Repository
    name: str


Resolver = Callable[[World, Any, Arguments], Any]


def _page(nodes: Sequence[Node], arguments: Arguments) -> Node:
    first, last = arguments.get("first"), arguments.get("last")
    if (first is None) == (last is None) or not 1 <= int(first or last or 0) <= 100:
        raise ValueError("You must provide a `first` or `last` value between 1 and 100 to properly paginate the connection.")
    if last is not None:
        shown = list(nodes[-int(last) :])
        return Node("Connection", Page(shown, len(nodes), len(shown) < len(nodes), more_after=False, end=""))
    start = int(arguments.get("after") or 0)
    end = start + int(first or 0)
    return Node("Connection", Page(list(nodes[start:end]), len(nodes), start > 0, end < len(nodes), str(end)))


def _actor(world: World, account_id: int) -> Node:
    """GraphQL leaves out the `[bot]` that REST and web pages show."""
    account = world.state.accounts[account_id]
    return Node(account.type, account)


def _needs(world: World, where: Repository, *needs: str) -> None:
    permissions.require(world.actor, where, needs, "read")


def _repository(world: World, _: Any, arguments: Arguments) -> Node:
    where = world.state.repository(arguments["owner"], arguments["name"])
    if not permissions.sees(world.actor, where):
        raise not_found()
    return Node("Repository", where)


def _issue_or_pull(world: World, where: Repository, arguments: Arguments) -> Node:
    _needs(world, where, *_READ_TALK)
    row = world.state.issues.find(lambda one: (one.repository_id, one.number) == (where.id, arguments["number"]))
    if row is None:
        raise not_found()
    return Node("Issue", row) if row.pull_id is None else Node("PullRequest", world.state.pulls[row.pull_id])


def _pull(world: World, where: Repository, arguments: Arguments) -> Node:
    _needs(world, where, "pull_requests:read")
    row = world.state.pulls.find(lambda one: (one.repository_id, one.number) == (where.id, arguments["number"]))
    if row is None:
        raise not_found()
    return Node("PullRequest", row)


def _pulls(world: World, where: Repository, arguments: Arguments) -> Node:
    _needs(world, where, "pull_requests:read")
    wanted, states = arguments.get("headRefName"), set(arguments.get("states") or ("OPEN", "CLOSED", "MERGED"))
    found = [
        row
        for row in world.state.pulls
        if row.repository_id == where.id and wanted in {None, row.head_ref} and _pull_state(world, row, {}) in states
    ]
    return _page([Node("PullRequest", row) for row in found], arguments)


def _pull_state(world: World, row: Pull, _: Arguments) -> str:
    return "MERGED" if row.merged_at else world.state.issues[row.issue_id].state.upper()


def _mergeable(world: World, row: Pull, _: Arguments) -> str:
    judged = render_pulls.pull(world.state, row, judged=True)["mergeable"]
    return {True: "MERGEABLE", False: "CONFLICTING", None: "UNKNOWN"}[judged]


def _reference(world: World, where: Repository, arguments: Arguments) -> Node | None:
    _needs(world, where, "contents:read")
    name = str(arguments["qualifiedName"])
    return Node("Ref", Reference(where, name)) if name in where.refs else None


def _references(world: World, where: Repository, arguments: Arguments) -> Node:
    _needs(world, where, "contents:read")
    prefix, wanted = str(arguments["refPrefix"]), str(arguments.get("query") or "")
    names = [name for name in where.refs if name.startswith(prefix) and wanted in name.removeprefix(prefix)]
    return _page([Node("Ref", Reference(where, name)) for name in sorted(names)], arguments)


def _pulls_of_reference(world: World, ref: Reference, arguments: Arguments) -> Node:
    return _pulls(world, ref.where, {**arguments, "headRefName": ref.name.removeprefix(_HEADS)})


def _object(world: World, where: Repository, arguments: Arguments) -> Node | None:
    if "expression" in arguments:
        return _file(world, where, str(arguments["expression"]))
    known = {arguments["oid"]} & {row.head_sha for row in (*world.state.check_runs, *world.state.statuses, *world.state.pulls)}
    return Node("Commit", Commit(where, arguments["oid"])) if known or arguments["oid"] in where.refs.values() else None


def _file(world: World, where: Repository, expression: str) -> Node | None:
    _needs(world, where, "contents:read")
    revision, _, path = expression.partition(":")
    commit = where.refs.get(_HEADS + where.default_branch)
    if revision != "HEAD" or not path:
        raise ValueError("localhub knows no expression but HEAD:path")
    folder = world.state.git_dir(where)
    found = bare.entries(folder, commit, path) if commit else []
    return Node("Blob", bare.content(folder, found[0].sha).decode("utf-8", "replace")) if found else None


def _default_branch(_world: World, where: Repository, _: Arguments) -> Node | None:
    name = _HEADS + where.default_branch
    return Node("Ref", Reference(where, name)) if name in where.refs else None


def _labels(world: World, row: Issue, arguments: Arguments) -> Node:
    return _page([Node("Label", world.state.labels[label]) for label in row.label_ids], arguments)


def _timeline(world: World, row: Issue, arguments: Arguments) -> Node:
    asked = tuple(arguments.get("itemTypes") or ())
    if len(asked) != 1 or asked[0] not in _TIMELINE:
        raise ValueError(f"localhub knows one kind of timeline items at a time, of {', '.join(_TIMELINE)}")
    name, kind = _TIMELINE[asked[0]]
    events = [event for event in world.state.issue_events if event.issue_id == row.id and event.event == name]
    return _page([Node(kind, event) for event in events], arguments)


def _edits(_world: World, row: Issue, arguments: Arguments) -> Node:
    """The newest first, unlike everything else."""
    return _page([Node("UserContentEdit", edit) for edit in reversed(row.edits)], arguments)


def _related(ids: Callable[[Issue], list[int]]) -> Resolver:
    def resolve(world: World, row: Issue, arguments: Arguments) -> Node:
        return _page([Node("Issue", world.state.issues[other]) for other in ids(row)], arguments)

    return resolve


def _rollup(world: World, commit: Commit, _: Arguments) -> Node | None:
    _needs(world, commit.where, "checks:read")
    return Node("StatusCheckRollup", commit) if _contexts(world, commit) else None


def _suites(world: World, commit: Commit, arguments: Arguments) -> Node:
    _needs(world, commit.where, "checks:read")
    app = (arguments.get("filterBy") or {}).get("appId")
    here = (commit.where.id, commit.sha)
    found = [row for row in world.state.check_suites if (row.repository_id, row.head_sha) == here and app in {None, row.app_id}]
    return _page([Node("CheckSuite", row) for row in found], arguments)


def _runs_of_suite(world: World, suite: CheckSuite, arguments: Arguments) -> Node:
    asked = arguments.get("filterBy") or {}
    runs = world.state.check_runs.where(lambda run: run.suite_id == suite.id and asked.get("checkName") in {None, run.name})
    shown = runs if asked.get("checkType") == "ALL" else render_checks.latest(runs)
    return _page([Node("CheckRun", row) for row in shown], arguments)


def _head_of_pull(world: World, row: Pull, arguments: Arguments) -> Node:
    """The last one is all that is ever asked for."""
    head = Commit(world.state.repositories[row.repository_id], row.head_sha)
    return _page([Node("PullRequestCommit", head)], arguments)


def _comments(subject: Callable[[Any], int]) -> Resolver:
    def resolve(world: World, row: Any, arguments: Arguments) -> Node:
        found = [Node("IssueComment", one) for one in world.state.comments if one.issue_id == subject(row)]
        return _page(found, arguments)

    return resolve


def _contexts(world: World, commit: Commit) -> list[Node]:
    def is_here(row: CheckRun | CommitStatus) -> bool:
        return (row.repository_id, row.head_sha) == (commit.where.id, commit.sha)

    runs = render_checks.latest(world.state.check_runs.where(is_here))
    statuses = {row.context: row for row in world.state.statuses.where(is_here)}
    return [*(Node("CheckRun", row) for row in runs), *(Node("StatusContext", row) for row in statuses.values())]


def _of(name: str) -> Resolver:
    return lambda _world, row, _arguments: getattr(row, name)


def _upper(name: str) -> Resolver:
    return lambda _world, row, _arguments: str(value).upper() if (value := getattr(row, name)) else None


def _id(kind: str) -> Resolver:
    return lambda _world, row, _arguments: render.node_id(kind, row.id)


def _text_of(name: str) -> Resolver:
    return lambda world, row, _arguments: getattr(world.state.issues[row.issue_id], name) or ""


_ACTOR: Mapping[str, Resolver] = {"login": lambda _world, row, _arguments: row.login.removesuffix("[bot]")}
TYPES: Mapping[str, Mapping[str, Resolver]] = {
    "Query": {"repository": _repository, "rateLimit": lambda world, _row, _arguments: Node("RateLimit", world.hub.graphql_limit)},
    "RateLimit": {name: _of(name) for name in ("cost", "limit", "remaining", "used")} | {"resetAt": _of("reset_at")},
    "Repository": {
        "id": _id("R"),
        "databaseId": _of("id"),
        "nameWithOwner": _of("full_name"),
        "isPrivate": _of("private"),
        "defaultBranchRef": _default_branch,
        "issueOrPullRequest": _issue_or_pull,
        "pullRequest": _pull,
        "pullRequests": _pulls,
        "ref": _reference,
        "refs": _references,
        "object": _object,
    },
    "Ref": {
        "name": lambda _world, ref, _arguments: ref.name.removeprefix(_HEADS),
        "prefix": lambda _world, _ref, _arguments: _HEADS,
        "associatedPullRequests": _pulls_of_reference,
        "target": lambda _world, ref, _arguments: Node("Commit", Commit(ref.where, ref.where.refs[ref.name])),
    },
    "Commit": {"oid": _of("sha"), "statusCheckRollup": _rollup, "checkSuites": _suites},
    "Issue": {
        "id": _id("I"),
        "databaseId": _of("id"),
        "number": _of("number"),
        "title": _of("title"),
        "body": lambda _world, row, _arguments: row.body or "",
        "state": _upper("state"),
        "createdAt": _of("created_at"),
        "updatedAt": _of("updated_at"),
        "userContentEdits": _edits,
        "author": lambda world, row, _arguments: _actor(world, row.user_id),
        "repository": lambda world, row, _arguments: Node("Repository", world.state.repositories[row.repository_id]),
        "labels": _labels,
        "comments": _comments(lambda row: row.id),
        "timelineItems": _timeline,
        "blockedBy": _related(lambda row: row.blocked_by),
        "subIssues": _related(lambda row: row.sub_issues),
    },
    "Label": {"name": _of("name")},
    "LabeledEvent": {
        "id": _id("LE"),
        "createdAt": _of("created_at"),
        "actor": lambda world, row, _arguments: _actor(world, row.actor_id),
        "label": lambda _world, row, _arguments: Node("EventLabel", row.label),
    },
    "RenamedTitleEvent": {
        "id": _id("RTE"),
        "createdAt": _of("created_at"),
        "actor": lambda world, row, _arguments: _actor(world, row.actor_id),
    },
    "UserContentEdit": {
        "editedAt": _of("edited_at"),
        "editor": lambda world, row, _arguments: _actor(world, row.editor_id),
    },
    "Blob": {"text": lambda _world, text, _arguments: text},
    "EventLabel": {"name": lambda _world, row, _arguments: row["name"]},
    "PullRequest": {
        "id": _id("PR"),
        "number": _of("number"),
        "title": _text_of("title"),
        "body": _text_of("body"),
        "state": _pull_state,
        "merged": lambda _world, row, _arguments: row.merged_at is not None,
        "isDraft": _of("draft"),
        "isCrossRepository": lambda _world, _row, _arguments: False,
        "mergeable": _mergeable,
        "url": lambda world, row, _arguments: (
            f"{render.web_url(world.state, world.state.repositories[row.repository_id])}/pull/{row.number}"
        ),
        "headRefName": _of("head_ref"),
        "headRefOid": _of("head_sha"),
        "baseRefName": _of("base_ref"),
        "author": lambda world, row, _arguments: _actor(world, world.state.issues[row.issue_id].user_id),
        "comments": _comments(lambda row: row.issue_id),
        "commits": _head_of_pull,
        "reviews": lambda world, row, arguments: _page(
            [Node("PullRequestReview", one) for one in world.state.reviews if one.pull_id == row.id], arguments
        ),
    },
    "PullRequestCommit": {"commit": lambda _world, commit, _arguments: Node("Commit", commit)},
    "PullRequestReview": {
        "id": _id("PRR"),
        "body": _of("body"),
        "author": lambda world, row, _arguments: _actor(world, row.user_id),
    },
    "StatusCheckRollup": {"contexts": lambda world, commit, arguments: _page(_contexts(world, commit), arguments)},
    "CheckRun": {
        "id": _id("CR"),
        "databaseId": _of("id"),
        "externalId": _of("external_id"),
        "name": _of("name"),
        "status": _upper("status"),
        "conclusion": _upper("conclusion"),
        "title": _of("title"),
        "summary": _of("summary"),
        "text": _of("text"),
        "url": lambda world, row, _arguments: render_checks.check_run(world.state, row)["html_url"],
        "annotations": lambda _world, row, arguments: _page([Node("CheckAnnotation", one) for one in row.annotations], arguments),
        "checkSuite": lambda world, row, _arguments: Node("CheckSuite", world.state.check_suites[row.suite_id]),
    },
    "CheckAnnotation": {"message": lambda _world, row, _arguments: row["message"]},
    "CheckSuite": {
        "app": lambda world, suite, _arguments: Node("App", world.state.apps[suite.app_id]),
        "checkRuns": _runs_of_suite,
    },
    "IssueComment": {
        "id": _id("IC"),
        "databaseId": _of("id"),
        "body": _of("body"),
        "author": lambda world, row, _arguments: _actor(world, row.user_id),
    },
    "App": {"databaseId": _of("id"), "slug": _of("slug")},
    "StatusContext": {
        "context": _of("context"),
        "state": _upper("state"),
        "description": _of("description"),
        "targetUrl": _of("target_url"),
    },
    "Connection": {
        "nodes": _of("nodes"),
        "totalCount": _of("total"),
        "pageInfo": lambda _world, page, _arguments: Node("PageInfo", page),
    },
    "PageInfo": {"hasPreviousPage": _of("more_before"), "hasNextPage": _of("more_after"), "endCursor": _of("end")},
    "User": _ACTOR,
    "Bot": _ACTOR,
    "Organization": _ACTOR,
}
