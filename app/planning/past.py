"""The past of a repository as planning sees it: what changed together, under which words, how lately."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p, sqrt

from app.planning.ranking import Postings, largest
from app.planning.words import text_terms

MOST_COMMITS = 2_000
BULK = 40  # a change of more files is a sweep: it says nothing about any of them
_HANDFUL = 5  # nor does one of more than half of the tree, such as its import, but for one of this many files or fewer
_TOGETHER = 20
_MESSAGE_CHARACTERS = 1_500
_DECAY, _OFTEN = 800, 60  # half-lives, in commits


@dataclass(frozen=True)
class Commit:
    """Its abbreviated id, its message and the files that it changed."""

    id: str
    message: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Past:
    """Commits without merges, newest first."""

    commits: tuple[Commit, ...]


NO_PAST = Past(())


class Habits:
    """A past seen from the files of one tree, by their numbers."""

    def __init__(self, past: Past, numbers: Mapping[str, int], asked: frozenset[str] | None = None) -> None:
        most = min(BULK, max(_HANDFUL, len(numbers) // 2))
        commits = [commit for commit in past.commits if len(commit.files) <= most]
        self.ids = [commit.id for commit in commits]
        self.files = [[numbers[path] for path in commit.files if path in numbers] for commit in commits]
        self.breadth = [sqrt(max(1, len(commit.files))) for commit in commits]
        terms = [text_terms(commit.message[:_MESSAGE_CHARACTERS]) for commit in commits]
        self.messages = Postings(terms, asked, evenness=0.5)
        self.often, self.lately = self._frequencies(len(numbers))
        self.said = self._said(terms, len(numbers), asked)
        self.together, self.changes = self._together()

    def _frequencies(self, size: int) -> tuple[list[float], list[float]]:
        """How often a file changed, with a half-life of 60 commits, and how near its last change is."""
        often, lately = [0.0] * size, [0.0] * size
        for age, (files, breadth) in enumerate(zip(self.files, self.breadth, strict=True)):
            weight = 0.5 ** (age / _OFTEN) / breadth
            for number in files:
                often[number] += weight
                lately[number] = max(lately[number], 1 / (1 + age / 10))
        return [log1p(value) for value in often], lately

    def _said(self, terms: Sequence[Mapping[str, int]], size: int, asked: frozenset[str] | None) -> Postings:
        """Each file as the text of all messages that changed it."""
        said: list[defaultdict[str, float]] = [defaultdict(float) for _ in range(size)]
        lengths = [0.0] * size
        for age, (files, breadth) in enumerate(zip(self.files, self.breadth, strict=True)):
            weight = 0.5 ** (age / _DECAY) / breadth
            amounts = {term: weight * min(times, 2) for term, times in terms[age].items()}
            length = sum(amounts.values())
            telling = amounts if asked is None else {term: amounts[term] for term in amounts.keys() & asked}
            for number in files:
                lengths[number] += length
                for term, amount in telling.items():
                    said[number][term] += amount
        return Postings(said, lengths=lengths, saturation=1.0, evenness=0.4)

    def _together(self) -> tuple[dict[int, Counter[int]], Counter[int]]:
        together: defaultdict[int, Counter[int]] = defaultdict(Counter)
        changes: Counter[int] = Counter()
        for age, (files, breadth) in enumerate(zip(self.files, self.breadth, strict=True)):
            if breadth * breadth > _TOGETHER + 0.5:
                continue
            weight = round(0.5 ** (age / 500) * 1000)
            for number in files:
                changes[number] += weight
                for other in files:
                    if other != number:
                        together[number][other] += weight
        return together, changes

    def nearest(self, query: Mapping[str, float], most: int) -> tuple[list[tuple[float, int]], float]:
        """The commits whose messages are nearest, and the score of a message that says everything asked."""
        scores, best = self.messages.scores(query)
        return [(scores[age], age) for age in largest(scores, most)], best
