"""What a plan says of its cost."""

import pytest

from app.planning.estimate import History, Past
from app.planning.plan import make_plan
from app.report.plan import plan_markdown
from shared.models import Kind
from tests.planning.batches import issue, tree

BATCH = [issue(1, labels=("bug",)), issue(2, labels=("bug",))]


def cost_line(past: tuple[Past, ...], most_usd: float | None) -> str:
    """Of two bugs."""
    plan = make_plan(BATCH, tree("a.py"), slots=2, history=History(past))
    [line] = [line for line in plan_markdown(plan, most_usd).splitlines() if line.startswith("- Cost: ")]
    return line


@pytest.mark.parametrize(("most", "said"), [(30.0, "at most $30.00 by the budget"), (None, "not limited, or nothing is paid for")])
def test_without_records_the_cost_is_not_known_yet(most: float | None, said: str) -> None:
    """Only its limit is, where there is one."""
    assert cost_line((Past(Kind.BUG, 4, 300),), most) == f"- Cost: not known yet; {said}"


@pytest.mark.parametrize(
    ("most", "said"),
    [
        (30.0, "about $2.00 to $2.71 (P50 to P90 of 12 attempts here), at most $30.00 by the budget"),
        (2.5, "about $2.00 to $2.50 (P50 to P90 of 12 attempts here), at most $2.50 by the budget"),
        (None, "about $2.00 to $2.71 (P50 to P90 of 12 attempts here), not limited, or nothing is paid for"),
    ],
)
def test_what_attempts_cost_here_gives_the_range(most: float | None, said: str) -> None:
    """Twelve at $1 each: two tasks cost about $2, the P90 is above that as long as few are known, and never above the budget."""
    assert cost_line((Past(Kind.BUG, 4, 300, cost_usd=1.0),) * 12, most) == f"- Cost: {said}"
