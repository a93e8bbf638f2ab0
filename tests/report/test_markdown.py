"""Untrusted text in Markdown."""

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.report.markdown import block, code, details, plain, table
from tests.report.views import HOSTILE

_GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": False})


def test_nothing_in_a_title_survives_as_markup() -> None:
    """A hostile title is words: no tag, link, code, mention or second table cell."""
    html = _GITHUB.render(table(("Issue", "PR"), [(plain(HOSTILE), "–")]))

    assert html.count("<td>") == 2
    assert not any(tag in html for tag in ("<script", "<a ", "<code", "<!--"))
    assert "@everyone" not in html
    assert "repo#7" not in html
    assert "see #3" in html


def test_hidden_characters_are_dropped() -> None:
    """What a reader cannot see is not passed on."""
    assert plain("pay\u202e\u200b\U000e0041\x07 me\u2028now") == "pay me now"


def test_a_title_in_any_language_stays_itself() -> None:
    """Escaping leaves letters alone, and two dots too."""
    assert plain("Größe: Juli..August 船の名前") == "Größe: Juli..August 船の名前"


def test_addresses_do_not_become_links() -> None:
    """Neither with a scheme nor with www."""
    shown = plain("see https://evil.example and www.evil.example, HTTP://evil.example")

    assert not re.search(r"(?i)https?://|www\.", shown)


def test_code_is_only_for_tame_text() -> None:
    """A path is shown as code; what could end the code is words."""
    assert code("src/a b.py") == "`src/a b.py`"
    assert "`" not in code("a`b|c").replace("\\`", "")


@given(st.text(alphabet="`~\n<x>", max_size=60))
def test_a_block_cannot_be_closed_from_inside(text: str) -> None:
    """Whatever an output holds, it stays one code block."""
    tokens = _GITHUB.parse(block(text))

    assert [token.type for token in tokens] == ["fence"]


def test_the_end_of_a_long_output_is_what_is_kept() -> None:
    """The reason stands at the end."""
    shown = block("\n".join(f"line {number}" for number in range(10_000)), 200)

    assert "line 9999" in shown
    assert "line 1\n" not in shown
    assert len(shown) < 250


def test_a_cut_section_is_still_closed() -> None:
    """A folded section that is too long does not swallow what follows it."""
    assert details("All", "word\n" * 1_000, 500).endswith("</details>")


@given(st.text())
def test_a_line_stays_a_line(text: str) -> None:
    """Any text becomes one line of visible characters."""
    shown = plain(text)

    assert "\n" not in shown
    assert plain(text) == shown
    shown.encode()
