"""Which issues a job of GitHub Actions is asked to work on: numbers or a search from its input, else the issue of its event."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from shared.errors import UserError

# An issue's event holds its text, of at most 64 KiB characters, twice.
_MOST_BYTES = 4 * 2**20
# Source: GitHub's documentation of search.
_LONGEST_SEARCH = 256


@dataclass(frozen=True)
class Wanted:
    """Nothing of either means every labelled issue."""

    numbers: tuple[int, ...] = ()
    search: str = ""


class _Issue(BaseModel):
    number: Annotated[int, Field(gt=0)]


class _Labelled(BaseModel):
    """Of the event's file only this."""

    action: str
    issue: _Issue


def wanted(text: str, environ: Mapping[str, str]) -> Wanted:
    """What the input says, and where it says nothing the event; UserError with the fix for what is neither."""
    words = [word.strip().removeprefix("#") for word in text.split(",") if word.strip()]
    if not words:
        return _of_event(environ)
    if ":" in text:  # every qualifier of GitHub's search has one, and no number has
        if len(text) > _LONGEST_SEARCH:
            raise UserError(f"--issues: the search has {len(text)} characters, GitHub takes at most {_LONGEST_SEARCH}")
        return Wanted(search=" ".join(text.split()))
    if wrong := [word for word in words if not (word.isascii() and word.isdecimal())]:
        raise UserError(
            f"--issues: `{wrong[0][:50]}` is no number of an issue: separate numbers by commas, "
            "or search as on GitHub, such as `author:mona`"
        )
    return Wanted(numbers=tuple(map(int, words)))


def _of_event(environ: Mapping[str, str]) -> Wanted:
    """Six labels at once are six events and six jobs, each for its own issue; any other event is for all of them."""
    if environ.get("GITHUB_EVENT_NAME") != "issues":
        return Wanted()
    event = _read(Path(environ.get("GITHUB_EVENT_PATH", "")))
    if event.action != "labeled":
        raise UserError(
            f"this job was started by an issue that was {event.action[:50]!r}: `mode: orchestrate` works when a label is put on, "
            "say `on: {issues: {types: [labeled]}}` in the workflow file"
        )
    return Wanted(numbers=(event.issue.number,))


def _read(path: Path) -> _Labelled:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"the event of this job (GITHUB_EVENT_PATH) cannot be read: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise UserError(f"the event of this job is larger than {_MOST_BYTES} bytes: name the issues by the input `issues`")
    try:
        return _Labelled.model_validate_json(raw)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, problem["loc"])) or "the file" for problem in error.errors()}))
        raise UserError(
            f"the event of this job is no event of an issue, wrong: {places}; name the issues by the input `issues`"
        ) from None
