"""Which files a task will probably touch beyond those that it names: symbols, imports, history, likeness, as one probability."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, sqrt

from app.planning.conflicts import is_regenerated
from app.planning.contents import NO_CONTENTS, Contents, Wanted
from app.planning.evidence import LEAST, MOST_TOUCHES, by_probability, named_files
from app.planning.model import SAID_ENOUGH, WEIGHTS, probabilities
from app.planning.names import Names
from app.planning.past import NO_PAST, Habits, Past
from app.planning.ranking import Postings, largest
from app.planning.tree import folders_of
from app.planning.words import names_in, text_terms
from shared.issue_text import IssueText
from shared.models import Touch

_BODY_CHARACTERS = 4_000
_FIRST_LOOK = {"content": 1.2, "path": 0.8, "message": 1.5, "often": 0.8, "named": 2.0, "scope": 0.6, "symbol": 0.8}
_NOTHING = IssueText("", (), ())
_SEEDS, _CANDIDATES, _COMMITS = 12, 40, 60
_DEFINERS = 8  # of a name that many files define none is meant
_RARE = 3.0  # the rarities of words add up to more in nineteen of twenty real texts; one common word has less than half of it
_FEW = 3  # as many files may share a stem for an import of it to mean them
_SCOPE = re.compile(r"\W{0,3}\w{1,20}\(([^()]{1,60})\)!?:|\[?([\w./-]{2,30})\]?:")


@dataclass(frozen=True)
class Index:
    """What planning knows of a repository."""

    names: Names
    contents: Contents = NO_CONTENTS
    past: Past = NO_PAST


@dataclass
class _Evidence:
    """Of one issue: for each kind of evidence the files and how much of it each has, in units of `scale`."""

    amounts: dict[str, Mapping[int, float]] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    rarity: float = 0.0  # of the words that the text shares with its best file or message, as a sum
    seed_of: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)
    commit_of: dict[int, int] = field(default_factory=dict)

    def keep(self, kind: str, amounts: Mapping[int, float], scale: float = 1.0) -> None:
        self.amounts[kind] = amounts
        self.scale[kind] = scale

    def of(self, kind: str, number: int) -> float:
        """How much of one kind one file has."""
        return self.amounts[kind].get(number, 0.0) * self.scale[kind] if kind in self.amounts else 0.0

    def hears(self, scores: Mapping[int, float], top: float) -> float:
        """The best of these scores by words; how rare its words are counts for how much the text says of its place."""
        best = max(scores.values(), default=0.0)
        self.rarity = max(self.rarity, best / top)
        return best

    def weight_of_text(self) -> float:
        """From 0 to 1: does the text say anything that is not said of everything here?"""
        return 1.0 if self.amounts["symbol"] or self.amounts["scope"] else min(1.0, self.rarity / _RARE)

    def scores(self, numbers: Iterable[int], weights: Mapping[str, float]) -> dict[int, float]:
        """The weighted sum of all kinds."""
        totals = dict.fromkeys(numbers, 0.0)
        for kind, weight in weights.items():
            if amounts := self.amounts.get(kind):
                factor = weight * self.scale[kind]
                for number in totals.keys() & amounts.keys():
                    totals[number] += factor * amounts[number]
        return totals


def wanted(texts: Iterable[IssueText]) -> Wanted:
    """What the contents of files are to be searched for, for these issues."""
    terms: set[str] = set()
    names: set[str] = set()
    for text in texts:
        terms |= _query(text).keys()
        names |= names_in(_words_of(text))
    return Wanted(frozenset(terms), frozenset(names))


class Analyst:
    """One per batch: what all its issues share is worked out once."""

    def __init__(self, index: Index) -> None:
        self.tree = index.names.tree
        self.paths = self.tree.paths
        self._numbers = index.names.numbers
        self._contents = index.contents
        self._habits = Habits(index.past, self._numbers, index.names.asked)
        self._by_content = Postings.of_sets(index.contents.words, index.contents.sizes, evenness=0.6)
        self._by_path = index.names.by_words
        self._roles = index.names.roles
        self._often, self._lately = dict(enumerate(self._habits.often)), dict(enumerate(self._habits.lately))
        self._busy = largest(self._often, _CANDIDATES)
        self._imported_by, self._imports = self._neighbours(index.contents)

    def touches(self, text: IssueText) -> list[Touch]:
        """The likeliest files, most probable first; what the text names keeps at least its own probability."""
        found = {touch.path: touch for touch in named_files(text, self.tree)}
        evidence, ranked = self.ranked(text, found)
        likely = probabilities([score for _, score in ranked], MOST_TOUCHES)
        best = {number: probability for (number, _), probability in zip(ranked, likely, strict=False)}
        said = self._said(evidence, best)
        for number, probability in best.items():
            path = self.paths[number]
            named = found[path].probability if path in found else 0.0
            if probability >= LEAST and probability > named:
                source, why = self._reason(evidence, number)
                by_text = round(max(named, said[number]), 4)
                found[path] = Touch(path=path, probability=round(probability, 4), source=source, said=by_text, why=why)
        return [touch for touch in sorted(found.values(), key=by_probability) if touch.probability >= LEAST][:MOST_TOUCHES]

    def _said(self, evidence: _Evidence, probability: Mapping[int, float]) -> dict[int, float]:
        """How much of each the text itself says: what it adds to what any text would have, little for words that stand all over.

        All in all at most what is enough, so that many files of one common word are no more than the word.
        """
        anyway = self._anyway
        beyond = {number: max(0.0, 1 - (1 - one) / (1 - anyway.get(number, 0.0))) for number, one in probability.items()}
        weight = evidence.weight_of_text() * min(1.0, SAID_ENOUGH / (sum(beyond.values()) or 1.0))
        return {number: weight * one for number, one in beyond.items()}

    @cached_property
    def _anyway(self) -> dict[int, float]:
        """P(touch) by a text that says nothing: what changes often or lately, and what belongs to that."""
        _, ranked = self.ranked(_NOTHING, {})
        likely = probabilities([score for _, score in ranked], len(ranked))
        return {number: probability for (number, _), probability in zip(ranked, likely, strict=True)}

    def similar(self, text: IssueText) -> list[Touch]:
        """By the likeness of contents and paths alone: what a simple planner knows, for comparison."""
        evidence = _Evidence()
        self._by_likeness(_query(text), evidence)
        content, path = evidence.amounts["content"], evidence.amounts["path"]
        scores = {number: (content.get(number, 0.0) + path.get(number, 0.0)) / 2 for number in content.keys() | path.keys()}
        best = largest(scores, MOST_TOUCHES)
        return [Touch(path=self.paths[number], probability=scores[number], source="similar text", why="") for number in best]

    def ranked(self, text: IssueText, named: Mapping[str, Touch]) -> tuple[_Evidence, list[tuple[int, float]]]:
        """The candidates by falling score."""
        evidence, candidates = self.evidence(text, named)
        scores = evidence.scores(candidates, WEIGHTS)
        return evidence, sorted(scores.items(), key=lambda one: (-one[1], one[0]))

    def evidence(self, text: IssueText, named: Mapping[str, Touch]) -> tuple[_Evidence, list[int]]:
        """All rungs of the ladder for one issue, and the files that are worth a look."""
        evidence = _Evidence()
        query = _query(text)
        self._by_likeness(query, evidence)
        self._by_messages(query, evidence)
        numbers = self._numbers
        evidence.keep("named", {numbers[path]: touch.probability for path, touch in named.items() if path in numbers})
        evidence.keep("symbol", self._defining(names_in(_words_of(text))))
        evidence.keep("scope", self._in_scope(text.title))
        evidence.keep("often", self._often)
        found = set(self._busy)
        for kind in ("content", "path", "message", "said_share", "named", "symbol", "scope"):
            found.update(largest(evidence.amounts[kind], _CANDIDATES))
        found |= self._around_seeds(evidence, found)
        evidence.keep("lately", self._lately)
        for kind, files in self._roles.wanted_by(text.title).items():
            evidence.keep(kind, files)
        return evidence, [number for number in found if not is_regenerated(self.paths[number])]

    def _by_likeness(self, query: Mapping[str, float], evidence: _Evidence) -> None:
        for kind, postings in (("content", self._by_content), ("path", self._by_path)):
            scores, best = postings.scores(query)
            evidence.keep(kind, scores, 1 / (evidence.hears(scores, postings.top) or 1.0))
            if kind == "path":
                evidence.keep("path_share", scores, 1 / (best or 1.0))
        scores, best = self._habits.said.scores(query)
        evidence.hears(scores, self._habits.said.top)
        evidence.keep("said_share", scores, 1 / (best or 1.0))

    def _by_messages(self, query: Mapping[str, float], evidence: _Evidence) -> None:
        """The files of the commits whose messages are nearest."""
        near, best = self._habits.nearest(query, _COMMITS)
        reached: defaultdict[int, float] = defaultdict(float)
        share: defaultdict[int, float] = defaultdict(float)
        for score, age in near:
            breadth = self._habits.breadth[age]
            likeness = (score / near[0][0]) ** 2 * 0.5 ** (age / 1000) / breadth
            part = score / best / sqrt(breadth)
            for number in self._habits.files[age]:
                reached[number] += likeness
                if part > share[number]:
                    share[number] = part
                    evidence.commit_of[number] = age
        evidence.keep("message", reached, 1 / max(reached.values(), default=1.0))
        evidence.keep("message_share", share)

    def _defining(self, names: Iterable[str]) -> dict[int, float]:
        found: defaultdict[int, float] = defaultdict(float)
        for name in sorted(names):
            definers = self._contents.definitions.get(name, ())
            for number in definers if len(definers) <= _DEFINERS else ():
                found[number] += 1 / len(definers)
        return found

    def _around_seeds(self, evidence: _Evidence, first: Iterable[int]) -> set[int]:
        """What changes with, is imported by, imports, or tests the files that look likeliest so far."""
        scores = evidence.scores(first, _FIRST_LOOK)
        seeds = largest(scores, _SEEDS)
        parts = {seed: exp(3 * (scores[seed] - scores[seeds[0]])) for seed in seeds}
        whole = sum(parts.values())
        around: defaultdict[str, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
        for seed, part in parts.items():
            for kind, other, strength in self._beside(seed):
                amount = strength * part / whole
                around[kind][other] += amount
                if (kind, other) not in evidence.seed_of or amount > evidence.seed_of[kind, other][0]:
                    evidence.seed_of[kind, other] = (amount, seed)
        for kind, amounts in around.items():
            evidence.keep(kind, amounts)
        return {number for amounts in around.values() for number in largest(amounts, _CANDIDATES)}

    def _beside(self, seed: int) -> Iterator[tuple[str, int, float]]:
        changes = self._habits.changes[seed] + 1000
        for other, times in self._habits.together.get(seed, {}).items():
            yield "together", other, times / changes
        for other in self._roles.pairs_of(seed):
            yield "pair", other, 1.0
        neighbours = self._imported_by[seed] | self._imports[seed]
        for other in neighbours:
            yield "imports", other, 1 / sqrt(len(neighbours))

    def _neighbours(self, contents: Contents) -> tuple[defaultdict[int, set[int]], defaultdict[int, set[int]]]:
        imported_by: defaultdict[int, set[int]] = defaultdict(set)
        imports: defaultdict[int, set[int]] = defaultdict(set)
        for stem, importers in contents.imports.items():
            meant = self.tree.by_stem.get(stem, ())
            for path in meant if len(meant) <= _FEW else ():
                imported_by[self._numbers[path]].update(importers)
                for importer in importers:
                    imports[importer].add(self._numbers[path])
        return imported_by, imports

    @cached_property
    def _places(self) -> dict[str, set[int]]:
        """Files by each folder above them and by their own names, for `fix(router):`."""
        places: defaultdict[str, set[int]] = defaultdict(set)
        for number, path in enumerate(self.paths):
            for folder in folders_of(path.lower()):
                places[folder.rpartition("/")[2]].add(number)
            places[self.tree.stems[number]].add(number)
        return places

    def _in_scope(self, title: str) -> dict[int, float]:
        found: dict[int, float] = {}
        if scope := _SCOPE.match(title.lower()):
            for word in re.split(r"[,/ ]+", scope[1] or scope[2]):
                files = self._places.get(word, set())
                share = 1.0 if len(files) <= _FEW else _FEW / len(files) + 0.3
                found |= {number: max(share, found.get(number, 0.0)) for number in files}
        return found

    def _reason(self, evidence: _Evidence, number: int) -> tuple[str, str]:
        """The kind of evidence that says most for this file, and what it says."""

        parts: defaultdict[str, float] = defaultdict(float)
        for kind, amounts in evidence.amounts.items():
            if number in amounts and kind in WEIGHTS:
                said = kind.removesuffix("_share")
                parts[said] += WEIGHTS[kind] * evidence.scale[kind] * amounts[number] * _REASONS.get(said, (0.0,))[0]
        likeliest = max(_REASONS, key=lambda kind: parts.get(kind, 0.0))
        _, source, why = _REASONS[likeliest]
        _, seed = evidence.seed_of.get((likeliest, number), (0.0, number))
        commit = self._habits.ids[evidence.commit_of[number]] if number in evidence.commit_of else ""
        return source, why.format(seed=self.paths[seed], commit=commit)


# By kind of evidence, by rung of the ladder: how telling it is as a reason, the rung's name, the reason. What many files share
# (words, recent changes) explains a file only where nothing that singles it out does.
_REASONS = {
    "named": (4.0, "named", "the text names it"),
    "symbol": (4.0, "symbol", "defines a name that the text uses"),
    "scope": (2.0, "title scope", "the title's scope is a folder or file of that name"),
    "imports": (2.0, "imports", "imports {seed}, or is imported by it"),
    "pair": (2.0, "test pair", "belongs to {seed} as test or source"),
    "together": (2.0, "co-change", "often changes together with {seed}"),
    "message": (1.0, "history", "commit {commit} changed it under similar words"),
    "said": (1.0, "history", "the messages of its changes are in the words of the text"),
    "content": (1.0, "similar text", "its content is in the words of the text"),
    "path": (1.0, "similar text", "its path is in the words of the text"),
    "tests_wanted": (1.0, "kind of task", "a test, and the title asks for tests"),
    "docs_wanted": (1.0, "kind of task", "documentation, and the title asks for it"),
    "ci_wanted": (1.0, "kind of task", "a workflow, and the title is about one"),
    "often": (0.3, "history", "changes often"),
    "lately": (0.3, "history", "changed lately"),
}


def _query(text: IssueText) -> dict[str, float]:
    """Words by weight: the title's count double, repetition hardly counts."""
    query: defaultdict[str, float] = defaultdict(float)
    for term, count in text_terms(text.title).items():
        query[term] += 2.0 * count
    body = "\n".join(line.text for line in text.lines if line.kind != "quote")[:_BODY_CHARACTERS]
    for term, count in text_terms(body).items():
        query[term] += 1.0 if count == 1 else 1.3
    return dict(query)


def _words_of(text: IssueText) -> str:
    return "\n".join((text.title, *(line.text for line in text.lines if line.kind != "quote")))[: _BODY_CHARACTERS + 1_000]
