"""Reads issues as GitHub's REST API returns them; a bad entry becomes a problem and does not stop the others."""

import json
import re
from dataclasses import dataclass
from typing import TypeGuard

from pydantic import JsonValue

from app.planning.plan import BlockerState
from shared.errors import UserError
from shared.github import issue_hash
from shared.models import IssueSnapshot, Problem

_LARGEST_NUMBER = 2**31
_SURROGATE = re.compile("[\ud800-\udfff]")
_ADDRESS = re.compile(r"https?://[^/\s]+/(?:api/v3/)?(?:repos/)?([\w.-]+/[\w.-]+)(?:/issues/\d+)?/?")


@dataclass(frozen=True)
class IssuesFile:
    """Open issues, what is known of the other entries, problems by entry, and the repository if the entries name it."""

    issues: tuple[IssueSnapshot, ...]
    blockers: dict[int, BlockerState]
    problems: tuple[Problem, ...]
    repository: str


class _BadEntry(Exception):
    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


def read_issues(document: JsonValue, name: str) -> IssuesFile:
    """Takes a list of issue objects, or an object whose `issues` is one."""
    entries = document.get("issues") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise UserError(f'{name} holds no list of issues: give a JSON list of issue objects, or {{"issues": [...]}}')
    issues: list[IssueSnapshot] = []
    blockers: dict[int, BlockerState] = {}
    problems: list[Problem] = []
    for index, entry in enumerate(entries):
        try:
            issue = _issue(entry)
        except _BadEntry as bad:
            number = entry.get("number") if isinstance(entry, dict) else None
            problems.append(Problem(issue=number if _is_number(number) else None, what=f"entry {index}: {bad.what}", fix=bad.fix))
            continue
        if state := _not_open(entry):
            blockers[issue.number] = state
            what = f"#{issue.number} is {'a pull request' if state == 'pull_request' else 'closed'}: not planned"
            problems.append(Problem(issue=issue.number, what=what, fix="leave it out of the batch"))
        else:
            issues.append(issue)
    return IssuesFile(tuple(issues), blockers, tuple(problems), _repository(entries))


def _issue(entry: JsonValue) -> IssueSnapshot:
    if not isinstance(entry, dict):
        raise _BadEntry("is not an object", "give issues as GitHub's REST API returns them")
    number = entry.get("number")
    if not _is_number(number):
        shown = "is missing" if number is None else f"is {json.dumps(number)[:40]}"
        raise _BadEntry(f"`number` {shown}", "give the issue's number, a whole number from 1 on")
    title, body = _text(entry, "title"), _text(entry, "body")
    return IssueSnapshot(
        number=number,
        title=title,
        body=body,
        labels=_labels(entry.get("labels")),
        author=_author(entry.get("user")),
        hash=issue_hash(title, body),
        blocked_by=_blocked_by(entry.get("blocked_by")),
    )


def _is_number(value: JsonValue) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST_NUMBER


def _text(entry: dict[str, JsonValue], key: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _BadEntry(f"`{key}` is not a text", f"give `{key}` as a string or null")
    return _SURROGATE.sub("\ufffd", value)  # half characters, which JSON can write and UTF-8 cannot


def _labels(value: JsonValue) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _BadEntry("`labels` is not a list", "give names, or objects with a `name`")
    names = [label.get("name") if isinstance(label, dict) else label for label in value]
    if not all(isinstance(name, str) for name in names):
        raise _BadEntry("`labels` holds something that is no label", "give names, or objects with a `name`")
    return tuple(_SURROGATE.sub("\ufffd", name) for name in names if isinstance(name, str))


def _author(value: JsonValue) -> str:
    login = value.get("login") if isinstance(value, dict) else None
    return login if isinstance(login, str) and not _SURROGATE.search(login) else ""


def _blocked_by(value: JsonValue) -> tuple[int, ...]:
    if value is None:
        return ()
    numbers = [one.get("number") if isinstance(one, dict) else one for one in value] if isinstance(value, list) else [None]
    if not all(_is_number(number) for number in numbers):
        raise _BadEntry("`blocked_by` is not a list of issue numbers", "give it as [4, 5], or leave it out")
    return tuple(sorted({number for number in numbers if _is_number(number)}))


def _not_open(entry: JsonValue) -> BlockerState | None:
    if not isinstance(entry, dict):
        return None
    if entry.get("pull_request") is not None:
        return "pull_request"
    return "closed" if entry.get("state") == "closed" else None


def _repository(entries: list[JsonValue]) -> str:
    """The one repository that the entries' addresses name."""
    named = set()
    for entry in entries:
        for key in ("html_url", "repository_url"):
            address = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(address, str) and (found := _ADDRESS.fullmatch(address[:500])):
                named.add(found[1].lower())
    return named.pop() if len(named) == 1 else ""
