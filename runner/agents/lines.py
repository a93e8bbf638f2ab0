"""PURE: reading lines of JSON that a program we do not control prints, without ever tripping over them."""

import json
import math
from collections.abc import Mapping
from typing import Any

from shared.models import Usage

Json = Mapping[str, Any]

# What a tool was used on, by the names that the CLIs have for it.
_SUBJECTS = ("command", "cmd", "file_path", "filePath", "path", "pattern", "query", "url")


def parsed(line: str) -> Json:
    """The line's object; empty when the line is none."""
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def inner(data: Json, *names: str) -> Json:
    """An object further in; empty when there is none."""
    for name in names:
        found = data.get(name)
        data = found if isinstance(found, dict) else {}
    return data


def objects(data: Json, name: str) -> list[Json]:
    """The objects of a list; other things in it are left out."""
    found = data.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(data: Json, name: str) -> str:
    found = data.get(name)
    return _clean(found) if isinstance(found, str) else ""


def number(data: Json, name: str) -> int:
    """Zero when there is none, never less."""
    return int(money(data, name) or 0)


def money(data: Json, name: str) -> float | None:
    """None when there is none, never less than zero; to Python, NaN and Infinity are JSON."""
    found = data.get(name)
    try:
        return max(0.0, float(found)) if isinstance(found, int | float) and math.isfinite(found) else None
    except OverflowError:
        return None


def deed(name: str, arguments: Json) -> str:
    """A tool call in a few words: "Bash: git log"."""
    subject = next((value for key in _SUBJECTS if (value := arguments.get(key))), "")
    words = _clean(" ".join(str(subject).split()))
    return f"{name}: {words}"[:200] if words else name


def _clean(found: str) -> str:
    """Half a character, which JSON can hold and no file can, becomes a question mark."""
    return found.encode("utf-8", "replace").decode()


def usage(data: Json, taken: str, cached: str, given: str) -> Usage:
    """From the names that an API has for what it took, what of that was cached, and what it gave."""
    return Usage(
        input_tokens=number(data, taken),
        cached_tokens=number(data, cached),
        output_tokens=number(data, given),
    )
