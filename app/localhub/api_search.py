"""Search for issues, with the few qualifiers that are known here; another one is refused loudly instead of being overlooked."""

import re
from collections.abc import Callable

from app.localhub import render_issues
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused
from app.localhub.permissions import sees
from app.localhub.records import Issue

_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
# Source: GitHub's documentation of search: a longer query is refused, and no more than this can be read of any.
_MOST_CHARACTERS, _MOST_RESULTS = 256, 1000


def issues(call: Call) -> Reply:
    """Issues and pull requests that fit every qualifier; several repositories are alternatives, as on GitHub."""
    text = call.query.get("q", "")
    if not text.strip() or len(text) > _MOST_CHARACTERS:
        raise Refused(422, "Validation Failed: the search is longer than 256 characters." if text.strip() else "Validation Failed")
    repositories, tests = set[str](), list[Callable[[Issue], bool]]()
    for quoted in _WORD.findall(text):
        word = quoted.replace('"', "")
        name, colon, value = word.partition(":")
        if colon and name == "repo":
            repositories.add(value.lower())
        else:
            tests.append(_test(call, name, value) if colon else _has(word))
    seen = {one.id for one in call.state.repositories if sees(call.actor, one) and one.full_name.lower() in repositories}
    found = [row for row in call.state.issues if row.repository_id in seen and all(fits(row) for fits in tests)]
    found = sorted(found, key=lambda row: row.created_at, reverse=True)[:_MOST_RESULTS]
    page, headers = call.page(found)
    items = [{**render_issues.issue(call.state, row), "score": 1.0} for row in page]
    return Reply(200, {"total_count": len(found), "incomplete_results": False, "search_type": "lexical", "items": items}, headers)


def _test(call: Call, name: str, value: str) -> Callable[[Issue], bool]:
    state = call.state
    match name, value.lower():
        case "is", "open" | "closed" as wanted:
            return lambda row: row.state == wanted
        case "is", "issue" | "pr" as wanted:
            return lambda row: (row.pull_id is None) == (wanted == "issue")
        case "label", wanted:
            return lambda row: wanted in {state.labels[one].name.lower() for one in row.label_ids}
        case "-label", wanted:
            return lambda row: wanted not in {state.labels[one].name.lower() for one in row.label_ids}
        case "author", wanted:
            return lambda row: state.accounts[row.user_id].login.lower() == wanted
        case _:
            raise Refused(422, f"localhub's search does not know `{name}:{value}`: add it to app/localhub/api_search.py")


def _has(word: str) -> Callable[[Issue], bool]:
    return lambda row: word.lower() in f"{row.title}\n{row.body or ''}".lower()
