"""Front matter: what an issue declares between two lines of `---` at its very top, in the words of YAML where people use them.

`depends_on: [4, 5]`, `blocked-by: "#4"`, `after:` with a list below, `blocks: 7`. Read leniently: `#4` is a reference here and no
comment, what is no reference is left out, and nothing of it is an error.
"""

import re
from dataclasses import dataclass

_MOST_LINES = 60
_MARK = re.compile(r"---[ \t]*")
_END = re.compile(r"(?:---|\.\.\.)[ \t]*")
_KEY = re.compile(r"(?P<key>[A-Za-z][A-Za-z_ -]{0,39}?)[ \t]{0,4}:(?=[ \t]|$)(?P<value>.{0,2000})")
_ITEM = re.compile(r"[ \t]{0,20}-[ \t](?P<value>.{0,2000})")
_WAITS_FOR = frozenset({"depends_on", "depends", "dependencies", "dependency", "blocked_by", "blocked_on", "after", "requires"})
_IS_WAITED_FOR = frozenset({"blocks", "block", "blocking"})
_SIGNS = re.compile(r"[\[\],\"'\s]+")


@dataclass(frozen=True)
class Declared:
    """A line's words under a key that means an order; `reverse`: they name what waits for this issue."""

    words: tuple[str, ...]
    key: str
    reverse: bool


def front_matter(body: str) -> tuple[list[Declared], str]:
    """What it declares, and the body without it; a body whose top is something else comes back as it is."""
    lines = body.lstrip("\n").split("\n", _MOST_LINES)
    if not _MARK.fullmatch(lines[0]):
        return [], body
    end = next((at for at, line in enumerate(lines[1:_MOST_LINES], 1) if _END.fullmatch(line)), None)
    if end is None or not any(_KEY.match(line) for line in lines[1:end]):
        return [], body
    return _declared(lines[1:end]), "\n".join(lines[end + 1 :])


def _declared(lines: list[str]) -> list[Declared]:
    found: list[Declared] = []
    key = ""
    for line in lines:
        if at_key := _KEY.match(line):
            key, value = re.sub(r"[ -]", "_", at_key["key"].lower()), at_key["value"]
        elif item := _ITEM.fullmatch(line):
            value = item["value"]
        else:  # a list in brackets may go on for some lines
            value = line[:2000]
        if key in _WAITS_FOR or key in _IS_WAITED_FOR:
            found.append(Declared(_words(value), key, key in _IS_WAITED_FOR))
    return found


def _words(value: str) -> tuple[str, ...]:
    """Up to a comment, which is a `#` by itself."""
    words = [word for word in _SIGNS.split(value) if word]
    return tuple(words[: words.index("#")] if "#" in words else words)
