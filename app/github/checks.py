"""Check runs: one per name, commit and `external_id`, however often it is written; GitHub's limits kept by cutting."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.github.calls import Calls
from app.github.errors import NotFound
from shared.github import CHECK_ANNOTATION_LIMIT, CHECK_BUTTON_LIMIT, CHECK_TEXT_LIMIT, cut

Look = Callable[[], Awaitable[int | None]]

_TITLE_LIMIT = 255
_BUTTON_LIMITS = {"label": 20, "description": 40, "identifier": 20}
_MESSAGE_LIMIT = 64_000


@dataclass(frozen=True, slots=True)
class CheckWrite:
    """A check run as it should be; `actions` and `annotations` are GitHub's own objects."""

    name: str
    head_sha: str
    external_id: str
    status: str
    conclusion: str | None
    title: str
    summary: str
    text: str = ""
    details_url: str = ""
    actions: tuple[Mapping[str, str], ...] = ()
    annotations: tuple[Mapping[str, Any], ...] = ()
    started_at: datetime | None = None
    completed_at: datetime | None = None


async def upsert(calls: Calls, root: str, check: CheckWrite, known_id: int | None, look: Look) -> int:
    """Writes the check run and answers its id; `look` finds one that we made before. `root` is `repos/OWNER/NAME`."""
    body = check_body(check)
    answer: dict[str, Any] | None = None
    if known_id is not None:
        answer = await _patch(calls, root, known_id, body)
    if answer is None and (found := await look()) is not None:
        answer = await _patch(calls, root, found, body)
    if answer is None:
        first = [_annotation(a) for a in check.annotations[:CHECK_ANNOTATION_LIMIT]]
        output = {**body["output"], "annotations": first} if first else body["output"]
        answer = await calls.write("POST", f"{root}/check-runs", {**body, "head_sha": check.head_sha, "output": output})
    await _annotate(calls, root, check, answer)
    return int(answer["id"])


def check_body(check: CheckWrite) -> dict[str, Any]:
    """What both POST and PATCH take; annotations are apart, for each PATCH appends them."""
    note = f"\n\n*Cut here: GitHub's limit is reached. All of it: {check.details_url}*" if check.details_url else "\n\n*Cut here.*"
    output = {
        "title": cut(check.title, _TITLE_LIMIT, "…"),
        "summary": cut(check.summary, CHECK_TEXT_LIMIT, note),
        "text": cut(check.text, CHECK_TEXT_LIMIT, note),
    }
    body: dict[str, Any] = {
        "name": check.name,
        "external_id": check.external_id,
        "details_url": check.details_url,
        "started_at": _stamp(check.started_at),
        "completed_at": _stamp(check.completed_at),
        "conclusion": check.conclusion,
        "actions": [
            {name: action[name][:limit] for name, limit in _BUTTON_LIMITS.items()} for action in check.actions[:CHECK_BUTTON_LIMIT]
        ],
    }
    # Null and empty are not the same as absent to GitHub; an empty list of buttons is how they are taken away.
    given = {name: value for name, value in body.items() if value not in (None, "")}
    return {**given, "status": check.status, "output": output}


async def _patch(calls: Calls, root: str, check_id: int, body: dict[str, Any]) -> dict[str, Any] | None:
    """None when GitHub has deleted it: old ones go when a suite holds a thousand of one name."""
    try:
        answer: dict[str, Any] = await calls.write("PATCH", f"{root}/check-runs/{check_id}", body)
    except NotFound:
        return None
    return answer


async def find(calls: Calls, root: str, app_id: int, check: CheckWrite) -> int | None:
    """Page by page, where there are more than one query looks at."""
    query = {"app_id": app_id, "check_name": check.name, "filter": "all"}
    runs = calls.pages(f"{root}/commits/{check.head_sha}/check-runs", query, key="check_runs")
    return max([run["id"] async for run in runs if run.get("external_id") == check.external_id], default=None)


async def _annotate(calls: Calls, root: str, check: CheckWrite, answer: dict[str, Any]) -> None:
    """Sends only what GitHub does not hold yet, in the order that makes a count enough to know."""
    held = int((answer.get("output") or {}).get("annotations_count") or 0)
    output = check_body(check)["output"]
    for start in range(held, len(check.annotations), CHECK_ANNOTATION_LIMIT):
        some = [_annotation(a) for a in check.annotations[start : start + CHECK_ANNOTATION_LIMIT]]
        await calls.write("PATCH", f"{root}/check-runs/{answer['id']}", {"output": {**output, "annotations": some}})


def _annotation(annotation: Mapping[str, Any]) -> dict[str, Any]:
    limits = {"title": _TITLE_LIMIT, "message": _MESSAGE_LIMIT}
    return {name: cut(value, limits[name], "…") if name in limits else value for name, value in annotation.items() if value != ""}


def _stamp(when: datetime | None) -> str | None:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
