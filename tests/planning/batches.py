"""Issues and the shared fixture, as tests write them."""

import json
from pathlib import Path
from typing import Any

from app.planning.tree import Tree
from shared.github import issue_hash
from shared.models import Edge, IssueSnapshot, Plan

FREE_TEXT_ISSUES = Path(__file__).parent / "data" / "free_text_issues.json"


def issue(
    number: int, body: str = "", *, title: str = "Something", labels: tuple[str, ...] = (), blocked_by: tuple[int, ...] = ()
) -> IssueSnapshot:
    """An approved issue."""
    return IssueSnapshot(number=number, title=title, body=body, labels=labels, hash=issue_hash(title, body), blocked_by=blocked_by)


def tree(*paths: str) -> Tree:
    """A tree of these files."""
    return Tree(tuple(sorted(paths)))


def free_text_batch() -> tuple[list[IssueSnapshot], Tree]:
    """The six ordinary issues and their tree."""
    data: dict[str, Any] = json.loads(FREE_TEXT_ISSUES.read_text())
    issues = [issue(one["number"], one["body"], title=one["title"], labels=tuple(one["labels"])) for one in data["issues"]]
    return issues, tree(*data["tree"])


def dependencies(plan: Plan) -> list[tuple[int | None, int | None]]:
    """(before, after) of each dependency."""
    return [(edge.before, edge.after) for edge in plan.edges if edge.kind == "dependency"]


def conflicts(plan: Plan, least: float = 0.5) -> list[tuple[int, int]]:
    """Pairs that conflict with at least this probability."""
    return [edge.between for edge in plan.edges if edge.between and edge.probability >= least]


def edge_between(plan: Plan, one: int, other: int) -> Edge | None:
    """The conflict of two issues."""
    return next((edge for edge in plan.edges if edge.between == (one, other)), None)
