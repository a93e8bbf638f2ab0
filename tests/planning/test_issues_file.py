"""Issues as GitHub's REST API returns them, and as they should not be."""

from typing import Any

import pytest

from app.planning.issues_file import read_issues
from shared.errors import UserError


def test_rest_objects_are_read() -> None:
    """Labels as objects or names, null bodies, a user, unknown keys: all as GitHub sends them."""
    batch = read_issues(
        [
            {
                "number": 1,
                "title": "A",
                "body": None,
                "labels": [{"name": "bug", "color": "f00"}],
                "user": {"login": "ada"},
                "state": "open",
            },
            {
                "number": 2,
                "title": "B",
                "body": "b",
                "labels": ["docs"],
                "blocked_by": [1],
                "html_url": "https://github.com/o/r/issues/2",
            },
        ],
        "f",
    )
    assert [(one.number, one.body, one.labels, one.author, one.blocked_by) for one in batch.issues] == [
        (1, "", ("bug",), "ada", ()),
        (2, "b", ("docs",), "", (1,)),
    ]
    assert batch.repository == "o/r"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "`number` is missing"),
        ({"number": "7"}, '`number` is "7"'),
        ({"number": 1.5}, "`number` is 1.5"),
        ({"number": True}, "`number` is true"),
        ({"number": 0}, "`number` is 0"),
        ({"number": 1, "title": 3}, "`title`"),
        ({"number": 1, "body": []}, "`body`"),
        ({"number": 1, "labels": "bug"}, "`labels`"),
        ({"number": 1, "labels": [{"id": 3}]}, "`labels`"),
        ({"number": 1, "blocked_by": 4}, "`blocked_by`"),
        ("text", "not an object"),
        (None, "not an object"),
    ],
)
def test_a_bad_entry_is_named_by_its_place_and_the_others_are_read(entry: Any, said: str) -> None:
    """The second of three is bad: told with its index and a fix."""
    batch = read_issues({"issues": [{"number": 8, "title": "x"}, entry, {"number": 9, "title": "y"}]}, "f")
    assert [one.number for one in batch.issues] == [8, 9]
    (problem,) = batch.problems
    assert problem.what.startswith("entry 1: ")
    assert said in problem.what
    assert problem.fix


def test_closed_issues_and_pull_requests_only_tell_their_state() -> None:
    """They are not planned, and blockers among them are satisfied."""
    batch = read_issues([{"number": 1, "state": "closed"}, {"number": 2, "pull_request": {"url": "x"}}], "f")
    assert batch.issues == ()
    assert batch.blockers == {1: "closed", 2: "pull_request"}


@pytest.mark.parametrize("document", [{}, {"issues": 3}, "x", 4, None])
def test_a_document_without_a_list_is_refused(document: Any) -> None:
    """One sentence that shows the form."""
    with pytest.raises(UserError, match="no list of issues"):
        read_issues(document, "f")


def test_half_characters_do_not_stop_the_plan() -> None:
    """JSON can hold lone surrogates, which no UTF-8 output can: they are replaced."""
    (issue,) = read_issues([{"number": 1, "title": "a\ud800", "body": "\udfff"}], "f").issues
    assert (issue.title, issue.body) == ("a\ufffd", "\ufffd")
