"""Reviews as agents write them, well and badly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.findings import read_review
from shared.models import Finding

PATHS = ("words.py", "tests/test_words.py")


def fenced(document: object, language: str = "json") -> str:
    return f"```{language}\n{json.dumps(document)}\n```"


def test_prose_and_findings_are_told_apart() -> None:
    """The block is for us, the rest for people."""
    review = f"Looks right, but:\n\n{fenced([{'path': 'words.py', 'line': 3, 'must_fix': True, 'text': 'counts letters'}])}\n\nBye."
    prose, findings = read_review(review, PATHS)
    assert prose == "Looks right, but:\n\nBye."
    assert findings == (Finding(path="words.py", line=3, must_fix=True, text="counts letters"),)


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ({"text": "x"}, Finding(text="x")),
        ({"path": "./words.py", "line": "3", "must_fix": "true", "text": " x "}, Finding(path="words.py", must_fix=True, text="x")),
        ({"path": "words.py", "line": -1, "must_fix": "no", "text": "x"}, Finding(path="words.py", text="x")),
        ({"path": "/etc/passwd", "line": 3, "text": "x"}, Finding(text="/etc/passwd: x")),
        ({"path": None, "line": True, "severity": "high", "text": "x"}, Finding(text="x")),
        ({"path": "words.py", "line": 10**30, "text": "y" * 5000}, Finding(path="words.py", text="y" * 2000)),
        ({"path": "words.py", "text": "half \ud800"}, Finding(path="words.py", text="half ?")),
    ],
)
def test_a_finding_is_taken_as_far_as_it_can_be_understood(entry: dict[str, object], finding: Finding) -> None:
    """One about a file that is not in the diff is one about the whole change."""
    assert read_review(fenced([entry]), PATHS)[1] == (finding,)


@pytest.mark.parametrize(
    "review",
    [
        "All is well.",
        "```json\n[{]\n```",
        fenced("a text"),
        fenced([1, 2]),
        fenced([{"text": ""}]),
        fenced({"verdict": "fine"}),
        '```json\n[{"text": "never closed"}]',
        "```json\n" + "[" * 100_000 + "\n```",
        "```\n" * 3,
        "",
    ],
)
def test_without_a_block_that_can_be_read_all_is_prose(review: str) -> None:
    """And there are no findings."""
    assert read_review(review, PATHS) == (review.strip()[:40_000], ())


@pytest.mark.parametrize(
    "review", [fenced([{"text": "x"}], ""), fenced({"findings": [{"text": "x"}]}), json.dumps([{"text": "x"}])]
)
def test_other_ways_to_write_the_block_are_understood(review: str) -> None:
    """No language, an object around it, or nothing but JSON."""
    assert read_review(review, PATHS) == ("", (Finding(text="x"),))


def test_the_last_block_counts_and_code_before_it_stays_prose() -> None:
    """A review may quote JSON."""
    quoted = fenced({"a": 1})
    prose, findings = read_review(f"See\n{quoted}\nthen\n{fenced([{'text': 'x'}])}", PATHS)
    assert prose == f"See\n{quoted}\nthen"
    assert findings == (Finding(text="x"),)


def test_an_empty_list_is_a_review_without_findings() -> None:
    """Not prose."""
    assert read_review(f"Good.\n{fenced([])}", PATHS) == ("Good.", ())


def test_a_flood_of_findings_is_capped() -> None:
    """Fifty are enough for anybody."""
    assert len(read_review(fenced([{"text": str(number)} for number in range(1000)]), PATHS)[1]) == 50


@given(st.text(alphabet='`json\n[]{}":, text1\\', max_size=200))
def test_any_text_is_read(review: str) -> None:
    """Whatever an agent says."""
    prose, findings = read_review(review, PATHS)
    assert len(prose) <= len(review)
    assert len(findings) <= 50
