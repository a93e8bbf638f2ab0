"""What an issue asks for, from its labels, else from its title, else from the headings of its form."""

import re
from collections.abc import Iterable

from shared.issue_text import IssueText
from shared.models import Kind

# In this order, so that "bug" beside "documentation" is a bug.
_LABEL_WORDS: dict[Kind, frozenset[str]] = {
    Kind.BUG: frozenset({"bug", "bugfix", "defect", "regression", "crash", "fix", "hotfix"}),
    Kind.TESTS: frozenset({"test", "tests", "testing", "coverage"}),
    Kind.DOCS: frozenset({"docs", "doc", "documentation"}),
    Kind.REFACTOR: frozenset({"refactor", "refactoring", "cleanup", "debt", "tech", "technical"}),
    Kind.CHORE: frozenset({"chore", "dependencies", "deps", "ci", "build", "maintenance", "infrastructure"}),
    Kind.FEATURE: frozenset({"enhancement", "feature", "feat", "request", "improvement"}),
}
# What may stand beside such a word; "needs docs" or "docs team" say something else.
_LABEL_FILLERS = frozenset({"type", "kind", "category", "t", "c", "issue", "new", "confirmed"})
_PREFIXES: dict[str, Kind] = {
    "fix": Kind.BUG,
    "bug": Kind.BUG,
    "feat": Kind.FEATURE,
    "feature": Kind.FEATURE,
    "docs": Kind.DOCS,
    "doc": Kind.DOCS,
    "test": Kind.TESTS,
    "tests": Kind.TESTS,
    "refactor": Kind.REFACTOR,
    "chore": Kind.CHORE,
    "ci": Kind.CHORE,
    "build": Kind.CHORE,
    "deps": Kind.CHORE,
}
_PREFIX = re.compile(r"\W{0,3}([a-z]+)\]?(?:\([^)]{0,40}\))?!?\]?:", re.IGNORECASE)
_TITLE_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.TESTS,
        re.compile(
            r"\b(?:add|write|missing|more|increase|improve)\b.{0,60}\b(?:tests?|coverage)\b|\btest coverage\b|^tests? for\b"
        ),
    ),
    (Kind.DOCS, re.compile(r"\b(?:document(?:ation|ing)?|docs|readme|guide|tutorial|changelog|docstrings?|typos?)\b")),
    (Kind.REFACTOR, re.compile(r"\b(?:refactor\w*|clean ?up|simplify|rename|extract|deduplicate|restructure)\b")),
    (Kind.CHORE, re.compile(r"\b(?:bump|upgrade|pin|unpin)\b|\bupdate dependenc")),
    (
        Kind.BUG,
        re.compile(
            r"\b(?:bug|fix(?:es)?|fails?|failing|failure|crash\w*|broken|breaks?|error|exception|traceback|wrong(?:ly)?|incorrect\w*"
            r"|regression|leaks?|hangs?|deadlock|race|ignores?|ignored|misses"
            r"|cannot|does ?n[o']t|do ?n[o']t|does not|is not|never|stuck|twice)\b"
        ),
    ),
)
_FORM_HEADING = re.compile(r"#{1,6}\s*(?:steps to reproduce|expected behaviou?r|actual behaviou?r|what happened)", re.IGNORECASE)


def kind_of(labels: Iterable[str], text: IssueText) -> Kind:
    """A feature unless something says otherwise."""
    if found := _from_labels(labels):
        return found
    title = text.title.lower()
    if (prefix := _PREFIX.match(title)) and prefix[1] in _PREFIXES:
        return _PREFIXES[prefix[1]]
    for kind, pattern in _TITLE_WORDS:
        if pattern.search(title):
            return kind
    if any(_FORM_HEADING.match(line) for line in text.prose):
        return Kind.BUG
    return Kind.FEATURE


def _from_labels(labels: Iterable[str]) -> Kind | None:
    said = [words for label in labels if (words := frozenset(re.findall(r"[a-z]+", label.lower()[:100])) - _LABEL_FILLERS)]
    return next((kind for kind, known in _LABEL_WORDS.items() if any(words <= known for words in said)), None)
