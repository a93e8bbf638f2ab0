"""What people write when one issue waits for another."""

import pytest

from app.planning.dependencies import stated_dependencies
from shared.issue_text import read_issue
from tests.planning.batches import issue


def numbers(body: str) -> list[int]:
    """Issues of the own repository that issue 1 waits for."""
    return [one.number for one in stated_dependencies(read_issue(issue(1, body))) if not one.reverse and not one.repository]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Depends on #4.", [4]),
        ("depends on #4, #5 and #6", [4, 5, 6]),
        ("depends on #4-#6", [4, 5, 6]),
        ("Depends-on: #4", [4]),
        ("**Blocked by:** #4, #5", [4, 5]),
        ("Blocked-by: #4 #5", [4, 5]),
        ("Requires #4", [4]),
        ("Do this after #4", [4]),
        ("once #4 is merged", [4]),
        ("blocked by the fix for #4", [4]),
        ("It depends on issues #4 & #5.", [4, 5]),
        ("depends on issue 4", [4]),
        ("depends on GH-4", [4]),
        ("Depends on\n#4", [4]),
        ("depends on [#4](https://example.com/x)", [4]),
        ("depends on #4 (schema) and #5", [4, 5]),
        ("Blocked by:\n- #4\n- #5 (the API)", [4, 5]),
        ("### Depends on\n\n- #4\n\nSee #9", [4]),
        ("- [ ] #12\n- [x] #13\n- [ ] write about #14", [12]),
        ("- Depends on #4\n- Blocked by #8", [4, 8]),
    ],
)
def test_stated_dependencies_are_found(body: str, expected: list[int]) -> None:
    """A keyword and a reference that stand together."""
    assert numbers(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "Do this after reading the release notes. See #4.",
        "requires Python 3.11",
        "depends on 4",
        "depends on #4abc and colour #ffffff",
        "Fixes #4, part of #5, see #6",
        "not blocked by #4",
        "does not depend on #4",
        "no longer blocked by #4",
        "after PR #4",
        "depends on pull request #4",
        "Depends on https://github.com/o/r/pull/4",
        "depends on [#4](https://github.com/o/r/pull/4)",
        "`depends on #4`",
        "> depends on #4",
        "```\ndepends on #4\n```",
        "Text\n\n    depends on #4",
        "<pre>\ndepends on #4\n</pre>",
        "<!-- depends on #4 -->",
        "depends on #0",
        "",
    ],
)
def test_what_only_looks_like_a_dependency_is_none(body: str) -> None:
    """Stop-words, versions, negations, pull requests, code, quotes and hidden text."""
    assert numbers(body) == []


def test_blocks_is_the_other_way_round() -> None:
    """ "Blocks #7": 7 waits for this one."""
    assert [(one.number, one.reverse) for one in stated_dependencies(read_issue(issue(1, "Blocks #7")))] == [(7, True)]


def test_the_strongest_statement_about_a_number_is_kept() -> None:
    """ "after #4 ... depends on #4" is one dependency, as sure as the stronger words."""
    (found,) = stated_dependencies(read_issue(issue(1, "Do it after #4. It depends on #4.")))
    assert found.phrase == "depends on #4"
