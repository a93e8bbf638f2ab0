"""Reads an issue as a person sees it: what is hidden is taken out and told of, prose is told from code and quotes.

Every pattern here runs in linear time. Planning reads only the first 65,536 characters of a body (GitHub saves no longer one); an
agent is told all of it.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from shared.hidden_text import without_hidden
from shared.models import IssueSnapshot

TITLE_LIMIT = 1_000
BODY_LIMIT = 65_536

# Controls, bidi marks, tag characters, variation selectors beyond emoji: they carry text that nobody sees.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufff9-\ufffb\ud800-\udfff\uffa0\U000e0000-\U000e0fff]"
)
# Joiners belong to scripts and emoji, a byte order mark to files: taken out too, but nothing to tell anybody.
_HARMLESS = re.compile("[\u200c\u200d\ufe0f\ufeff]")
_FENCE = re.compile(r"\s*(?:[-*+]\s+|\d{1,9}[.)]\s+)*(`{3,}|~{3,})")
_QUOTE = re.compile(r"\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)*>")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")
_CODE_OR_COMMENT = re.compile(r"`+|<!--")
_PRE = re.compile(r"<(/?)pre\b", re.IGNORECASE)

LineKind = Literal["prose", "quote", "code"]


@dataclass(frozen=True)
class Line:
    """One visible line and what it is."""

    kind: LineKind
    text: str


@dataclass(frozen=True)
class IssueText:
    """An issue's visible text; `hidden` says in words what was taken out or not read."""

    title: str
    lines: tuple[Line, ...]
    hidden: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing that a person can read."""
        return not self.title.strip() and not any(line.text.strip() for line in self.lines)

    @property
    def prose(self) -> tuple[str, ...]:
        """The lines that the author says, without quotes and code blocks."""
        return tuple(line.text for line in self.lines if line.kind == "prose")


class Visible(NamedTuple):
    """What a person sees; `removed` says in words what was taken out, one line per kind."""

    text: str
    removed: tuple[str, ...]


def visible(text: str) -> Visible:
    """A body as GitHub shows it, whatever its length."""
    shown, invisible = _without_invisible(text)
    lines, removed = _read_lines(shown)
    removed["invisible character"] += invisible
    return Visible("\n".join(line.text for line in lines), _told(removed))


def visible_title(title: str) -> Visible:
    """A title on one line; GitHub shows comments and Markdown in it as they are written."""
    shown, invisible = _without_invisible(title)
    return Visible(" ".join(shown.split()), _told(Counter({"invisible character": invisible})))


def read_issue(issue: IssueSnapshot) -> IssueText:
    """Title and body as they are shown."""
    title, title_hides = _without_invisible(issue.title[:TITLE_LIMIT])
    body, body_hides = _without_invisible(issue.body[:BODY_LIMIT])
    lines, removed = _read_lines(body)
    removed["invisible character"] += title_hides + body_hides
    hidden = [f"{kind}s" for kind, count in removed.items() if count]
    if len(issue.body) > BODY_LIMIT or len(issue.title) > TITLE_LIMIT:
        hidden.append(f"everything after the first {BODY_LIMIT:,} characters")
    return IssueText(" ".join(title.split()), tuple(lines), tuple(hidden))


def _read_lines(body: str) -> tuple[list[Line], Counter[str]]:
    """Comments first; then what else prose hides, which may stand on several lines."""
    lines, comments = _Reader().read(body)
    removed: Counter[str] = Counter({"HTML comment": comments})
    shown: list[Line] = []
    for kind, group in groupby(lines, key=lambda line: line.kind):
        text = "\n".join(line.text for line in group)
        if kind != "code":
            text, found = without_hidden(text)
            removed += found
        shown += [Line(kind, row) for row in text.split("\n")]
    return shown, removed


def _told(removed: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{count:,} {kind}{'s' * (count != 1)}" for kind, count in removed.items() if count)


def _without_invisible(text: str) -> tuple[str, int]:
    text = _HARMLESS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n"))
    return _INVISIBLE.subn("", text)


class _Reader:
    """Goes through the lines once; what it must remember between lines is its state."""

    def __init__(self) -> None:
        self.fence = ""  # the marker that closes the open code block
        self.in_comment = False
        self.in_pre = False
        self.in_list = False
        self.after_blank = True
        self.comments = 0
        self.lines: list[Line] = []

    def read(self, body: str) -> tuple[list[Line], int]:
        rows = body.split("\n")
        last_close = max((index for index, raw in enumerate(rows) if "-->" in raw), default=-1)
        for index, raw in enumerate(rows):
            kind, text = self._line(raw, can_close=index < last_close)
            self.after_blank = not text.strip() or (kind == "code" and not self.fence)
            self.lines.append(Line(kind, text))
        return self.lines, self.comments

    def _line(self, raw: str, *, can_close: bool) -> tuple[LineKind, str]:
        if self.fence:
            self._close_fence(raw)
            return "code", raw
        text = self._without_comments(raw, can_close=can_close)
        if _QUOTE.match(text):
            return "quote", text
        if self._is_pre(text):
            return "code", text
        if opened := _FENCE.match(text):
            marker = opened[1]
            if marker[0] == "~" or "`" not in text[opened.end() :]:
                self.fence = marker
                return "code", text
        if self._is_indented_code(text):
            return "code", text
        return "prose", text

    def _close_fence(self, raw: str) -> None:
        end = raw.strip()
        if end.startswith(self.fence) and not end.strip(self.fence[0]):
            self.fence = ""

    def _is_pre(self, text: str) -> bool:
        tags = _PRE.findall(text)
        inside = self.in_pre or bool(tags)
        if tags:
            self.in_pre = tags[-1] == ""
        return inside

    def _is_indented_code(self, text: str) -> bool:
        """Four columns after a blank line are code, except inside a list, where they are the item's next paragraph."""
        if not text.strip():
            return False
        indented = text.startswith(("    ", "\t"))
        if _LIST_ITEM.match(text) and not (indented and not self.in_list and self.after_blank):
            self.in_list = True
            return False
        if not indented:
            self.in_list = False
            return False
        return self.after_blank and not self.in_list

    def _without_comments(self, raw: str, *, can_close: bool) -> str:
        """The line without HTML comments; one that is closed nowhere hides the rest if it opens a line, else it is plain text."""
        kept = []
        position = 0
        if self.in_comment:
            end = raw.find("-->")
            if end < 0:
                return ""
            self.in_comment = False
            position = end + 3
        for found in _CODE_OR_COMMENT.finditer(raw):
            if found.start() < position:
                continue
            if found[0] != "<!--":
                # What looks like a comment in a code span is shown.
                closed = raw.find(found[0], found.end())
                end = closed + len(found[0]) if closed >= 0 else found.end()
                kept.append(raw[position:end])
                position = end
                continue
            closed = raw.find("-->", found.end())
            if closed < 0 and not can_close and raw[: found.start()].strip():
                continue
            kept.append(raw[position : found.start()])
            self.comments += 1
            if closed < 0:
                self.in_comment = True
                return "".join(kept)
            position = closed + 3
        return "".join([*kept, raw[position:]])
