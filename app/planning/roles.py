"""What a file is in its repository: a test, documentation, a workflow; and which test belongs to which source."""

import re
from collections import defaultdict

from app.planning.tree import Tree, name_of, stem_of

_TEST = re.compile(r"(?:^|/)(?:tests?|__tests__|specs?|testing)/|(?:^|/)test[_-]|[_.-](?:test|spec)s?\.|/tests?\.rs$")
_TEST_NAME = re.compile(r"test[_-]|.*[_.-](?:test|spec)\.")
_ROLES = {
    "is_test": _TEST,
    "is_docs": re.compile(r"\.(?:md|rst|mdx|txt|adoc)$|(?:^|/)docs?/"),
    "is_ci": re.compile(r"(?:^|/)\.(?:github|circleci|gitlab|travis)"),
}
_WANTED = {
    "tests_wanted": ("is_test", re.compile(r"\btest|spec\b|coverage")),
    "docs_wanted": ("is_docs", re.compile(r"\bdoc|readme|typo|example|comment|guide")),
    "ci_wanted": ("is_ci", re.compile(r"\bci\b|workflow|github action|travis|pipeline|actions?/")),
}
_PAIRS = 8
_AFFIXES = re.compile(r"^(?:tests?[_-])|(?:[_-](?:tests?|spec))$")


class Roles:
    """Of the files of one tree, by number."""

    def __init__(self, tree: Tree) -> None:
        self._of = {
            role: {number: 1.0 for number, path in enumerate(tree.paths) if pattern.search(path)}
            for role, pattern in _ROLES.items()
        }
        self._by_subject: defaultdict[str, list[int]] = defaultdict(list)
        self._subjects = [_subject(stem) for stem in tree.stems]
        for number, subject in enumerate(self._subjects):
            self._by_subject[subject].append(number)

    def pairs_of(self, number: int) -> list[int]:
        """Its tests, or what it tests."""
        tests = self._of["is_test"]
        near = self._by_subject[self._subjects[number]]
        return [other for other in near if (other in tests) != (number in tests)] if len(near) <= _PAIRS else []

    def wanted_by(self, title: str) -> dict[str, dict[int, float]]:
        """The roles as evidence, and those that the title asks for once more."""
        low = title.lower()
        return {
            **self._of,
            **{kind: self._of[role] for kind, (role, pattern) in _WANTED.items() if pattern.search(low)},
        }


def is_test(path: str) -> bool:
    """By the file's own name."""
    return _TEST_NAME.match(name_of(path).lower()) is not None


def subject_of(path: str) -> str:
    """What a test and its source have in common: `tests/test_auth.py` and `src/auth.py` -> `auth`."""
    return _subject(stem_of(path))


def _subject(stem: str) -> str:
    return _AFFIXES.sub("", stem)
