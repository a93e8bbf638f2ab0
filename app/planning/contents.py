"""What the files of a tree say, as far as a batch of issues asks: one pass over all files, kept are only the words asked for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from app.planning.tree import Tree
from app.planning.words import PART, word_terms

MOST_BYTES = 32_768  # of a file; what it is about stands in its first pages
_HEAD_BYTES = 4_096  # where imports stand
_BINARY_LOOK = 1_024
_PART = re.compile(PART.encode())
_KEPT = bytes(byte if (chr(byte).isalnum() and byte < 128) or byte == ord("_") else ord(" ") for byte in range(256))
# From one line's beginning to the next: the line end in front lets the search skip everything else.
_IMPORT = re.compile(rb"\n(?:import |from |use |mod |pub (?:mod|use) |\} from |export |#include|require|\t\"|const )[^\n]*")
_DEFINITION = re.compile(
    rb"\b(?:def|class|func(?:\s*\([^)\n]{0,80}\))?|fn|struct|enum|trait|interface|type|const|function|macro_rules!|mod)\s+"
    rb"([A-Za-z_][A-Za-z0-9_]{2,80})"
)


@dataclass(frozen=True)
class Wanted:
    """What is looked for: stems, and identifiers whose definitions count."""

    terms: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True)
class Contents:
    """By numbers of files in `Tree.paths`: who says a stem, how many words each has, who defines a name, who imports a stem."""

    sizes: tuple[int, ...]
    words: Mapping[str, tuple[int, ...]]
    definitions: Mapping[str, tuple[int, ...]]
    imports: Mapping[str, tuple[int, ...]]


NO_CONTENTS = Contents((), {}, {}, {})


def read_contents(tree: Tree, files: Iterable[tuple[int, bytes]], wanted: Wanted) -> Contents:
    """Of files in any order, each by its number and its first bytes; a binary one says nothing."""
    reader = _Reader(tree, wanted)
    for number, data in files:
        if b"\0" not in data[:_BINARY_LOOK]:
            reader.read(number, data[:MOST_BYTES])
    return Contents(
        tuple(reader.sizes),
        *(
            {key: tuple(sorted(numbers)) for key, numbers in found.items()}
            for found in (reader.words, reader.definitions, reader.imports)
        ),
    )


class _Reader:
    """Goes over each file's distinct words once; what a word means to the batch is found out at its first sight."""

    def __init__(self, tree: Tree, wanted: Wanted) -> None:
        self.sizes = [0] * len(tree.paths)
        self.words: defaultdict[str, list[int]] = defaultdict(list)
        self.definitions: defaultdict[str, list[int]] = defaultdict(list)
        self.imports: defaultdict[str, list[int]] = defaultdict(list)
        self._terms = _TermsOfWord(wanted.terms)
        self._names = frozenset(name.encode() for name in wanted.names)
        self._stems = {name.encode(): name for name in set(tree.stems) if name.isascii()}

    def read(self, number: int, data: bytes) -> None:
        words = set(data.translate(_KEPT).split())
        self.sizes[number] = len(words)
        telling = words.difference(self._terms.silent)  # without a step of Python for each of the others
        for term in set(chain.from_iterable(map(self._terms.__getitem__, telling))):
            self.words[term].append(number)
        if not words.isdisjoint(self._names):
            for name in self._names.intersection(_DEFINITION.findall(data)):
                self.definitions[name.decode()].append(number)
        if lines := _IMPORT.findall(b"\n" + data[:_HEAD_BYTES]):
            imported = set(b" ".join(lines).lower().translate(_KEPT).split())
            for name in imported & self._stems.keys():
                self.imports[self._stems[name]].append(number)


class _TermsOfWord(dict[bytes, tuple[str, ...]]):
    """Which of the wanted stems a word of a file holds, as `word_terms` would cut it; `silent` are words met that hold none."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.silent: set[bytes] = set()
        self._wholes = {term.encode("ascii", "replace"): term for term in wanted}
        self._of_part = _TermsOfPart(wanted)  # parts recur far more than words do

    def __missing__(self, word: bytes) -> tuple[str, ...]:
        low = word.islower()
        parts = word.split(b"_") if low else _PART.findall(word)
        whole = (word if low else word.lower()).replace(b"_", b"") if len(parts) > 1 else b""
        if whole not in self._wholes and self._of_part.silent.issuperset(parts):
            self.silent.add(word)
            return ()
        found = tuple(chain.from_iterable(map(self._of_part.__getitem__, parts)))
        if whole in self._wholes:
            found += (self._wholes[whole],)
        if found:
            self[word] = found
        else:
            self.silent.add(word)
        return found


class _TermsOfPart(dict[bytes, tuple[str, ...]]):
    """The wanted stems of a piece between underscores or humps; `silent` are those met that hold none."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.silent: set[bytes] = set()
        self._wanted = wanted

    def __missing__(self, part: bytes) -> tuple[str, ...]:
        found = self[part] = tuple(term for term in word_terms(part.decode("ascii")) if term in self._wanted)
        if not found:
            self.silent.add(part)
        return found
