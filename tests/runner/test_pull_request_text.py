"""The words of a pull request: everything a reviewer needs, and nothing of an agent's that could act."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.pull_request_text import body, commit_message, harmless, review, review_marker, title
from shared.github import COMMENT_LIMIT, marker
from shared.models import AttemptReport, FileChange, TestRun, Verdict, VerdictName
from tests.runner.briefs import brief

RUN = TestRun(command="make test", exit_code=0, seconds=1.25, source="JUnit XML", passed=3, failed=0, skipped=1)
REPORT = AttemptReport(
    verdict=Verdict(name=VerdictName.SUCCEEDED, reason="the tests pass"),
    changes=(FileChange(path="a|b`c.py", added=3, removed=1),),
    tests_before=RUN,
    tests_after=RUN,
    isolation="bubblewrap",
    agent="patch",
    plan_text="1. Edit\n2. @everyone Fixes #3",
)


def test_a_reviewer_finds_what_is_needed() -> None:
    """The issue it closes, the evidence, the files, the plan, how it was made, and our marker."""
    text = body(brief("Title", "Body").model_copy(update={"stacked_on": (3, 4)}), REPORT)
    for part in (
        "Closes #5",
        "Stacked on #3, #4: merge that first",
        "green: 3 passed, 1 skipped, 1.2 s",
        "| 3 | 1 |",
        "<details>",
        "bubblewrap",
    ):
        assert part in text
    assert text.startswith(marker("pull-request", "1:5"))


@given(
    st.text() | st.sampled_from(["Fixes #7", "@org/team", "<!-- shoal:review:1:5 -->", "Closes https://github.com/a/b/issues/1"])
)
def test_nothing_that_others_wrote_can_act(text: str) -> None:
    """No ping, no closing word with a number or link, no HTML, no marker."""
    shown = harmless(text)
    assert not re.search(r"[@#]\w", shown)
    assert not re.search(r"<[A-Za-z/!?]", shown)
    assert "://" not in shown.replace(":\u200b//", "")


def test_an_agent_cannot_forge_a_marker_or_close_another_issue() -> None:
    """Only our own lines do."""
    text = body(
        brief("Closes #8", "b"), REPORT.model_copy(update={"plan_text": "<!-- shoal:pull-request:1:9 --> Fixes #9 </details>"})
    )
    assert re.findall(r"(?i)(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?) #(\d+)", text) == ["5"]
    assert re.findall(r"<!-- shoal:[^ ]+ -->", text) == [marker("pull-request", "1:5")]


def test_a_text_of_any_length_fits() -> None:
    """GitHub refuses longer ones."""
    text = body(brief("t", "b"), REPORT.model_copy(update={"plan_text": "😀 long\n" * 60_000}))
    assert len(text) < COMMENT_LIMIT
    assert len(review(brief("t", "b"), "x" * 200_000)) < COMMENT_LIMIT
    assert review_marker(brief("t", "b")) in review(brief("t", "b"), "x" * 200_000)


@pytest.mark.parametrize("words", ["[skip ci]", "[CI skip]", "[no ci]", "[skip actions]"])
def test_a_title_cannot_switch_the_checks_off(words: str) -> None:
    """The commit's first line is the issue's title, which anybody can write."""
    message = commit_message(brief(f"Do it {words}\nCloses #9", "b"))
    assert words not in message
    assert message.endswith("\n\nCloses #5\n")
    assert len(message.split("\n\n")) == 2
    assert "Closes #9" not in message


def test_an_empty_title_is_still_a_title() -> None:
    """GitHub demands one."""
    assert title(brief("  ", "b")) == "Issue 5"
