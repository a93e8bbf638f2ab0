"""What a person sees of an issue."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.planning.dependencies import stated_dependencies
from app.planning.evidence import touched_files
from app.planning.kinds import kind_of
from app.planning.plan import make_plan
from shared.issue_text import read_issue, visible
from shared.models import Kind
from tests.planning.batches import issue, tree

FRAGMENTS = st.sampled_from(
    [
        "depends on ",
        "#1",
        "#2",
        "#3",
        "blocked by: ",
        "`",
        "```\n",
        "<!--",
        "-->",
        "> ",
        "\n",
        "- [ ] ",
        "src/a.py",
        "**/",
        "*.py",
        "[",
        "](",
        ")",
        "Scope: ",
        "https://github.com/o/r/issues/2",
        "\u200b",
        "\u202e",
        "not ",
        "after ",
        ":1",
        "../",
        "\\",
        "<pre>",
        "    ",
        "é",
        "\U000e0041",
        "GH-2",
        "#0",
        "-#9",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(FRAGMENTS, max_size=30).map("".join))


@settings(max_examples=150, deadline=None)
@given(title=TEXTS, body=TEXTS)
def test_any_text_is_planned_and_never_waits_for_itself(title: str, body: str) -> None:
    """Whatever is written: no crash, no dependency of an issue on itself, and no path from outside the tree's folders."""
    plan = make_plan([issue(1, body, title=title), issue(2, "Other")], tree("src/a.py", "b.md"), slots=2)
    assert all(edge.before != edge.after for edge in plan.edges)
    assert {task.issue for task in plan.tasks} | {problem.issue for problem in plan.problems} >= {1, 2}
    assert all(touch.path == "b.md" or touch.path.startswith("src/") for task in plan.tasks for touch in task.touches)
    assert all(0 < touch.probability <= 1 for task in plan.tasks for touch in task.touches)
    plan.model_dump_json()


@pytest.mark.parametrize(
    ("body", "visible"),
    [
        ("a <!-- b --> c", "a  c"),
        ("a\n<!-- b\n#9\n--> c", "a\n\n\n c"),
        ("<!-- never closed\nb", "\n"),
        ("a `<!--` b\nc", "a `<!--` b\nc"),
        ("a <!-- b\nc", "a <!-- b\nc"),
        ("```\n<!-- shown -->\n```", "```\n<!-- shown -->\n```"),
        ("a\u200bb\u202ec\U000e0041", "abc"),
        ("one\r\ntwo", "one\ntwo"),
    ],
)
def test_what_github_hides_is_hidden(body: str, visible: str) -> None:
    """Comments and invisible characters go, code keeps what looks like a comment."""
    assert "\n".join(line.text for line in read_issue(issue(1, body)).lines) == visible


def test_joiners_of_emoji_are_no_hidden_text() -> None:
    """A family emoji is made with joiners; nobody needs to be told."""
    assert read_issue(issue(1, "Nice 👩\u200d👧 \u2764\ufe0f")).hidden == ()


def test_code_and_quotes_are_told_from_prose() -> None:
    """Fences, indented code, <pre> and quotes are not what the author says; list items are."""
    body = "say\n```py\ncode\n```\n\n    indented\n\n> quote\n<pre>\nmore\n</pre>\n- item\n    - [ ] nested\n~~~\nopen to the end"
    kinds = {line.text.strip(): line.kind for line in read_issue(issue(1, body)).lines if line.text.strip()}
    assert {text for text, kind in kinds.items() if kind == "prose"} == {"say", "- item", "- [ ] nested"}
    assert kinds["> quote"] == "quote"
    assert kinds["open to the end"] == kinds["indented"] == kinds["more"] == "code"


def test_a_body_longer_than_github_allows_is_read_to_its_limit() -> None:
    """Ten megabytes: only the first 65,536 characters count, and that is told."""
    text = read_issue(issue(1, "a" * 10_000_000 + " depends on #2"))
    assert stated_dependencies(text) == []
    assert text.hidden == ("everything after the first 65,536 characters",)


@pytest.mark.parametrize(
    "unit",
    [
        "`",
        "`` ` ```",
        "<!--",
        "depends on ",
        "depends on #4, ",
        "[[",
        "[a](http",
        "a/",
        "*a",
        "`*a*a*a*a*b.py` ",
        "#L1",
        "\t\n",
        "after the ",
        "<pre",
        "- [ ] #",
        "1. ",
    ],
)
def test_hostile_repetition_is_read_to_the_end(unit: str) -> None:
    """Text made to trap patterns ends like any other (a quadratic pattern would meet the suite's time-out)."""
    text = read_issue(issue(1, unit * (65_536 // len(unit)), title=unit * 300))
    stated_dependencies(text)
    assert len(touched_files(text, tree("src/a.py"))) <= 20


@pytest.mark.parametrize(
    ("labels", "title", "body", "kind"),
    [
        (("bug",), "Add docs", "", Kind.BUG),
        (("documentation", "bug"), "x", "", Kind.BUG),
        (("type: documentation",), "x", "", Kind.DOCS),
        (("kind/refactor",), "x", "", Kind.REFACTOR),
        (("needs docs", "good first issue"), "Export as CSV", "", Kind.FEATURE),
        ((), "fix(auth): accept spaces", "", Kind.BUG),
        ((), "chore(deps): bump x", "", Kind.CHORE),
        ((), "[Bug]: no answer", "", Kind.BUG),
        ((), "Add missing tests for the parser", "", Kind.TESTS),
        ((), "Install guide misses a step", "", Kind.DOCS),
        ((), "Rename the client module", "", Kind.REFACTOR),
        ((), "Crash when the list is empty", "", Kind.BUG),
        ((), "Login", "### Steps to reproduce\n\nlog in", Kind.BUG),
        ((), "Export as CSV", "", Kind.FEATURE),
        ((), "", "", Kind.FEATURE),
    ],
)
def test_the_kind_comes_from_labels_then_words(labels: tuple[str, ...], title: str, body: str, kind: Kind) -> None:
    """Labels that name a kind decide; the words of the title come second."""
    assert kind_of(labels, read_issue(issue(1, body, title=title))) is kind


def test_a_quote_may_stand_in_a_list_item() -> None:
    """It is somebody else's words there too, and an agent is told all of it."""
    body = "- > in `src/theirs.py`\n1. * > and `src/more.py`\n- 3 > 2 in `src/ours.py`"
    text = read_issue(issue(1, body))
    assert text.prose == ("- 3 > 2 in `src/ours.py`",)
    assert visible(body).text == body
