"""Which files a task will probably touch when its text names none: symbols, imports, history and likeness, as one probability each."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from math import exp, sqrt

from app.planning.contents import NO_CONTENTS, Contents, Wanted
from app.planning.evidence import LEAST, MOST_TOUCHES, by_probability, named_files
from app.planning.conflicts import is_regenerated
from app.planning.model import WEIGHTS, probabilities
from app.planning.past import NO_PAST, Habits, Past
from app.planning.ranking import Postings
from app.planning.roles import Roles, is_test, subject_of
from app.planning.tree import Tree, folders_of, stem_of
from app.planning.words import names_in, path_terms, text_terms
from shared.issue_text import IssueText
from shared.models import Touch

_BODY_CHARACTERS = 4_000
_FIRST_LOOK = {"content": 1.2, "path": 0.8, "message": 1.5, "often": 0.8, "named": 2.0, "scope": 0.6, "symbol": 0.8}
_SEEDS, _CANDIDATES, _COMMITS = 12, 40, 60
_FEW = 3  # as many files may share a stem for an import of it to mean them
_SCOPE = re.compile(r"\W{0,3}\w{1,20}\(([^()]{1,60})\)!?:|\[?([\w./-]{2,30})\]?:")


@dataclass(frozen=True)
class Index:
    """What planning knows of a repository beside the names of its files."""

    tree: Tree
    contents: Contents = NO_CONTENTS
    past: Past = NO_PAST


@dataclass
class _Evidence:
    """Of one issue: for each kind of evidence the files and how much of it each has."""

    amounts: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    seed_of: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)
    commit_of: dict[int, int] = field(default_factory=dict)

    def score(self, number: int, weights: Mapping[str, float]) -> float:
        return sum(weight * self.amounts[kind].get(number, 0.0) for kind, weight in weights.items() if kind in self.amounts)


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
        self.tree = index.tree
        self.paths = index.tree.paths
        self._numbers = {path: number for number, path in enumerate(self.paths)}
        self._contents = index.contents
        self._habits = Habits(index.past, self._numbers)
        self._by_content = Postings.of_sets(index.contents.words, index.contents.sizes, evenness=0.6)
        self._by_path = Postings([path_terms(path) for path in self.paths], evenness=0.5)
        self._roles = Roles(self.paths)
        self._often, self._lately = dict(enumerate(self._habits.often)), dict(enumerate(self._habits.lately))
        self._busy = _largest(self._often, _CANDIDATES)
        self._imported_by, self._imports = self._neighbours(index.contents)
        self._places = self._places_by_word()

    def touches(self, text: IssueText) -> list[Touch]:
        """The likeliest files, most probable first; what the text names keeps at least its own probability."""
        found = {touch.path: touch for touch in named_files(text, self.tree)}
        evidence, ranked = self.ranked(text, found)
        likely = probabilities([score for _, score in ranked])
        for (number, _), probability in zip(ranked[:MOST_TOUCHES], likely[:MOST_TOUCHES], strict=True):
            path = self.paths[number]
            if probability >= LEAST and (path not in found or probability > found[path].probability):
                source, why = self._reason(evidence, number)
                found[path] = Touch(path=path, probability=round(probability, 4), source=source, why=why)
        return [touch for touch in sorted(found.values(), key=by_probability) if touch.probability >= LEAST][:MOST_TOUCHES]

    def ranked(self, text: IssueText, named: Mapping[str, Touch]) -> tuple[_Evidence, list[tuple[int, float]]]:
        """The candidates by falling score."""
        evidence = self.evidence(text, named)
        scored = [(number, evidence.score(number, WEIGHTS)) for number in self._candidates(evidence)]
        return evidence, sorted(scored, key=lambda one: (-one[1], one[0]))

    def evidence(self, text: IssueText, named: Mapping[str, Touch]) -> _Evidence:
        """All rungs of the ladder for one issue."""
        evidence = _Evidence()
        query = _query(text)
        self._by_likeness(query, evidence)
        self._by_messages(query, evidence)
        for path, touch in named.items():
            if path in self._numbers:
                evidence.amounts["named"][self._numbers[path]] = touch.probability
        for name in names_in(_words_of(text)):
            definers = self._contents.definitions.get(name, ())
            for number in definers if len(definers) <= 8 else ():
                evidence.amounts["symbol"][number] += 1 / len(definers)
        for number, share in self._in_scope(text.title):
            evidence.amounts["scope"][number] = max(share, evidence.amounts["scope"][number])
        evidence.amounts["often"] = self._often
        self._around_seeds(evidence)
        evidence.amounts["lately"] = self._lately
        evidence.amounts |= self._roles.wanted_by(text.title)
        return evidence

    def _by_likeness(self, query: Mapping[str, float], evidence: _Evidence) -> None:
        for kind, postings in (("content", self._by_content), ("path", self._by_path)):
            scores, best = postings.scores(query)
            top = max(scores.values(), default=0.0) or 1.0
            evidence.amounts[kind] = {number: score / top for number, score in scores.items()}
            if kind == "path":
                evidence.amounts["path_share"] = {number: score / best for number, score in scores.items()}
        scores, best = self._habits.said.scores(query)
        evidence.amounts["said_share"] = {number: score / best for number, score in scores.items()}

    def _by_messages(self, query: dict[str, float], evidence: _Evidence) -> None:
        """The files of the commits whose messages are nearest."""
        near, best = self._habits.nearest(query, _COMMITS)
        reached, share = evidence.amounts["message"], evidence.amounts["message_share"]
        for score, age in near:
            breadth = self._habits.breadth[age]
            likeness = (score / near[0][0]) ** 2 * 0.5 ** (age / 1000) / breadth
            for number in self._habits.files[age]:
                reached[number] += likeness
                if score / best / sqrt(breadth) > share[number]:
                    share[number] = score / best / sqrt(breadth)
                    evidence.commit_of[number] = age
        top = max(reached.values(), default=1.0)
        evidence.amounts["message"] = {number: value / top for number, value in reached.items()}

    def _around_seeds(self, evidence: _Evidence) -> None:
        """What changes with, is imported by, imports, or tests the files that look likeliest so far."""
        first = {number: evidence.score(number, _FIRST_LOOK) for number in self._first_candidates(evidence)}
        seeds = _largest(first, _SEEDS)
        if not seeds:
            return
        strongest = first[seeds[0]]
        parts = {seed: exp(3 * (first[seed] - strongest)) for seed in seeds}
        whole = sum(parts.values())
        for seed, part in parts.items():
            for kind, other, strength in self._beside(seed):
                amount = strength * part / whole
                evidence.amounts[kind][other] += amount
                if (kind, other) not in evidence.seed_of or amount > evidence.seed_of[kind, other][0]:
                    evidence.seed_of[kind, other] = (amount, seed)

    def _beside(self, seed: int) -> Iterator[tuple[str, int, float]]:
        changes = self._habits.changes[seed] + 1000
        for other, times in self._habits.together.get(seed, {}).items():
            yield "together", other, times / changes
        for other in self._roles.pairs_of(seed):
            yield "pair", other, 1.0
        neighbours = self._imported_by[seed] | self._imports[seed]
        for other in neighbours:
            yield "imports", other, 1 / sqrt(len(neighbours))

    def _first_candidates(self, evidence: _Evidence) -> set[int]:
        found = set(self._busy)
        for kind in ("content", "path", "message", "said_share"):
            found.update(_largest(evidence.amounts[kind], _CANDIDATES))
        for kind in ("named", "symbol", "scope"):
            found.update(_largest(evidence.amounts[kind], 5 * _CANDIDATES))
        return found

    def _candidates(self, evidence: _Evidence) -> list[int]:
        found = self._first_candidates(evidence)
        for kind in ("together", "pair", "imports"):
            found.update(_largest(evidence.amounts[kind], _CANDIDATES))
        return [number for number in sorted(found) if not is_regenerated(self.paths[number])]

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

    def _places_by_word(self) -> dict[str, set[int]]:
        """Files by each folder above them and by their own names, for `fix(router):`."""
        places: defaultdict[str, set[int]] = defaultdict(set)
        for number, path in enumerate(self.paths):
            for folder in folders_of(path.lower()):
                places[folder.rpartition("/")[2]].add(number)
            places[stem_of(path)].add(number)
        return places

    def _in_scope(self, title: str) -> Iterator[tuple[int, float]]:
        if found := _SCOPE.match(title.lower()):
            for word in re.split(r"[,/ ]+", found[1] or found[2]):
                files = self._places.get(word, set())
                for number in files:
                    yield number, 1.0 if len(files) <= _FEW else _FEW / len(files) + 0.3

    def _reason(self, evidence: _Evidence, number: int) -> tuple[str, str]:
        """The kind of evidence that says most for this file, and what it says."""
        parts = {kind: weight * evidence.amounts[kind].get(number, 0.0) for kind, weight in WEIGHTS.items() if kind in evidence.amounts}
        said = {kind: parts.get(kind, 0.0) + parts.get(f"{kind}_share", 0.0) for kind in _REASONS}
        kind = max(sorted(said), key=lambda one: said[one])
        source, why = _REASONS[kind]
        _, seed = evidence.seed_of.get((kind, number), (0.0, number))
        commit = self._habits.ids[evidence.commit_of[number]] if number in evidence.commit_of else ""
        return source, why.format(seed=self.paths[seed], commit=commit)


# By kind of evidence: its rung of the ladder, and its reason.
_REASONS = {
    "named": ("named", "the text names it"),
    "scope": ("title scope", "the title's scope is a folder or file of that name"),
    "symbol": ("symbol", "defines a name that the text uses"),
    "imports": ("imports", "imports {seed}, or is imported by it"),
    "pair": ("test pair", "belongs to {seed} as test or source"),
    "together": ("co-change", "often changes together with {seed}"),
    "message": ("history", "commit {commit} changed it under similar words"),
    "said": ("history", "the messages of its changes are in the words of the text"),
    "often": ("history", "changes often"),
    "lately": ("history", "changed lately"),
    "path": ("similar text", "its path is in the words of the text"),
    "content": ("similar text", "its content is in the words of the text"),
    "tests_wanted": ("kind of task", "a test, and the title asks for tests"),
    "docs_wanted": ("kind of task", "documentation, and the title asks for it"),
    "ci_wanted": ("kind of task", "a workflow, and the title is about one"),
    "configuration_wanted": ("kind of task", "configuration, and the title is about versions"),
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


def _largest(amounts: Mapping[int, float], most: int) -> Sequence[int]:
    return nsmallest(most, (number for number, value in amounts.items() if value > 0), key=lambda number: (-amounts[number], number))
