"""PURE: reads a review: prose for people, and findings from its fenced JSON, as far as they can be understood."""

import json
import re
from collections.abc import Collection
from typing import Any

from shared.models import Finding

_PROSE_LIMIT = 40_000
_TEXT_LIMIT = 2_000
_FINDINGS_LIMIT = 50
_BLOCK_LIMIT = 500_000
_LARGEST_LINE = 10_000_000


def read_review(text: str, paths: Collection[str]) -> tuple[str, tuple[Finding, ...]]:
    """Prose without the block, and the findings; `paths` are the files of the diff.

    No block that can be read: all is prose. A finding about another file is one about the whole change.
    """
    for begin, end, inner in reversed(_blocks(text)):
        entries = _entries(inner)
        if entries is not None:
            prose = f"{text[:begin].rstrip()}\n\n{text[end:].lstrip()}".strip()
            found = (_finding(entry, paths) for entry in entries[:_FINDINGS_LIMIT])
            return prose[:_PROSE_LIMIT], tuple(one for one in found if one)
    return text.strip()[:_PROSE_LIMIT], ()


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """Fenced blocks with their places; a text that is nothing but JSON counts as one."""
    found = []
    begin, inner = -1, 0
    for fence in re.finditer(r"^[ \t]*```[^\n`]*$", text, re.MULTILINE):
        if begin < 0:
            begin, inner = fence.start(), fence.end()
        else:
            found.append((begin, fence.end(), text[inner : fence.start()]))
            begin = -1
    return found or [(0, len(text), text)]


def _entries(text: str) -> list[Any] | None:
    """A list of findings, bare or under that name; None when it is something else."""
    if len(text) > _BLOCK_LIMIT:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(document, dict):
        document = document.get("findings")
    if not isinstance(document, list) or not all(isinstance(entry, dict) and _text(entry) for entry in document):
        return None
    return document


def _finding(entry: dict[str, Any], paths: Collection[str]) -> Finding | None:
    path = _words(entry.get("path")).removeprefix("./")
    text, line, must_fix = _text(entry), entry.get("line"), entry.get("must_fix")
    is_line = isinstance(line, int) and not isinstance(line, bool) and 0 < line < _LARGEST_LINE
    if path and path not in paths:
        path, text, is_line = "", f"{path[:200]}: {text}"[:_TEXT_LIMIT], False
    return Finding(
        path=path,
        line=line if path and is_line and isinstance(line, int) else 0,
        must_fix=must_fix is True or str(must_fix).lower() == "true",
        text=text,
    )


def _text(entry: dict[str, Any]) -> str:
    return _words(entry.get("text"))[:_TEXT_LIMIT]


def _words(value: object) -> str:
    """As text that can be sent on; half characters cannot."""
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""
