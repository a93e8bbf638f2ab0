"""BM25: how well documents answer a query, by the rarity of the words that they share."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log

_MOST_TERMS = 40
_MOST_POSTINGS = 1_200  # per query; rare words come first, so what is left out says little


class Postings:
    """Documents by the words in them, or by those of them that will be asked for.

    `lengths` of documents from which words were left out already: of the whole ones.
    """

    def __init__(
        self,
        documents: Sequence[Mapping[str, float]],
        asked: frozenset[str] | None = None,
        *,
        lengths: Sequence[float] | None = None,
        saturation: float = 1.2,
        evenness: float,
    ) -> None:
        self.count = len(documents)
        self.top = saturation + 1  # how much of a word's rarity a document full of it gets
        self._of: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._rarities: dict[str, float] = {}
        if lengths is None:
            lengths = [sum(document.values()) for document in documents]
        mean = sum(lengths) / self.count if self.count else 1.0
        for number, document in enumerate(documents):
            norm = saturation * (1 - evenness + evenness * lengths[number] / (mean or 1.0))
            for term in document if asked is None else filter(asked.__contains__, document):
                times = document[term]
                self._of[term].append((number, times * self.top / (times + norm)))

    @classmethod
    def of_sets(cls, words: Mapping[str, Sequence[int]], sizes: Sequence[int], *, evenness: float) -> "Postings":
        """Documents of which only the distinct words are known, and how many each has."""
        postings = cls((), evenness=evenness)
        postings.count = len(sizes)
        mean = (sum(sizes) / len(sizes) if sizes else 1.0) or 1.0
        weights = [postings.top / (1 + 1.2 * (1 - evenness + evenness * size / mean)) for size in sizes]
        for term, numbers in words.items():
            postings._of[term] = [(number, weights[number]) for number in numbers]
        return postings

    def rarity(self, term: str) -> float:
        """The inverse document frequency."""
        if (known := self._rarities.get(term)) is None:
            found = len(self._of.get(term, ()))
            known = self._rarities[term] = log(1 + (self.count - found + 0.5) / (found + 0.5))
        return known

    def scores(self, query: Mapping[str, float]) -> tuple[dict[int, float], float]:
        """Score by document, for those with a word of the query; and what a perfect answer would have."""
        weighted = sorted((-weight * self.rarity(term), term) for term, weight in query.items())
        scores: dict[int, float] = {}
        known = scores.get
        best, room = 0.0, _MOST_POSTINGS
        for less, term in weighted[:_MOST_TERMS]:
            weight = -less
            best += weight * self.top
            postings = self._of.get(term, ())
            room -= len(postings)
            if room >= 0:
                for number, fit in postings:
                    scores[number] = known(number, 0.0) + weight * fit
        return scores, best


def largest(amounts: Mapping[int, float], most: int) -> list[int]:
    """The keys of the largest amounts above 0, the largest first; of equals the smaller key."""
    least = sorted(amounts.values())[-most] if len(amounts) > most else 0.0
    found = [(-value, number) for number, value in amounts.items() if value >= least and value > 0]
    found.sort()
    return [number for _, number in found[:most]]
