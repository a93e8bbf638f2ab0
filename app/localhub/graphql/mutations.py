"""The mutations that callers use: each is the REST endpoint of the same effect, with its permission and its refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.localhub import api_checks, api_comments, api_pulls, permissions, render
from app.localhub.calls import Call, Json, Reply
from app.localhub.errors import Refused
from app.localhub.graphql.schema import Arguments, Node, Resolver, World
from app.localhub.records import Repository
from app.localhub.state import Table

_WRITE_TALK = ("issues:write", "pull_requests:write")
_WRITE_CHECKS = ("checks:write",)
_REST_NAMES = {
    "externalId": "external_id",
    "detailsUrl": "details_url",
    "startedAt": "started_at",
    "completedAt": "completed_at",
    "headSha": "head_sha",
}
_ENUMS = {"status", "conclusion"}


def _number(node: str, kind: str) -> int:
    number = render.row_of_node(kind, node)
    if number is None:
        raise Refused(404, f"Could not resolve to a node with the global id of '{node}'")
    return number


def _row(table: Table[Any], node: str, kind: str) -> Any:
    row = table.get(_number(node, kind))
    if row is None:
        raise Refused(404, f"Could not resolve to a node with the global id of '{node}'")
    return row


def _at(call: Call, where: Repository, needs: tuple[str, ...], body: Json, **path: object) -> Call:
    """The call as the REST endpoint would have it."""
    permissions.require(call.actor, where, needs, "read")
    return replace(call, repository_or_none=where, body=body, path={name: str(value) for name, value in path.items()})


def _update_comment(world: World, call: Call, given: Json) -> Node:
    row = _row(world.state.comments, given["id"], "IC")
    where = world.state.repositories[row.repository_id]
    api_comments.edit(_at(call, where, _WRITE_TALK, {"body": given["body"]}, comment_id=row.id))
    return Node("UpdateIssueCommentPayload", world.state.comments[row.id])


def _subject(world: World, node: str) -> Any:
    """The issue behind an issue's or a pull request's id."""
    if render.row_of_node("PR", node) is not None:
        return world.state.issues[_row(world.state.pulls, node, "PR").issue_id]
    return _row(world.state.issues, node, "I")


def _add_comment(world: World, call: Call, given: Json) -> Node:
    about = _subject(world, given["subjectId"])
    where = world.state.repositories[about.repository_id]
    reply = api_comments.create(_at(call, where, _WRITE_TALK, {"body": given["body"]}, issue_number=about.number))
    return Node("AddCommentPayload", world.state.comments[reply.body["id"]])


def _add_reaction(world: World, call: Call, given: Json) -> Node:
    about = _subject(world, given["subjectId"])
    where, body = world.state.repositories[about.repository_id], {"content": str(given["content"]).lower()}
    reply = api_comments.react_to_issue(_at(call, where, _WRITE_TALK, body, issue_number=about.number))
    return Node("AddReactionPayload", world.state.reactions[reply.body["id"]])


def _check_body(given: Json) -> Json:
    named = {_REST_NAMES.get(name, name): value for name, value in given.items() if name not in {"repositoryId", "checkRunId"}}
    return {name: str(value).lower() if name in _ENUMS else value for name, value in named.items()}


def _create_check(world: World, call: Call, given: Json) -> Node:
    where = _row(world.state.repositories, given["repositoryId"], "R")
    reply: Reply = api_checks.create(_at(call, where, _WRITE_CHECKS, _check_body(given)))
    return Node("CreateCheckRunPayload", world.state.check_runs[reply.body["id"]])


def _update_check(world: World, call: Call, given: Json) -> Node:
    where = _row(world.state.repositories, given["repositoryId"], "R")
    number = _number(given["checkRunId"], "CR")
    api_checks.edit(_at(call, where, _WRITE_CHECKS, _check_body(given), check_run_id=number))
    return Node("UpdateCheckRunPayload", world.state.check_runs[number])


def _ready(world: World, call: Call, given: Json) -> Node:
    row = _row(world.state.pulls, given["pullRequestId"], "PR")
    where = world.state.repositories[row.repository_id]
    api_pulls.ready(_at(call, where, ("pull_requests:write",), {}, pull_number=row.number))
    return Node("MarkPullRequestReadyForReviewPayload", world.state.pulls[row.id])


def _review(world: World, call: Call, given: Json) -> Node:
    row = _row(world.state.pulls, given["pullRequestId"], "PR")
    where = world.state.repositories[row.repository_id]
    body = {"body": given.get("body") or "", "event": given["event"], "commit_id": given.get("commitOID")}
    reply = api_pulls.create_review(_at(call, where, ("pull_requests:write",), body, pull_number=row.number))
    return Node("AddPullRequestReviewPayload", world.state.reviews[reply.body["id"]])


def _mutation(act: Callable[[World, Call, Json], Node]) -> Resolver:
    def resolve(world: World, call: Any, arguments: Arguments) -> Node:
        return act(world, call, dict(arguments["input"]))

    return resolve


def _itself(kind: str) -> Resolver:
    return lambda _world, row, _arguments: Node(kind, row)


PAYLOADS: Mapping[str, Mapping[str, Resolver]] = {
    "Mutation": {
        "updateIssueComment": _mutation(_update_comment),
        "addComment": _mutation(_add_comment),
        "addReaction": _mutation(_add_reaction),
        "createCheckRun": _mutation(_create_check),
        "updateCheckRun": _mutation(_update_check),
        "markPullRequestReadyForReview": _mutation(_ready),
        "addPullRequestReview": _mutation(_review),
    },
    "UpdateIssueCommentPayload": {"issueComment": _itself("IssueComment")},
    "AddCommentPayload": {"commentEdge": _itself("IssueCommentEdge")},
    "IssueCommentEdge": {"node": _itself("IssueComment")},
    "AddReactionPayload": {"reaction": _itself("Reaction")},
    "Reaction": {"content": lambda _world, row, _arguments: row.content.upper()},
    "MarkPullRequestReadyForReviewPayload": {"pullRequest": _itself("PullRequest")},
    "AddPullRequestReviewPayload": {"pullRequestReview": _itself("PullRequestReview")},
    "CreateCheckRunPayload": {"checkRun": _itself("CheckRun")},
    "UpdateCheckRunPayload": {"checkRun": _itself("CheckRun")},
}
