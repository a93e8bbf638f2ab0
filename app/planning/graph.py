"""Questions about who waits for whom: circles, and who is held up by whom."""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

K = TypeVar("K", int, str)


def cycles(after: Mapping[K, Collection[K]]) -> list[list[K]]:
    """Every group of nodes that wait for each other, or one that waits for itself; sorted."""
    return sorted(group for group in _components(after) if len(group) > 1 or group[0] in after[group[0]])


def downstream(after: Mapping[K, Collection[K]], roots: Collection[K]) -> dict[K, list[K]]:
    """Nodes, other than the roots, that wait for a root directly or through others, with the direct causes of each."""
    dependents: dict[K, set[K]] = {}
    for node, before in after.items():
        for earlier in before:
            dependents.setdefault(earlier, set()).add(node)
    held: set[K] = set(roots)
    causes: dict[K, set[K]] = {}
    queue = deque(sorted(roots))
    while queue:
        cause = queue.popleft()
        for node in sorted(dependents.get(cause, ())):
            if node in roots:
                continue
            causes.setdefault(node, set()).add(cause)
            if node not in held:
                held.add(node)
                queue.append(node)
    return {node: sorted(causes[node]) for node in sorted(causes)}


def ordering(after: Mapping[K, Collection[K]]) -> Callable[[K, K], bool]:
    """A question to ask of two nodes: does one wait for the other, directly or not? The graph must have no circle."""
    behind, place = _behind(after)
    return lambda one, other: bool(behind[one] & place[other] or behind[other] & place[one])


def reduced(after: Mapping[K, Collection[K]]) -> dict[K, list[K]]:
    """The predecessors of each node without those that another of them waits for anyway; the graph must have no circle."""
    behind, place = _behind(after)
    inside = _inside(after)
    return {
        node: [one for one in before if not any(behind[other] & place[one] for other in before)] for node, before in inside.items()
    }


def _behind(after: Mapping[K, Collection[K]]) -> tuple[dict[K, int], dict[K, int]]:
    """For each node all that it waits for, as the bits of one integer (thousands of nodes stay small), and each one's bit."""
    inside = _inside(after)
    place = {node: 1 << index for index, node in enumerate(inside)}
    behind: dict[K, int] = {}
    seen: set[K] = set()
    for node in (node for start in inside for node in _postorder(start, inside, seen)):
        behind[node] = 0
        for earlier in inside[node]:
            behind[node] |= behind[earlier] | place[earlier]
    return behind, place


def _components(after: Mapping[K, Collection[K]]) -> list[list[K]]:
    """Strongly connected components (Kosaraju, without recursion: a chain may be thousands long)."""
    inside = _inside(after)
    reverse: dict[K, list[K]] = {node: [] for node in after}
    for node, before in inside.items():
        for earlier in before:
            reverse[earlier].append(node)
    seen: set[K] = set()
    order = [node for start in sorted(after) for node in _postorder(start, inside, seen)]
    seen = set()
    return [sorted(group) for start in reversed(order) if (group := _postorder(start, reverse, seen))]


def _inside(after: Mapping[K, Collection[K]]) -> dict[K, list[K]]:
    return {node: sorted({earlier for earlier in before if earlier in after}) for node, before in after.items()}


def _postorder(start: K, edges: Mapping[K, list[K]], seen: set[K]) -> list[K]:
    if start in seen:
        return []
    seen.add(start)
    order = []
    stack = [(start, iter(edges[start]))]
    while stack:
        node, following = stack[-1]
        step = next((other for other in following if other not in seen), None)
        if step is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(step)
            stack.append((step, iter(edges[step])))
    return order


def circle_text(members: Collection[K]) -> str:
    """Names the members of one circle, the first ten of a long one."""
    names = [f"#{member}" if isinstance(member, int) else str(member) for member in members]
    if len(names) == 1:
        return f"{names[0]} waits for itself"
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"a circle of dependencies: {', '.join(names[:10])}{more} wait for each other"
