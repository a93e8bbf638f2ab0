"""Reads the project's documents the way a reader does: blocks, commands, links, headings."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, without its indent."""

    language: str
    body: str


def blocks_of(document: Path, heading: str) -> list[Block]:
    """Those of one section, up to the next heading of the same or a higher level."""
    _, found, rest = document.read_text("utf-8").partition(f"\n## {heading}\n")
    assert found, f"no section {heading}"
    return _blocks(re.split(r"^##? ", rest, maxsplit=1, flags=re.MULTILINE)[0])


def blocks(document: Path) -> list[Block]:
    """In their order."""
    return _blocks(document.read_text("utf-8"))


def _blocks(text: str) -> list[Block]:
    found = _FENCE.finditer(text)
    return [
        Block(one["language"], "\n".join(line.removeprefix(one["indent"]) for line in one["body"].splitlines())) for one in found
    ]


def commands(document: Path) -> list[str]:
    """Every line that a reader is told to type."""
    return [line for block in blocks(document) if block.language == "sh" for line in block.body.splitlines() if line.strip()]


def prose(document: Path) -> str:
    """The document without its blocks."""
    return _FENCE.sub("", document.read_text("utf-8"))


def links(document: Path) -> list[str]:
    """Targets of links and pictures."""
    return _LINK.findall(prose(document))


def anchors(document: Path) -> set[str]:
    """What GitHub makes of headings."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in _HEADING.findall(prose(document))}
