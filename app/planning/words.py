"""Cuts texts, paths and identifiers into the same stems, so that "fixing the Router" meets `RouterGroup` and `router.go`."""

import re
from collections.abc import Mapping
from functools import lru_cache

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]+")
PART = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"  # of an identifier
_PART = re.compile(PART)
_VERSION = re.compile(r"\bv?\d+\.\d+(?:\.\d+)*")
_SPECIAL = re.compile(r"[a-z0-9][A-Z]|[A-Za-z0-9]_[A-Za-z0-9]")
_CALLED = re.compile(r"([A-Za-z_][A-Za-z0-9_]{2,80})\(|`([A-Za-z_][A-Za-z0-9_]{2,80})`|\b([A-Z]{1,8}[a-z]+(?:[A-Z][a-z0-9]*)+)\b")
VERSION = "#version"  # releases resemble each other in nothing but this
_STOP = frozenset(
    """
    a add added adds all also an and any are as at be been being but by can could did do does doing each else fix fixed
    fixes for from had has have he her his how i if in into is it its just make makes me more most my new no not now of on
    only or other our out per should so some than that the their them then there they this those to too up us use used
    uses using via was we were what when which while who why will with would you your
    """.split()  # noqa: SIM905
)
_LONGEST_WORD = 80


def text_terms(text: str) -> dict[str, int]:
    """How often each stem stands in a text."""
    terms: dict[str, int] = {}
    if versions := len(_VERSION.findall(text)):
        terms[VERSION] = min(versions, 2)
    for word in _WORD.findall(text):
        for term in word_terms(word):
            terms[term] = terms.get(term, 0) + 1
    return terms


def path_terms(path: str) -> dict[str, int]:
    """As `text_terms`; the file's own name counts double."""
    folder, _, name = path.rpartition("/")
    terms = dict(_piece_terms(folder))
    for term, count in _piece_terms(name).items():
        terms[term] = terms.get(term, 0) + 2 * count
    return terms


@lru_cache(maxsize=20_000)
def _piece_terms(piece: str) -> Mapping[str, int]:
    return text_terms(piece)


def names_in(text: str) -> frozenset[str]:
    """Words that look like identifiers of a program: with an underscore, a hump, in backticks, or called."""
    names = {next(filter(None, found)) for found in _CALLED.findall(text)}
    return frozenset(names | {word for word in _WORD.findall(text) if 3 <= len(word) <= _LONGEST_WORD and _SPECIAL.search(word)})


@lru_cache(maxsize=200_000)
def word_terms(word: str) -> tuple[str, ...]:
    """The stems of an identifier's parts, and the whole of it where it has several."""
    word = word[:_LONGEST_WORD]
    parts = [part.lower() for part in _PART.findall(word) if len(part) > 1]
    whole = [word.lower().replace("_", "")] if len(parts) > 1 else []
    return tuple(term for term in (*map(stem, parts), *whole) if term not in _STOP)


def stem(word: str) -> str:
    """Without plural and the commonest endings; never shorter than three letters where the word was longer."""
    if len(word) > 4:
        if word.endswith("ies"):
            word = word[:-3] + "y"
        elif word.endswith("sses"):
            word = word[:-2]
        elif word.endswith("s") and not word.endswith("ss"):
            word = word[:-1]
    if len(word) > 5:
        word = word.removesuffix("ing") if word.endswith("ing") else word.removesuffix("ed")
        word = word.removesuffix("e") if len(word) > 4 else word
        word = word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
    return word
