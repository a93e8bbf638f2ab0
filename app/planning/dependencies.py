"""What an issue says it waits for, in the words people use; only where a keyword and a reference stand together.

Understood: "depends on #4, #5 and #6", "Depends-on: #4", "blocked by #4", "requires #4", "after #4", "once #4 is merged",
"blocks #7" (the other way round), a line or heading such as "Blocked by" followed by a list of references, and "- [ ] #12"
(a parent waits for its parts). Not understood as a dependency: code, quotes, "not blocked by #4", the issue itself, links to
pull requests, a keyword without a reference.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

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
_KEYWORD = re.compile(
    r"(?<![\w-])(?P<stated>depend(?:s|ent|ing)?[ -]{1,3}(?:up)?on|block(?:ed|er|ers)?[ -]by|requires?|needs"
    r"|wait(?:s|ing)?[ ](?:for|on)|prerequisites?|builds[ ]on|builds[ ]upon|stacked[ ]on|follow-?up[ ](?:to|of))(?![\w-])"
    r"|(?<![\w-])(?P<ordered>after|once)(?![\w-])"
    r"|(?<![\w-])(?P<reverse>blocks|blocking|prerequisite[ ]for|required[ ](?:by|for)|needed[ ](?:by|for))(?![\w-])",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:[\s:*_\[(,-]{0,6}(?:the|issues?|tickets?|tasks?|work|fix(?:es|ing)?|merg(?:e|ing)|completion|completing|landing|is|are|on|of|for|in|from|both|all)\b(?!\s*\d)){0,4}"
    r"[\s:*_\[(-]{0,6}",
    re.IGNORECASE,
)
_PULL_WORD = re.compile(r"(?:[\s:*_\[(-]{0,4})(?:the\s)?(?:pr|prs|pull requests?|pull)\b", re.IGNORECASE)
_BETWEEN = re.compile(
    r"[\])*_]{0,4}(?:\s{0,3}\([^()\n]{0,80}\))?\s{0,3}(?:[,;&+/]|(?:and|or|as well as)\b){0,3}\s{0,3}(?:and\b|or\b)?[\s\[(*_]{0,4}",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s{0,2}(?:-|–|\.\.\.?|to|through)\s{0,2}#(\d{1,9})(?!\w)")
_NEGATION = re.compile(
    r"\b(?:not|n't|no longer|never|neither|nor|isn.t|doesn.t|without|independent)(?:\s+\w+){0,2}\s*$", re.IGNORECASE
)
_INTRODUCTION = re.compile(
    r"\W{0,12}(?:this (?:issue )?(?:is )?)?"
    r"(?:dependenc(?:y|ies)|depends?[ -]on|dependent on|blocked[ -]by|blockers|prerequisites?|requires?)\W{0,6}",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s{0,20}(?:[-*+]|\d{1,3}[.)])?\s{0,4}(?P<box>\[[ xX]\])?\s{0,4}[\[(*_]{0,3}")
_TASK = re.compile(r"\s{0,20}(?:[-*+]|\d{1,3}[.)])\s{1,4}\[ \]\s{1,4}[\[(*_]{0,3}")
_LINK = re.compile(r"\[([^\[\]\n]{0,100})\]\((https?://[^\s()]{1,300})\)")
_CODE_SPAN = re.compile(r"`[^`\n]{0,300}`")
_LONGEST_RANGE = 50


@dataclass(frozen=True, order=True)
class Dependency:
    """The issue waits for `number` (`reverse`: the other way round), as `phrase` says; `repository` is empty for its own."""

    number: int
    repository: str
    reverse: bool
    probability: float
    evidence: Literal["text", "task list"]
    phrase: str


def stated_dependencies(text: IssueText) -> list[Dependency]:
    """Everything that the prose declares, the title too; the strongest statement about each number, in order of number."""
    found = sorted(
        _in_lines([text.title, "", *text.prose]), key=lambda one: (one.number, one.repository, one.reverse, -one.probability)
    )
    strongest: dict[tuple[int, str, bool], Dependency] = {}
    for one in found:
        strongest.setdefault((one.number, one.repository, one.reverse), one)
    return list(strongest.values())


def _in_lines(raw_lines: list[str]) -> Iterator[Dependency]:
    lines = [_LINK.sub(_link_target, _CODE_SPAN.sub(" ", line)) for line in raw_lines]
    introduced = False
    for line in lines:
        if introduced and (item := _ITEM.match(line)) and (references := _references(line, item.end())):
            for number, repository in references:
                yield Dependency(number, repository, False, _STATED, "text", f"blocked by #{number}")
            continue
        if task := _TASK.match(line):
            for number, repository in _references(line, task.end())[:1]:
                yield Dependency(number, repository, False, _STATED, "task list", f"- [ ] #{number}")
        if line.strip():
            introduced = _INTRODUCTION.fullmatch(line.strip()[:80]) is not None
    for paragraph in _paragraphs(lines):
        yield from _in_paragraph(paragraph)


def _in_paragraph(text: str) -> Iterator[Dependency]:
    for keyword in _KEYWORD.finditer(text):
        if _NEGATION.search(text[max(0, keyword.start() - 40) : keyword.start()]) or _PULL_WORD.match(text, keyword.end()):
            continue
        filler = _FILLER.match(text, keyword.end())
        probability = _ORDERED if keyword["ordered"] else _STATED
        for number, repository in _references(text, filler.end() if filler else keyword.end()):
            phrase = f"{' '.join(keyword[0].split()).lower()} #{number}"
            yield Dependency(number, repository, keyword["reverse"] is not None, probability, "text", phrase)


def _references(text: str, position: int) -> list[tuple[int, str]]:
    """The list of issues that begins exactly here, with the repository where one is named."""
    found: list[tuple[int, str]] = []
    while reference := _ONE.match(text, position):
        groups = reference.groupdict()
        number = int(groups["number"] or groups["url_number"] or groups["gh"] or groups["bare"])
        repository = groups["repo"] or groups["url_repo"] or ""
        if groups["url_kind"] != "pull" and number > 0:
            found.append((number, repository))
        position = reference.end()
        if until := _RANGE.match(text, position):
            found += [(between, repository) for between in range(number + 1, min(int(until[1]), number + _LONGEST_RANGE) + 1)]
            position = until.end()
        between = _BETWEEN.match(text, position)
        position = between.end() if between else position
        if _PULL_WORD.match(text, position):
            break
    return found


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Lines that flow into each other; a list item or heading stands by itself."""
    block: list[str] = []
    for line in lines:
        starts_anew = not line.strip() or line.lstrip().startswith(("-", "*", "+", "#", "|"))
        if starts_anew and block:
            yield " ".join(block)
            block = []
        if line.strip():
            block.append(line.strip())
    if block:
        yield " ".join(block)


def _link_target(link: re.Match[str]) -> str:
    """`[#4](https://…/pull/4)` says more by its address than by its text."""
    return link[2] if _ONE.match(link[2]) else link[1]
