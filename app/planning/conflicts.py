"""Which tasks will probably change the same place, from the files that each will probably touch.

With p_i the probability that task i touches a file, m how likely two changes of it collide (1 for ordinary files, 0.2 for
lock files and changelogs, which are regenerated or appended to, 0.3 for indexes of documentation), and s_i, from 0 to 1, how much
of that its text itself says, P(conflict) is s_i * s_j times the larger of
- 1 - product over shared files of (1 - p_i * p_j * m): both name the place;
- c(likeness) * min(1, sum p_i) * min(1, sum p_j): likeness is the cosine of the two lists of probabilities, and c says how often
  two changes of such lists shared a file in real histories (app/planning/model.py). It sees what many weak hints say together;
  the sums keep it small where hardly anything is known.
What any text at all would be expected to change, because it changes often, is shared by all issues of a repository: two lists of
nothing else are alike and say nothing. So it gives a pair the first of the two, at most 0.4, and never counts.

From 0.5 on a conflict counts: the two do not run at the same time, whether the plan lists the pair or not; none is left out.
Listed are, from 0.05 on, the ten likeliest of each task; of a file named by hundreds only the 60 nearest partners of each are
looked at for that.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, sqrt

from app.planning.model import LIKENESS, LIKENESS_AT_0, SAID_ENOUGH, conflict_probability
from app.planning.tree import name_of
from shared.models import Edge, Touch

THRESHOLD = 0.5
_LISTED_FROM = 0.05
_LISTED_PER_TASK = 10
_NEAREST_PER_FILE = 60
_LEAST_PRODUCT = 0.004  # of a shared file that is looked at
_TELLING = 0.05  # a file that is worth a word in the reason
_LIKELY = 0.5  # a file that is likely to change, rather than one that may
_UNSAID = 0.4  # the most that two can have of which the texts say nothing
_ROUNDED = 4
# Below these no two can count: probabilities are rounded, so a little lower than the threshold.
_LEAST_COUNTING = THRESHOLD - 10.0**-_ROUNDED
_LEAST_LIKENESS = -LIKENESS_AT_0 / LIKENESS - 1e-3

_Pair = tuple[int, int]

_REGENERATED = re.compile(
    r"(?:.*\.lock|.*[-.]lock\.(?:json|yaml|yml|hcl)|go\.sum|npm-shrinkwrap\.json|(?:changelog|changes|news|history|release[-_]?notes)(?:\.[a-z]+)?)"
)
_DOCS_INDEX = re.compile(
    r"(?:.*/)?(?:docs?|documentation)/(?:[^/]*/)*(?:index|summary|_sidebar|toc)\.[a-z]+|(?:.*/)?(?:mkdocs\.ya?ml|summary\.md)"
)


@lru_cache(maxsize=50_000)
def mergeability(path: str) -> float:
    """m(file): the probability that two changes of this file collide."""
    if _REGENERATED.fullmatch(name_of(path).lower()):
        return 0.2
    return 0.3 if _DOCS_INDEX.fullmatch(path.lower()) else 1.0


@lru_cache(maxsize=50_000)
def is_regenerated(path: str) -> bool:
    """A lock file or a changelog: it changes with everything."""
    return _REGENERATED.fullmatch(name_of(path).lower()) is not None


@dataclass(frozen=True, slots=True)
class _Task:
    """Of one task what conflicts are made of: its files, the same with m, and how much is known and said of them."""

    files: Mapping[str, float]
    colliding: Mapping[str, float]
    length: float
    known: float
    said: float


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Those that a plan lists, and for each task all those that must not run beside it."""

    edges: tuple[Edge, ...]
    counting: Mapping[int, frozenset[int]]


def find_conflicts(touches: Mapping[int, Sequence[Touch]], are_ordered: Callable[[int, int], bool]) -> Conflicts:
    """Both, by number; listed is none between tasks that a dependency orders anyway."""
    tasks = _tasks(touches)
    probability = {(one, other): _probability(tasks[one], tasks[other]) for one, other in _near(tasks)}
    listed = sorted(_listed({pair: one for pair, one in probability.items() if not are_ordered(*pair)}))
    by_path = {issue: {touch.path: touch for touch in touches[issue]} for issue in set().union(*listed)}
    edges = (_edge(pair, probability[pair], by_path[pair[0]], by_path[pair[1]]) for pair in listed)
    return Conflicts(tuple(edges), _counting(touches, tasks))


def conflict_probabilities(touches: Mapping[int, Sequence[Touch]]) -> dict[_Pair, float]:
    """P(conflict) of the pairs that a list may name: those that share a probable file."""
    tasks = _tasks(touches)
    return {(one, other): _probability(tasks[one], tasks[other]) for one, other in _near(tasks)}


def counting_conflicts(touches: Mapping[int, Sequence[Touch]]) -> dict[int, frozenset[int]]:
    """For each task all those that must not run beside it, also the ones that no list has room for."""
    return _counting(touches, _tasks(touches))


def _counting(issues: Iterable[int], tasks: Mapping[int, _Task]) -> dict[int, frozenset[int]]:
    partners: dict[int, set[int]] = {issue: set() for issue in issues}
    telling = {issue: task for issue, task in tasks.items() if task.said >= _LEAST_COUNTING}
    holders = _holders(telling)
    for path, some in holders.items():
        _join_certain(path, some, telling, partners)
    looked_at: dict[int, set[int]] = {issue: set() for issue in telling}
    for together in _rarest_in_common(telling, holders):
        for place, issue in enumerate(together):
            others = set(together[place + 1 :]) - partners[issue] - looked_at[issue]
            looked_at[issue] |= others
            for other in others:
                if _probability(tasks[issue], tasks[other]) >= THRESHOLD:
                    partners[issue].add(other)
                    partners[other].add(issue)
    return {issue: frozenset(others) for issue, others in partners.items()}


def likenesses(touches: Mapping[int, Sequence[Touch]]) -> dict[_Pair, float]:
    """The cosine of the lists of all pairs that share a probable file."""
    tasks = _tasks(touches)
    return {(one, other): _shared(tasks[one], tasks[other])[1] for one, other in _near(tasks)}


def _tasks(touches: Mapping[int, Sequence[Touch]]) -> dict[int, _Task]:
    return {issue: _task(files) for issue, files in sorted(touches.items()) if files}


def _task(touches: Sequence[Touch]) -> _Task:
    files = {touch.path: touch.probability for touch in touches}
    said = fsum(touch.probability if touch.said is None else touch.said for touch in touches)
    return _Task(
        files=files,
        colliding={path: probability * mergeability(path) for path, probability in files.items()},
        length=sqrt(fsum(probability**2 for probability in files.values())) or 1.0,
        known=min(1.0, fsum(files.values())),
        said=min(1.0, said / SAID_ENOUGH),
    )


def _probability(one: _Task, other: _Task) -> float:
    both_name_it, likeness = _shared(one, other)
    alike = conflict_probability(likeness) * one.known * other.known
    return round(max(one.said * other.said * max(both_name_it, alike), min(_UNSAID, both_name_it)), _ROUNDED)


def _shared(one: _Task, other: _Task) -> tuple[float, float]:
    """The probability that both change one of their files, and the likeness of the lists."""
    neither, products = 1.0, 0.0
    theirs = other.files
    for path, colliding in one.colliding.items():
        if path in theirs and (product := colliding * theirs[path]) >= _LEAST_PRODUCT:
            neither *= 1 - product
            products += product
    return 1 - neither, products / (one.length * other.length)


def _near(tasks: Mapping[int, _Task]) -> list[_Pair]:
    """Pairs that share a file which both may well touch; from an index by file, never all pairs of tasks."""
    pairs: set[_Pair] = set()
    for path, holders in _holders(tasks).items():
        some = sorted((-tasks[issue].files[path], issue) for issue in holders)
        weight = mergeability(path)
        for index, (first, issue) in enumerate(some):
            for second, other in some[index + 1 : index + 1 + _NEAREST_PER_FILE]:
                if first * second * weight < _LEAST_PRODUCT:
                    break
                pairs.add((issue, other) if issue < other else (other, issue))
    return sorted(pairs)


def _holders(tasks: Mapping[int, _Task]) -> dict[str, list[int]]:
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for issue, task in tasks.items():
        for path in task.files:
            holders[path].append(issue)
    return holders


def _join_certain(path: str, holders: Sequence[int], tasks: Mapping[int, _Task], partners: Mapping[int, set[int]]) -> None:
    """Those that count for this one file already, as the many that name it: found without a look at each pair."""
    strength = {issue: tasks[issue].files[path] * tasks[issue].said for issue in holders}
    by_strength = sorted(holders, key=lambda issue: -strength[issue])
    falling = [-strength[issue] for issue in by_strength]
    weight = mergeability(path)
    for issue in by_strength:
        last = bisect_right(falling, -THRESHOLD / (strength[issue] * weight)) if strength[issue] > 0 else 0
        if last == 0:
            return
        partners[issue].update(by_strength[:last])
        partners[issue].discard(issue)


def _rarest_in_common(tasks: Mapping[int, _Task], holders: Mapping[str, Sequence[int]]) -> list[list[int]]:
    """By file the tasks among which every pair is that may count and has this file as the rarest of those that it shares.

    What a task has in common files only, so few or so improbable that no pair could count by them alone, is left out: a pair
    that counts shares a rarer one. So files that all tasks may touch do not make every two of them worth a look.
    """
    held = {path: len(issues) for path, issues in holders.items()}
    found: defaultdict[str, list[int]] = defaultdict(list)
    for issue, task in tasks.items():
        by_rarity = sorted(task.files, key=lambda path: (held[path], path))
        for path in by_rarity[: _needed(task, by_rarity)]:
            found[path].append(issue)
    return [issues for _, issues in sorted(found.items()) if len(issues) > 1]


def _needed(task: _Task, by_rarity: Sequence[str]) -> int:
    """How many of its files, the rarest first, a pair that counts must share one of."""
    neither, square = 1.0, 0.0
    most = (_LEAST_LIKENESS * task.length) ** 2
    for count in range(len(by_rarity), 0, -1):
        colliding = task.colliding[by_rarity[count - 1]]
        neither *= 1 - colliding
        square += colliding**2
        if 1 - neither >= _LEAST_COUNTING or square >= most:
            return count
    return 0


def _listed(probability: Mapping[tuple[int, int], float]) -> set[tuple[int, int]]:
    listed: set[tuple[int, int]] = set()
    room: defaultdict[int, int] = defaultdict(lambda: _LISTED_PER_TASK)
    for _, pair in sorted((-value, pair) for pair, value in probability.items() if value >= _LISTED_FROM):
        if all(room[issue] > 0 for issue in pair):
            listed.add(pair)
            for issue in pair:
                room[issue] -= 1
    return listed


def _edge(pair: _Pair, probability: float, one: Mapping[str, Touch], other: Mapping[str, Touch]) -> Edge:
    """With the likeliest file as its reason: of the two tasks the rung of the stronger evidence."""
    products = {
        path: touch.probability * other[path].probability * mergeability(path) for path, touch in one.items() if path in other
    }
    likeliest, *others = sorted(products, key=lambda path: (-products[path], path))
    both = sorted((one[likeliest], other[likeliest]), key=lambda touch: -touch.probability)
    telling = sum(products[path] >= _TELLING for path in others)
    more = f" and {telling} more" if telling else ""
    verb = "are likely to change" if both[1].probability >= _LIKELY else "may both change"
    why = f"#{pair[0]} and #{pair[1]} {verb} {likeliest}{more}"
    return Edge(kind="conflict", between=pair, probability=probability, evidence=both[0].source, why=why)
