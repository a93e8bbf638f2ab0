"""What the author of an issue says in prose, as GitHub shows it: no code, nobody else's words, nothing struck out.

Markdown's blocks are told apart by a parser that knows the standard (a quote goes on in a line without its mark, a list item may
hold one); of its inline rules only those stay that matter here, the others leave the text as it was written.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_BLOCKS = ["table", "code", "fence", "blockquote", "hr", "list", "html_block", "heading", "lheading"]
_GAP = "\ufffc"  # stands where something was that is not said
# Code, somebody else's words, or taken back.
_UNSAID = frozenset({"blockquote", "q", "pre", "code", "samp", "tt", "kbd", "del", "s", "strike", "script", "style", "textarea"})
_ENDS_WITH_ITS_PARAGRAPH = frozenset({"q", "samp", "kbd", "del"})  # browsers carry the others on
_BLOCK_TAG = re.compile(r"(?:p|div|h[1-6]|ul|ol|dl|dt|dd|table|tr|t[hd]|details|summary|section|hr)", re.IGNORECASE)
_TAG = re.compile(
    r"""<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9-]{0,30}+)(?:[\s/](?>"[^"]{0,2000}+"|'[^']{0,2000}+'|[^<>"']{1,200}+){0,100}+)?>"""
    r"|<!--.*?(?:-->|\Z)",
    re.DOTALL,
)
_LONGEST_TAG = 4_000
_TILDES = re.compile(r"~+")
_TITLE_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")


def said_in_title(title: str) -> str:
    """Of Markdown a title knows only code spans."""
    return _TITLE_CODE.sub(" ", title)


def said_in_body(body: str) -> Iterator[str]:
    """Paragraph by paragraph, their lines apart; one that opens a list item begins with `- `; `|` between rows of a table."""
    markup, quotes, lead = _Markup(), 0, ""
    for token in _markdown().parse(body):
        if token.type in {"blockquote_open", "blockquote_close"}:
            quotes, lead = quotes + token.nesting, ""
        elif quotes:
            continue
        elif token.type in {"list_item_open", "list_item_close"}:
            lead = "- " if token.nesting == 1 else ""
        elif token.type == "tr_close":
            yield "|"
        elif token.type in {"inline", "html_block"}:
            shown = lead + (
                markup.of_block(token.content) if token.type == "html_block" else markup.of_inline(token.children or ())
            )
            lead = ""
            yield from filter(str.strip, _without_struck_out(shown).replace(_GAP, " ").split("\n\n"))


class _Markup:
    """Remembers which HTML elements are open: they may go on in the next paragraph."""

    def __init__(self) -> None:
        self.open: list[str] = []

    def of_inline(self, children: Sequence["Token"]) -> str:
        """The text of a paragraph."""
        before = list(self.open)
        text = "".join(self._piece(child) for child in children)
        self.open = [name for name in self.open if name in before or name not in _ENDS_WITH_ITS_PARAGRAPH]
        return text

    def of_block(self, content: str) -> str:
        """The text between tags, in which Markdown means nothing."""
        kept, position = [], 0
        for tag in _TAG.finditer(content):
            kept += [self._text(content[position : tag.start()]), self._tag(tag)]
            position = tag.end()
        return "".join([*kept, self._text(content[position:])])

    def _piece(self, child: "Token") -> str:
        if child.type == "html_inline" and (tag := _TAG.match(child.content)):
            return self._tag(tag)
        if child.type in {"softbreak", "hardbreak"}:
            return "\n"
        return _GAP if child.type == "code_inline" else self._text(child.content)

    def _text(self, text: str) -> str:
        return "" if self.open else text

    def _tag(self, tag: re.Match[str]) -> str:
        name = (tag["name"] or "").lower()
        if name in _UNSAID:
            if not tag["end"]:
                self.open.append(name)
            elif name in self.open:
                del self.open[len(self.open) - 1 - self.open[::-1].index(name)]
            return _GAP
        if name == "li":
            return "\n\n" if tag["end"] else "\n\n- "
        if name == "br":
            return "\n"
        return "\n\n" if _BLOCK_TAG.fullmatch(name) else ""


def _without_struck_out(text: str) -> str:
    """`~this~` and `~~this~~`; a pair closes what was opened inside of it."""
    struck: list[tuple[int, int]] = []
    opened: dict[int, list[tuple[int, int]]] = {1: [], 2: []}
    for run in _TILDES.finditer(text):
        stack = opened.get(run.end() - run.start())
        if stack is None:
            continue
        if stack and not text[run.start() - 1].isspace():
            begin, end = stack.pop()[0], run.end()
            struck.append((begin, end))
            for others in opened.values():
                while others and others[-1][0] > begin:
                    others.pop()
        elif text[run.end() : run.end() + 1].strip():
            stack.append(run.span())
    kept, position = [], 0
    for begin, end in sorted(struck):
        if end > position:
            kept += [text[position : max(begin, position)], _GAP]
            position = end
    return "".join([*kept, text[position:]])


@cache
def _markdown() -> "MarkdownIt":
    # Not at the top: most batches have no reference in them, and this costs more than to plan one.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("zero", {"html": True}).enable([*_BLOCKS, "newline", "escape", "backticks", "html_inline"])
    parser.inline.ruler.at("html_inline", _html_inline)
    return parser


def _html_inline(state: "StateInline", silent: bool) -> bool:
    """As the rule it stands for; that one takes quadratic time on text made for it."""
    tag = _TAG.match(state.src, state.pos, state.pos + _LONGEST_TAG) if state.src[state.pos] == "<" else None
    if tag is None or (tag["name"] is None and not tag[0].endswith("-->")):
        return False
    if not silent:
        state.push("html_inline", "", 0).content = tag[0]
    state.pos = tag.end()
    return True
