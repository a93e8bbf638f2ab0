"""What people write when one issue waits for another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("- Depends on\n  #4", [4]),
        ("Dependencies: #4, #5", [4, 5]),
        ("**Dependencies**: #4", [4]),
        ("_Depends on_ #4", [4]),
        ("**Depends on** #4 and __blocked by__ #5", [4, 5]),
        ("Blocked on #4", [4]),
        ("depends on <https://github.com/o/r/issues/4> and #5", [5]),
        ("<b>Depends on</b> <a href='x'>#4</a>", [4]),
        ("Blocked by:\n<ul><li>#4</li><li>#5</li></ul>", [4, 5]),
        ("<details><summary>Order</summary>\nDepends on #4\n</details>", [4]),
        ("> said\n\ndepends on #4", [4]),
        ("> said\n- depends on #4", [4]),
        ("> ```\ndepends on #4", [4]),
        ("`a` depends on `the schema` (#4)", [4]),
        ("~~old~~ takes ~5 minutes, depends on #4, then ~6", [4]),
        ("See `x` and <code>y</code>.\n\nDepends on #4", [4]),
        ("| Order |\n|---|\n| depends on #4 |", [4]),
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
        "cannot depend on #4",
        "can't depend on #4, won’t wait for #5",
        "There is no need to wait for #4",
        "nothing here depends on #4",
        "No dependencies: #4 is done",
        "bumps the dependencies, see #4",
        "| #4 | Depends on |\n|---|---|\n| #5 | |",
        "`depends on #4`",
        "``depends on #4``",
        "`` ` depends on #4``",
        "`this\ndepends on #4`",
        "<code>depends on #4</code>",
        "<code>\n\ndepends on #4\n\n</code>",
        "~~depends on #4~~",
        "~depends on #4~",
        "~~it\ndepends on #4~~",
        "<del>depends on #4</del>",
        "<s>depends on #4</s>",
        "<DEL\nclass='x'>depends on #4</DEL >",
        "> depends on #4",
        "- > depends on #4",
        "* > depends on #4",
        "1. > depends on #4",
        "- a\n  > depends on #4",
        "> - depends on #4",
        "> said:\ndepends on #4",
        "> > said:\n> depends on #4\ndepends on #5",
        "- > said:\ndepends on #4",
        "<blockquote>depends on #4</blockquote>",
        "<blockquote>\ndepends on #4\n</blockquote>",
        "<blockquote>\n\ndepends on #4\n\n- depends on #5\n\n</blockquote>",
        "He said: <q>depends on #4</q>",
        "- ```\n  depends on #4\n  ```",
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


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Depends on #4 (PR)", []),
        ("Depends on #4 (a pull request) and #5", [5]),
        ("Depends on #4 (PR is in review)", [4]),
        ("after #4's PR is merged", [4]),
        ("after the PR for #4", [4]),
        ("after the merge of PR #4", []),
        ("Depends on PR #5 and #4", [4]),
        ("Depends on #4, PR #5 and #6", [4, 6]),
        ("Depends on PRs #5 and #4", []),
        ("Depends on pull requests #5, #4", []),
        ("Depends on https://github.com/o/r/pull/5 and #4", [4]),
    ],
)
def test_what_the_author_calls_a_pull_request_is_none(body: str, expected: list[int]) -> None:
    """Only what it is said of; that an issue's pull request is merged is what its dependents wait for."""
    assert numbers(body) == expected


_WORDS = st.sampled_from(["text", "#9", "see", "(a)", "*b*", "1.", "é"])
_STATEMENT = st.sampled_from(["depends on #4", "Blocked by: #4", "after #4", "_Depends on_ #4", "- [ ] #4", "Requires\n- #4"])
_PLAIN = st.lists(_WORDS, max_size=4).map(" ".join)


@given(
    _PLAIN,
    _STATEMENT,
    st.sampled_from(
        ["```\n{}\n```", "~~~~ text\n{}\n~~~~", "1. ```\n   {}\n   ```", "<pre>\n{}\n</pre>", "<blockquote>\n{}\n</blockquote>"]
    ),
    _PLAIN,
)
def test_no_block_of_code_or_quote_declares_anything(before: str, statement: str, block: str, after: str) -> None:
    """Whatever stands in it and around it; the same statement outside does."""
    inside = block.format(statement.replace("\n", "\n   "))
    assert 4 not in numbers(f"{before}\n\n{inside}\n\n{after}")
    assert 4 in numbers(f"{before}\n\n{inside}\n\n{statement}\n\n{after}")


@given(
    st.lists(st.sampled_from(["> ", "- > ", "2) > ", ">", "  > ", "> > ", "- - > "]), min_size=1, max_size=3), _STATEMENT, _PLAIN
)
def test_no_quoted_line_declares_anything(marks: list[str], statement: str, after: str) -> None:
    """However its mark is written, and behind whichever list's."""
    quoted = "\n\n".join(mark + line for mark in marks for line in statement.split("\n"))
    assert 4 not in numbers(f"{quoted}\n\n{after}")
    assert 4 in numbers(f"{quoted}\n\n{statement}\n\n{after}")


@given(
    _PLAIN,
    st.sampled_from(["depends on #4", "Blocked by: #4", "after\n#4", "requires #4 (x)"]),
    st.sampled_from(
        ["`{}`", "``{} ` ``", "```{}```", "<code>{}</code>", "<kbd>{}</kbd>", "~~{}~~", "~{}~", "<del>{}</del>", "<s a='>'>{}</s>"]
    ),
    _PLAIN,
)
def test_no_span_of_code_or_struck_out_declares_anything(before: str, statement: str, span: str, after: str) -> None:
    """In the middle of a paragraph, over two lines too."""
    assert 4 not in numbers(f"a {before} {span.format(statement)} {after}")
    assert 4 in numbers(f"a {before} {span.format(statement)} {after}, {statement}")


@given(st.text(alphabet="`~<>/codeblqupr[]()#4 \n-*_|:!\\\"'", max_size=200))
def test_whatever_is_written_is_read(text: str) -> None:
    """Never an error, and the reader of front matter takes nothing away from what has none."""
    assert all(0 < number < 10**9 for number in numbers(text))


@pytest.mark.parametrize(
    "unit",
    [
        "`",
        "<a ",
        "<s>",
        "<!--",
        "<?",
        "~",
        "a ~b",
        "> ",
        "- ",
        "- >",
        "#4 ",
        "depends on ",
        "| a ",
        "[a](",
        "depends_on: 4\n",
        "<q ''",
    ],
)
def test_a_body_made_to_trap_patterns_is_read_to_the_end(unit: str) -> None:
    """A quadratic pattern would meet the suite's time-out."""
    size = 65_000 // len(unit)
    assert numbers(unit * size + "\n\n#4") is not None
    assert numbers((unit + "\n") * (size // 2) + "\n\n#4") is not None


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("depends_on: [4, 5]", [4, 5]),
        ("depends-on: 4", [4]),
        ("Depends on: #4 #5", [4, 5]),
        ("blocked_by: ['#4', \"#5\"]", [4, 5]),
        ("after: [#4, #5]  # the parser first, then 6", [4, 5]),
        ("title: x\nblocked-by:\n  - 4\n  - #5\n- 6\nsize: 7", [4, 5, 6]),
        ("depends_on: [4,\n  5]", [4, 5]),
        ("requires: https://github.com/o/r/pull/4 and GH-5", [5]),
        ("depends_on: 0, 12345678901", []),
        ("after: 3 days", []),
        ("after: 2026-01-01", []),
        ("depends_on:", []),
        ("estimate: 4", []),
    ],
)
def test_front_matter_declares_what_the_issue_waits_for(head: str, expected: list[int]) -> None:
    """As sure as any statement; `---` or `...` closes it, and the text below it is read as ever."""
    assert numbers(f"---\n{head}\n---\nText after #8") == [*expected, 8]
    assert numbers(f"\n---\n{head}\n...\n") == expected
    for one in stated_dependencies(read_issue(issue(1, f"---\n{head}\n---\n"))):
        assert (one.probability, one.evidence) == (0.95, "front matter")


def test_front_matter_says_both_directions_and_names_other_repositories() -> None:
    """ "blocks: 7" and "depends_on: o/other#5"."""
    found = stated_dependencies(read_issue(issue(1, "---\nblocks: 7\ndepends_on: o/other#5\n---")))
    assert [(one.number, one.repository, one.reverse, one.phrase) for one in found] == [
        (5, "o/other", False, "depends_on: #5"),
        (7, "", True, "blocks: #7"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "---\ndepends_on: 4",
        "Text\n---\ndepends_on: 4\n---",
        "----\ndepends_on: 4\n----",
        "---\ndepends_on: 4\n" + "key: value\n" * 100 + "---",
        "```\n---\ndepends_on: 4\n---\n```",
        "> ---\n> depends_on: 4\n> ---",
    ],
)
def test_what_only_looks_like_front_matter_is_text(body: str) -> None:
    """It stands at the very top, is closed, and is short."""
    assert numbers(body) == []


def test_blocks_is_the_other_way_round() -> None:
    """ "Blocks #7": 7 waits for this one."""
    assert [(one.number, one.reverse) for one in stated_dependencies(read_issue(issue(1, "Blocks #7")))] == [(7, True)]


def test_the_strongest_statement_about_a_number_is_kept() -> None:
    """ "after #4 ... depends on #4" is one dependency, as sure as the stronger words."""
    (found,) = stated_dependencies(read_issue(issue(1, "Do it after #4. It depends on #4.")))
    assert found.phrase == "depends on #4"
