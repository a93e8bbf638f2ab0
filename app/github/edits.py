"""Many texts of ours on GitHub as one GraphQL mutation, and its answer as many. Pure: nothing is sent here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.github.batch import Query
from app.github.checks import CheckWrite, check_body

# GitHub gives a mutation ten seconds, and takes its fields one after the other.
MOST = 20
_MOST_BYTES = 250_000
_CAMEL = {
    "external_id": "externalId",
    "details_url": "detailsUrl",
    "started_at": "startedAt",
    "completed_at": "completedAt",
}
# Enumerations in GraphQL, where REST has words.
_ENUMS = {"status", "conclusion"}


@dataclass(frozen=True, slots=True)
class CommentEdit:
    """New words for a comment."""

    node: str
    body: str


@dataclass(frozen=True, slots=True)
class NewComment:
    """A comment on an issue or a pull request."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class CheckEdit:
    """A check run as it should be, but for annotations, which every edit would add again: it is done where GitHub has them all."""

    repository: str
    node: str
    check: CheckWrite


@dataclass(frozen=True, slots=True)
class NewCheck:
    """A check run that is not there yet."""

    repository: str
    check: CheckWrite


@dataclass(frozen=True, slots=True)
class Reaction:
    """GitHub keeps one of a kind."""

    subject: str
    content: str


Edit = CommentEdit | NewComment | CheckEdit | NewCheck | Reaction


@dataclass(frozen=True, slots=True)
class Made:
    """What an edit left on GitHub, by both of its names; a reaction has none."""

    node: str
    id: int


_COMMENT, _CHECK = "{ id databaseId }", "checkRun { id databaseId annotations(first: 1) { totalCount } }"
_FIELDS: Mapping[type, tuple[str, str, str]] = {
    CommentEdit: ("updateIssueComment", "UpdateIssueCommentInput", f"issueComment {_COMMENT}"),
    NewComment: ("addComment", "AddCommentInput", f"commentEdge {{ node {_COMMENT} }}"),
    CheckEdit: ("updateCheckRun", "UpdateCheckRunInput", _CHECK),
    NewCheck: ("createCheckRun", "CreateCheckRunInput", _CHECK),
    Reaction: ("addReaction", "AddReactionInput", "reaction { content }"),
}


def name(edit: Edit) -> str:
    """The mutation's field."""
    return _FIELDS[type(edit)][0]


def creates(edits: Sequence[Edit]) -> int:
    """How many of them GitHub counts as new content."""
    return sum(not isinstance(edit, CommentEdit | CheckEdit) for edit in edits)


def chunks(edits: Sequence[Edit]) -> Iterator[Sequence[Edit]]:
    """As few mutations as the limits allow, in the same order."""
    begin, size = 0, 0
    for place, edit in enumerate(edits):
        weight = len(str(_input(edit)))
        if place > begin and (size + weight > _MOST_BYTES or place - begin >= MOST):
            yield edits[begin:place]
            begin, size = place, 0
        size += weight
    if edits:
        yield edits[begin:]


def mutation(edits: Sequence[Edit]) -> Query:
    """The n-th edit under the alias `m<n>`; texts travel as variables."""
    types = ", ".join(f"$i{place}: {_FIELDS[type(edit)][1]}!" for place, edit in enumerate(edits))
    fields = " ".join(
        f"m{place}: {field}(input: $i{place}) {{ {answer} }}"
        for place, (field, _, answer) in enumerate(_FIELDS[type(edit)] for edit in edits)
    )
    return Query(f"mutation({types}) {{ {fields} }}", {f"i{place}": _input(edit) for place, edit in enumerate(edits)})


def outcomes(edits: Sequence[Edit], body: Mapping[str, Any]) -> list[Made | None]:
    """None for each that GitHub refused: one that fails takes nothing from the others."""
    failed = {path[0] for error in body.get("errors") or [] if (path := error.get("path"))}
    answers = [None if f"m{place}" in failed else body["data"].get(f"m{place}") for place in range(len(edits))]
    return [_made(edit, answer) for edit, answer in zip(edits, answers, strict=True)]


def _made(edit: Edit, answer: Mapping[str, Any] | None) -> Made | None:
    if answer is None:
        return None
    thing = answer.get("issueComment") or answer.get("checkRun") or (answer.get("commentEdge") or {}).get("node") or {}
    wanted = len(edit.check.annotations) if isinstance(edit, CheckEdit | NewCheck) else 0
    if wanted > int((thing.get("annotations") or {}).get("totalCount") or 0):
        return None
    return Made(str(thing.get("id") or ""), int(thing.get("databaseId") or 0))


def _input(edit: Edit) -> dict[str, Any]:
    match edit:
        case CommentEdit(node, body):
            return {"id": node, "body": body}
        case NewComment(subject, body):
            return {"subjectId": subject, "body": body}
        case CheckEdit(repository, node, check):
            return {"repositoryId": repository, "checkRunId": node, **_check_input(check)}
        case NewCheck(repository, check):
            return {"repositoryId": repository, "headSha": check.head_sha, **_check_input(check)}
        case Reaction(subject, content):
            return {"subjectId": subject, "content": content.upper()}


def _check_input(check: CheckWrite) -> dict[str, Any]:
    body = check_body(check)
    return {_CAMEL.get(key, key): value.upper() if key in _ENUMS else value for key, value in body.items()}
