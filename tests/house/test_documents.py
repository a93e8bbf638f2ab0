"""Stories about what is written down: it is short where that was promised, its links lead somewhere, its targets exist."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.house.documents import DOCUMENTS, ROOT, anchors, commands, links, prose

_TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def _names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_every_link_leads_somewhere(document: Path) -> None:
    """A link to a file or a heading of this repository resolves."""
    for link in links(document):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), f"{link} does not exist"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    """`make` in a block or between back-ticks names a target that `make help` shows."""
    typed = "\n".join(commands(document)) + "\n" + "\n".join(re.findall(r"`([^`\n]+)`", prose(document)))
    assert set(re.findall(r"^make ([a-z-]+)", typed, re.MULTILINE)) <= _TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_every_code_file_that_is_named_exists(document: Path) -> None:
    """Back-ticked paths below the source folders are there."""
    named = re.findall(r"`((?:app|runner|shared|tests|scripts|docs)/[\w./-]+)`", prose(document))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_map_is_one_page_and_names_every_package() -> None:
    """AGENTS.md has at most 60 lines, and every folder of the three packages stands in it."""
    text = (ROOT / "AGENTS.md").read_text("utf-8")
    assert len(text.splitlines()) <= 60
    folders = [path for side in ("app", "runner") for path in (ROOT / side).iterdir() if (path / "__init__.py").exists()]
    assert len(folders) > 10
    assert [path.name for path in folders if f"{path.name}/" not in text] == []


def test_every_decision_is_listed_with_its_reason() -> None:
    """docs/adrs: numbered without a gap, each with status, context, decision and consequences, each in the list."""
    folder = ROOT / "docs" / "adrs"
    pages = sorted(folder.glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    listed = (folder / "README.md").read_text("utf-8")
    for page in pages:
        assert page.name in listed
        assert {"context", "decision", "consequences"} <= anchors(page)
        assert "\nStatus: " in page.read_text("utf-8")


def test_the_changelog_is_kept() -> None:
    """There is an Unreleased section, and it says what is not there yet."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in text
    assert "`action.yml`" in text


def test_pictures_are_well_formed_and_say_what_they_show() -> None:
    """Every SVG parses and has a title and a description for people who do not see it."""
    pictures = list((ROOT / "docs").rglob("*.svg"))
    assert pictures
    for picture in pictures:
        tags = [child.tag.rpartition("}")[2] for child in ET.parse(picture).getroot()]
        assert {"title", "desc"} <= set(tags)
