"""What an issue says it waits for, in the words people use; only where a keyword and a reference stand together.

Understood: "depends on #4, #5 and #6", "Depends-on: #4", "blocked by #4", "requires #4", "after #4", "once #4 is merged",
"blocks #7" (the other way round), a line or heading such as "Blocked by" followed by a list of references, "- [ ] #12"
(a parent waits for its parts), and front matter. Not understood as a dependency: code, quotes, what is struck out, "not blocked by
#4", the issue itself, what is said to be a pull request ("PR #4", "#4 (PR)"), a keyword without a reference. "After #4's PR is
merged" waits for issue 4: its pull request is the work. Whether a number is a pull request is GitHub's to say, not the text's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.planning.front_matter import Declared, front_matter
from app.planning.said import said_in_body, said_in_title
from shared.issue_text import IssueText

NATIVE, NATIVE_EVIDENCE = 1.0, "native blocked-by"
_STATED = 0.95
_ORDERED = 0.8  # "after #4" may also tell a story

_REFERENCE = (
    r"(?:(?P<repo{0}>[\w.-]{{1,100}}/[\w.-]{{1,100}})?#(?P<number{0}>\d{{1,9}})(?!\w)"
    r"|https?://[\w.:-]{{1,200}}/(?P<url_repo{0}>[\w.-]{{1,100}}/[\w.-]{{1,100}})/(?P<url_kind{0}>issues|pull)/(?P<url_number{0}>\d{{1,9}})(?!\w)[^\s)\]]{{0,100}}"
    r"|\bgh-(?P<gh{0}>\d{{1,9}})(?!\w)|\bissues?[ ](?P<bare{0}>\d{{1,9}})(?![\w.]))"
)
_ONE = re.compile(_REFERENCE.format(""), re.IGNORECASE)
_MAY_REFER = re.compile(r"#\d|/(?:issues|pull)/\d|\bgh-\d|\bissues?\s\d", re.IGNORECASE)
_KEYWORD = re.compile(
    r"(?<![\w-])_{0,3}(?:"
    r"(?P<stated>depend(?:s|ent|ing)?[ -]{1,3}(?:up)?on|block(?:ed|er|ers)?[ -]by|block(?:ed|ing)[ -]on|requires?|needs"
    r"|wait(?:s|ing)?[ ](?:for|on)|prerequisites?|builds[ ]on|builds[ ]upon|stacked[ ]on|follow-?up[ ](?:to|of)"
    r"|dependenc(?:y|ies)(?=[ ]?[*_]{0,3}:))"
    r"|(?P<ordered>after|once)"
    r"|(?P<reverse>blocks|blocking|prerequisite[ ]for|required[ ](?:by|for)|needed[ ](?:by|for))"
    r")_{0,3}(?![\w-])",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:[\s:*_\[(,-]{0,6}"
    r"(?:the|issues?|tickets?|tasks?|work|fix(?:es|ing)?|merg(?:e|ing)|completion|completing|landing|is|are|on|of|for|in|from|both|all"
    r"|(?:prs?|pull requests?)(?=\s(?:for|of)\b))\b(?!\s*\d)){0,4}"
    r"[\s:*_\[(<-]{0,6}",
    re.IGNORECASE,
)
# "PR #5 and #4" says it of the first, "PRs #5 and #4" of all.
_PULL_WORD = re.compile(
    r"[\s:*_\[(-]{0,4}(?:(?:the|an?|my|our)\s)?(?:(?P<all>prs|pull requests)|pr|pull request|pull)\b"
    r"(?!\s(?:for|of)\b)",  # "the PR for #4" is the work on issue 4
    re.IGNORECASE,
)
_IS_PULL = re.compile(r"[\])*_]{0,4}\s{0,3}\((?:an?\s|the\s)?(?:pr|pull request)\)", re.IGNORECASE)
_BETWEEN = re.compile(
    r"[\])*_>]{0,4}(?:\s{0,3}\([^()\n]{0,80}\))?\s{0,3}"
    r"(?:[,;&+/]|(?:and|or|as well as)\b){0,3}\s{0,3}(?:and\b|or\b)?[\s\[(*_]{0,4}",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s{0,2}(?:-|–|\.\.\.?|to|through)\s{0,2}#(\d{1,9})(?!\w)")
_NEGATION = re.compile(
    r"\b(?:not|cannot|no|never|neither|nor|nothing|none|\w{1,12}n['’]t|without|independent)(?:\s+\w+){0,2}\s*$", re.IGNORECASE
)
_INTRODUCTION = re.compile(
    r"\W{0,12}(?:this (?:issue )?(?:is )?)?"
    r"(?:dependenc(?:y|ies)|depends?[ -]on|dependent on|blocked[ -]by|blockers|prerequisites?|requires?)\W{0,6}",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s{0,20}(?:[-*+]|\d{1,3}[.)])?\s{0,4}(?P<box>\[[ xX]\])?\s{0,4}[\[(*_]{0,3}")
_TASK = re.compile(r"\s{0,20}(?:[-*+]|\d{1,3}[.)])\s{1,4}\[ \]\s{1,4}[\[(*_]{0,3}")
_LINK = re.compile(r"\[([^\[\]\n]{0,100})\]\((https?://[^\s()]{1,300})\)")
_LONGEST_RANGE = 50


@dataclass(frozen=True, order=True)
class Dependency:
    """The issue waits for `number` (`reverse`: the other way round), as `phrase` says; `repository` is empty for its own."""

    number: int
    repository: str
    reverse: bool
    probability: float
    evidence: Literal["text", "task list", "front matter"]
    phrase: str


def stated_dependencies(text: IssueText) -> list[Dependency]:
    """Everything that the author declares, in the title too; the strongest statement about each number, in order of number."""
    declared, body = front_matter("\n".join(line.text for line in text.lines))
    paragraphs = [said_in_title(text.title), *(said_in_body(body) if _MAY_REFER.search(body) else ())]
    found = sorted(
        [*_in_front_matter(declared), *_in_paragraphs(paragraphs)],
        key=lambda one: (one.number, one.repository, one.reverse, -one.probability),
    )
    strongest: dict[tuple[int, str, bool], Dependency] = {}
    for one in found:
        strongest.setdefault((one.number, one.repository, one.reverse), one)
    return list(strongest.values())


def _in_front_matter(declared: list[Declared]) -> Iterator[Dependency]:
    """A bare number counts only among references: `after: 3 days` names none."""
    for entry in declared:
        references = [(word, _ONE.fullmatch(word)) for word in entry.words]
        bare_count = all(reference or word.isdecimal() or word.lower() == "and" for word, reference in references)
        for word, reference in references:
            number, repository = _named(reference) if reference else (0, "")
            if bare_count and word.isascii() and word.isdecimal() and len(word) < 10:
                number = int(word)
            if number > 0 and not (reference and reference["url_kind"] == "pull"):
                yield Dependency(number, repository, entry.reverse, _STATED, "front matter", f"{entry.key}: #{number}")


def _in_paragraphs(raw: list[str]) -> Iterator[Dependency]:
    """A line such as "Blocked by" speaks of the items that follow it."""
    introduced = False
    for paragraph in (_LINK.sub(_link_target, text) for text in raw):
        rest = []
        for line in paragraph.split("\n"):
            if introduced and (item := _ITEM.match(line)) and (references := _references(line, item.end())):
                for number, repository in references:
                    yield Dependency(number, repository, False, _STATED, "text", f"blocked by #{number}")
            elif task := _TASK.match(line):
                for number, repository in _references(line, task.end())[:1]:
                    yield Dependency(number, repository, False, _STATED, "task list", f"- [ ] #{number}")
            elif line.strip():
                introduced = _INTRODUCTION.fullmatch(line.strip()[:80]) is not None
            rest.append(line.strip())
        yield from _in_flow(" ".join(rest))


def _in_flow(text: str) -> Iterator[Dependency]:
    for keyword in _KEYWORD.finditer(text):
        if _NEGATION.search(text[max(0, keyword.start() - 40) : keyword.start()]):
            continue
        filler = None if _PULL_WORD.match(text, keyword.end()) else _FILLER.match(text, keyword.end())
        probability = _ORDERED if keyword["ordered"] else _STATED
        word = " ".join(keyword[0].strip("_").split()).lower()
        for number, repository in _references(text, filler.end() if filler else keyword.end()):
            yield Dependency(number, repository, keyword["reverse"] is not None, probability, "text", f"{word} #{number}")


def _references(text: str, position: int) -> list[tuple[int, str]]:
    """The list of issues that begins here, with the repository where one is named; what is called a pull request is left out."""
    found: list[tuple[int, str]] = []
    is_pull, position = _after_pull_word(text, position)
    while reference := _ONE.match(text, position):
        number, repository = _named(reference)
        position = reference.end()
        named = [(number, repository)]
        if until := _RANGE.match(text, position):
            named += [(between, repository) for between in range(number + 1, min(int(until[1]), number + _LONGEST_RANGE) + 1)]
            position = until.end()
        if not is_pull and reference["url_kind"] != "pull" and not _IS_PULL.match(text, position):
            found += [one for one in named if one[0] > 0]
        between = _BETWEEN.match(text, position)
        pulls_go_on = is_pull == "all"
        is_pull, position = _after_pull_word(text, between.end() if between else position)
        is_pull = "all" if pulls_go_on else is_pull
    return found


def _after_pull_word(text: str, position: int) -> tuple[Literal["", "next", "all"], int]:
    """Whether the next references are pull requests by the author's word, and where they begin."""
    word = _PULL_WORD.match(text, position)
    if word is None:
        return "", position
    filler = _FILLER.match(text, word.end())
    return "all" if word["all"] else "next", filler.end() if filler else word.end()


def _named(reference: re.Match[str]) -> tuple[int, str]:
    groups = reference.groupdict()
    number = int(groups["number"] or groups["url_number"] or groups["gh"] or groups["bare"])
    return number, groups["repo"] or groups["url_repo"] or ""


def _link_target(link: re.Match[str]) -> str:
    """`[#4](https://…/pull/4)` says more by its address than by its text."""
    return link[2] if _ONE.match(link[2]) else link[1]
