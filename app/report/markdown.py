"""Untrusted text made harmless for Markdown: it cannot ping, link, format, hide or break a table."""

import re
import unicodedata
from collections.abc import Sequence

from shared.github import cut

# A zero-width space, the way Dependabot keeps mentions from pinging: GitHub looks for them after entities are resolved.
_BREAK = "&#8203;"
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_ESCAPED = re.compile(r"([\\`*_\[\]~|!$])")
_REFERENCE_ELSEWHERE = re.compile(r"(?<=[\w-])#(?=\d)")  # owner/repo#1, GH#1: would leave a trace over there
_AUTOLINK = re.compile(r"(?i)(https?|ftp|mailto|xmpp|www)(?=[:.])")
_TAME = re.compile(r"[\w./+ -]+", re.ASCII)
LINE_LIMIT = 300


def plain(text: str, limit: int = LINE_LIMIT) -> str:
    """One line of ordinary words; `#12` stays a link to the repository's own issue."""
    words = " ".join("".join(_visible(character) for character in text).split())
    if len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    escaped = _ESCAPED.sub(r"\\\1", words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    referenced = _REFERENCE_ELSEWHERE.sub(f"{_BREAK}#", escaped)
    return _AUTOLINK.sub(rf"\1{_BREAK}", referenced).replace("@", f"@{_BREAK}")


def code(text: str) -> str:
    """A path, branch or name as code where that is safe, else as plain words."""
    return f"`{text}`" if _TAME.fullmatch(text) and text == text.strip() else plain(text)


def block(text: str, limit: int = 8_000) -> str:
    """Several lines as they are, in a fence that the text cannot close."""
    shown = "".join(character if character in "\n\t" else _visible(character) for character in text.replace("\r\n", "\n"))
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}text", _last(shown.strip("\n"), limit), fence))


def details(summary: str, content: str, limit: int = 16_000) -> str:
    """A folded section, cut to `limit` without leaving it open."""
    end = "\n\n</details>"
    return cut(f"<details><summary>{summary}</summary>\n\n{content}{end}", limit, f"\n\n… cut here.{end}")


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A GitHub table; cells are Markdown already."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _visible(character: str) -> str:
    if character in "\n\t\r" or unicodedata.category(character) in {"Zl", "Zp", "Zs"}:
        return " "
    return "" if unicodedata.category(character) in _HIDDEN_CATEGORIES else character


def _last(text: str, limit: int) -> str:
    """The end of a long output is where the reason stands."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return "…\n" + encoded[-limit:].decode(errors="ignore").split("\n", 1)[-1]
