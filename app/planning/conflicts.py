"""Which tasks will probably change the same place, from the files that each will probably touch.

With p_i the probability that task i touches a file, and m how likely two changes of it collide (1 for ordinary files, 0.2 for
lock files and changelogs, which are regenerated or appended to, 0.3 for indexes of documentation), P(conflict) is the larger of
- 1 - product over shared files of (1 - p_i * p_j * m): both name the place;
- c(likeness) * min(1, sum p_i) * min(1, sum p_j): likeness is the cosine of the two lists of probabilities, and c says how often
  two changes of such lists shared a file in real histories (app/planning/model.py). It sees what many weak hints say together;
  the sums keep it small where hardly anything is known.
From 0.5 on a conflict counts: the two do not run at the same time, whether the plan lists the pair or not. Listed are, from 0.05
on, the ten likeliest of each task. Of a file named by hundreds of tasks only the 60 likeliest partners of each are paired, so that
the work stays linear.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import fsum, sqrt

from app.planning.model import conflict_probability
from app.planning.tree import name_of
from shared.models import Edge, Touch

THRESHOLD = 0.5
_LISTED_FROM = 0.05
_LISTED_PER_TASK = 10
_PARTNERS_PER_FILE = 60
_LEAST_PRODUCT = 0.004
_TELLING = 0.05  # a file that is worth a word in the reason

_Shared = tuple[float, str, str]  # p_i * p_j * m, the file, the rung of the stronger evidence

_REGENERATED = re.compile(
    r"(?:.*\.lock|.*[-.]lock\.(?:json|yaml|yml|hcl)|go\.sum|npm-shrinkwrap\.json|(?:changelog|changes|news|history|release[-_]?notes)(?:\.[a-z]+)?)"
)
_DOCS_INDEX = re.compile(
    r"(?:.*/)?(?:docs?|documentation)/(?:[^/]*/)*(?:index|summary|_sidebar|toc)\.[a-z]+|(?:.*/)?(?:mkdocs\.ya?ml|summary\.md)"
)


def mergeability(path: str) -> float:
    """m(file): the probability that two changes of this file collide."""
    if _REGENERATED.fullmatch(name_of(path).lower()):
        return 0.2
    return 0.3 if _DOCS_INDEX.fullmatch(path.lower()) else 1.0


@lru_cache(maxsize=50_000)
def is_regenerated(path: str) -> bool:
    """A lock file or a changelog: it changes with everything."""
    return _REGENERATED.fullmatch(name_of(path).lower()) is not None


def conflict_edges(touches: Mapping[int, Sequence[Touch]], are_ordered: Callable[[int, int], bool]) -> list[Edge]:
    """The conflicts that a plan lists, by number; none between tasks that a dependency orders anyway."""
    shared = _shared_files(touches)
    probability = {pair: one for pair, one in _probabilities(touches, shared).items() if not are_ordered(*pair)}
    return [_edge(pair, probability[pair], shared[pair]) for pair in sorted(_listed(probability))]


def conflict_probabilities(touches: Mapping[int, Sequence[Touch]]) -> dict[tuple[int, int], float]:
    """P(conflict) of all pairs that share a probable file."""
    return _probabilities(touches, _shared_files(touches))


def counting_conflicts(touches: Mapping[int, Sequence[Touch]]) -> dict[int, frozenset[int]]:
    """For each task all those that must not run beside it, also the ones that no list has room for."""
    partners: dict[int, set[int]] = {issue: set() for issue in touches}
    for (issue, other), probability in conflict_probabilities(touches).items():
        if probability >= THRESHOLD:
            partners[issue].add(other)
            partners[other].add(issue)
    return {issue: frozenset(others) for issue, others in partners.items()}


def _shared_files(touches: Mapping[int, Sequence[Touch]]) -> dict[tuple[int, int], list[_Shared]]:
    """For each pair the files that both may touch, with p_i * p_j * m; from an index by file, never all pairs of tasks."""
    holders: defaultdict[str, list[tuple[float, int, str]]] = defaultdict(list)
    for issue, files in touches.items():
        for touch in files:
            holders[touch.path].append((-touch.probability, issue, touch.source))
    shared: defaultdict[tuple[int, int], list[_Shared]] = defaultdict(list)
    for path, unsorted_ones in sorted(holders.items()):
        ones = sorted(unsorted_ones)
        weight = mergeability(path)
        for index, (first, issue, source) in enumerate(ones):
            for second, other, _ in ones[index + 1 : index + 1 + _PARTNERS_PER_FILE]:
                product = first * second * weight
                if product < _LEAST_PRODUCT:
                    break
                shared[min(issue, other), max(issue, other)].append((product, path, source))
    return shared


def likenesses(touches: Mapping[int, Sequence[Touch]]) -> dict[tuple[int, int], float]:
    """The cosine of the lists of all pairs that share a probable file."""
    return _likenesses(touches, _shared_files(touches))


def _likenesses(
    touches: Mapping[int, Sequence[Touch]], shared: Mapping[tuple[int, int], Sequence[_Shared]]
) -> dict[tuple[int, int], float]:
    length = {issue: sqrt(fsum(touch.probability**2 for touch in files)) for issue, files in touches.items()}
    return {pair: sum(product for product, _, _ in files) / (length[pair[0]] * length[pair[1]]) for pair, files in shared.items()}


def _probabilities(
    touches: Mapping[int, Sequence[Touch]], shared: Mapping[tuple[int, int], Sequence[_Shared]]
) -> dict[tuple[int, int], float]:
    known = {issue: min(1.0, fsum(touch.probability for touch in files)) for issue, files in touches.items()}
    alike = _likenesses(touches, shared)
    return {pair: _probability(files, alike[pair], known[pair[0]] * known[pair[1]]) for pair, files in shared.items()}


def _probability(files: Sequence[_Shared], likeness: float, known: float) -> float:
    neither = 1.0
    for product, _, _ in files:
        neither *= 1 - product
    return round(max(1 - neither, conflict_probability(likeness) * known), 4)


def _listed(probability: Mapping[tuple[int, int], float]) -> set[tuple[int, int]]:
    listed: set[tuple[int, int]] = set()
    room: defaultdict[int, int] = defaultdict(lambda: _LISTED_PER_TASK)
    for _, pair in sorted((-value, pair) for pair, value in probability.items() if value >= _LISTED_FROM):
        if all(room[issue] > 0 for issue in pair):
            listed.add(pair)
            for issue in pair:
                room[issue] -= 1
    return listed


def _edge(pair: tuple[int, int], probability: float, products: Sequence[_Shared]) -> Edge:
    likeliest = sorted(products, key=lambda one: (-one[0], one[1]))
    others = sum(product >= _TELLING for product, _, _ in likeliest[1:])
    more = f" and {others} more" if others else ""
    verb = "are likely to" if probability >= THRESHOLD else "may"
    why = f"#{pair[0]} and #{pair[1]} {verb} change {likeliest[0][1]}{more}"
    return Edge(kind="conflict", between=pair, probability=probability, evidence=likeliest[0][2], why=why)
