"""Finds what GitHub does not show of Markdown prose: image texts, titles, attributes, definitions, declarations.

Every pattern runs in linear time, or is bounded: the text may be made to trap it.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

_TICKS = re.compile(r"`+")
_BRACKETS = re.compile(r"\\.|[\[\]]", re.DOTALL)
_TITLE = r"""(?:"[^"]{0,4000}+"|'[^']{0,4000}+'|\([^()]{0,4000}+\))"""
_TARGET = re.compile(
    rf"\(\s*(?:<[^<>\n]{{0,4000}}+>|[^\s()<>]{{0,4000}}+(?:\([^\s()]{{0,4000}}+\))?[^\s()<>]{{0,4000}}+)(\s+{_TITLE})\s*\)"
)
_DEFINITION = re.compile(
    rf"^ {{0,3}}\[([^\[\]\n]{{1,999}}+)\]:[ \t]*\n?[ \t]*(?:<[^<>\n]{{0,4000}}+>|\S{{1,4000}}+)([ \t]*\n?[ \t]*{_TITLE})?[ \t]*$",
    re.MULTILINE,
)
_TAG = re.compile(r"""<[a-zA-Z](?>"[^"]{0,2000}+"|'[^']{0,2000}+'|[^<>"']{1,200}+){0,100}+>""")
_ATTRIBUTE = re.compile(
    r"""\s+(?:alt|title|summary|placeholder|aria-[\w-]+|data-[\w-]+)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""", re.IGNORECASE
)
_DECLARATION = re.compile(
    r"<\?[^?]{0,8000}+(?:\?(?!>)[^?]{0,8000}+){0,20}+\?>|<!\[CDATA\[[^\]]{0,8000}+(?:\](?!\]>)[^\]]{0,8000}+){0,20}+\]\]>|<![a-zA-Z][^>]{0,8000}+>"
)


class _Range(NamedTuple):
    begin: int
    end: int
    kind: str


def without_hidden(prose: str) -> tuple[str, Counter[str]]:
    """`prose` without what nobody sees, and how often what was taken out, by kind; code spans are shown as they are."""
    masked = _without_code(prose)
    kept, position = [], 0
    counts: Counter[str] = Counter()
    for found in sorted(
        {*_image_texts(masked), *_titles(masked), *_definitions(masked), *_attributes(masked), *_declarations(masked)}
    ):
        if found.end <= position:
            continue
        kept.append(prose[position : max(position, found.begin)])
        position = found.end
        counts[found.kind] += 1
    return "".join([*kept, prose[position:]]), counts


def _without_code(text: str) -> str:
    """Of the same length; in place of code spans there are signs that mean nothing."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(text)]
    starts: dict[int, list[int]] = defaultdict(list)
    for begin, end in runs:
        starts[end - begin].append(begin)
    masked, position = [], 0
    for begin, end in runs:
        if begin < position:
            continue
        same = starts[end - begin]
        at = bisect_right(same, begin)
        if at < len(same):
            closed = same[at] + end - begin
            masked.append(text[position:begin] + "\0" * (closed - begin))
            position = closed
    return "".join([*masked, text[position:]])


def _bracketed(text: str) -> Iterator[tuple[int, int]]:
    """Every `[...]`, from the inside out."""
    open_at: list[int] = []
    for found in _BRACKETS.finditer(text):
        if found[0] == "[":
            open_at.append(found.start())
        elif found[0] == "]" and open_at:
            yield open_at.pop(), found.start()


def _image_texts(text: str) -> Iterator[_Range]:
    """What stands in the place of an image that is shown."""
    defined = {found[1].strip().lower() for found in _definition_lines(text)}
    for begin, end in _bracketed(text):
        is_image = begin > 0 and text[begin - 1] == "!" and text[end + 1 : end + 2] in {"(", "["}
        if end - begin > 1 and (is_image or (text[begin - 1 : begin] == "!" and text[begin + 1 : end].strip().lower() in defined)):
            yield _Range(begin + 1, end, "image text")


def _titles(text: str) -> Iterator[_Range]:
    """Shown only when the mouse rests on a link or an image."""
    for _, end in _bracketed(text):
        if found := _TARGET.match(text, end + 1):
            yield _Range(found.start(1), found.end(1), "link title")


def _definitions(text: str) -> Iterator[_Range]:
    """`[name]: address "title"` is shown nowhere; the name and address stay if something points there."""
    definitions = _definition_lines(text)
    if not definitions:
        return
    named = Counter(text[begin + 1 : end].strip().lower() for begin, end in _bracketed(text))
    for found in definitions:
        if named[found[1].strip().lower()] < 2:
            yield _Range(found.start(), found.end(), "unused link definition")
        elif found[2]:
            yield _Range(found.start(2), found.end(2), "link title")


def _definition_lines(text: str) -> list[re.Match[str]]:
    """Only after a blank line, a heading or another of them: inside a paragraph they are plain text."""
    found: list[re.Match[str]] = []
    for one in _DEFINITION.finditer(text):
        before = text[text.rfind("\n", 0, max(0, one.start() - 1)) + 1 : max(0, one.start() - 1)]
        follows = bool(found) and found[-1].end() == one.start() - 1
        if not before.strip() or before.startswith("#") or follows:
            found.append(one)
    return found


def _attributes(text: str) -> Iterator[_Range]:
    """Those of HTML tags that hold words."""
    for tag in _TAG.finditer(text):
        for found in _ATTRIBUTE.finditer(text, tag.start(), tag.end()):
            yield _Range(found.start(), found.end(), "HTML attribute")


def _declarations(text: str) -> Iterator[_Range]:
    for found in _DECLARATION.finditer(text):
        yield _Range(found.start(), found.end(), "HTML declaration")
