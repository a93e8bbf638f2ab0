"""Markdown as the pages show it: raw HTML is text, except for the few bare tags that GitHub's readers know; comments are hidden."""

import html
import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
# Without attributes, so that nothing can hide in one.
_HARMLESS = re.compile(r"&lt;(/?(?:details|summary|sub|sup|kbd|br))\s*/?&gt;")


def render(text: str | None) -> str:
    """Safe HTML of untrusted Markdown."""
    return str(_MARKDOWN.render(text or ""))


def _raw_html(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    escaped = html.escape(_COMMENT.sub("", tokens[index].content))
    return _HARMLESS.sub(r"<\1>", escaped)


_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_MARKDOWN.add_render_rule("html_block", _raw_html)
_MARKDOWN.add_render_rule("html_inline", _raw_html)
