"""`shoal bench calls`: what it counts, and that the rehearsal keeps its budget."""

from pathlib import Path

import pytest

from app.commands.bench_calls import figures
from tests.commands.shoal import shoal

PROJECT = Path(__file__).parents[2]
# REST requests per task that ends well, app and runner together.
BUDGET = 10


def test_only_the_apps_and_the_runners_requests_count() -> None:
    """The maintainer's are left out, git's own too; a refused token's owner is known by the program that showed it."""
    api = "/api/v3/repos/o/n"
    log: list[dict[str, str | None]] = [
        {"method": "GET", "path": f"{api}/issues/1", "actor": "shoal[bot]", "agent": "shoal"},
        {"method": "GET", "path": f"{api}/issues/2", "actor": "shoal[bot]", "agent": "shoal"},
        {"method": "POST", "path": "/api/graphql", "actor": "shoal[bot]", "agent": "shoal-runner"},
        {"method": "DELETE", "path": "/api/v3/installation/token", "actor": None, "agent": "python-httpx/0.28"},
        {"method": "POST", "path": f"{api}/issues/1/labels", "actor": "mona", "agent": "curl"},
        {"method": "GET", "path": "/o/n.git/info/refs", "actor": "shoal[bot]"},
    ]
    found = figures(log, tasks=3, ended_well=2)
    assert [(one["who"], one["kind"], one["route"], one["requests"]) for one in found["routes"]] == [
        ("app", "read", "GET /repos/{owner}/{repo}/issues/{id}", 2),
        ("runner", "read", "POST /graphql", 1),
        ("runner", "token", "DELETE /installation/token", 1),
    ]
    assert (found["rest"], found["graphql"]) == (1.5, 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["local", "actions"])
def test_the_rehearsal_is_counted(backend: str) -> None:
    """Seven of eight end with a pull request, each with the requests that nothing can replace, and within the budget of ten.

    Every route is in the operator's table: a new one is a new cost, and has to be told.
    """
    found = shoal("bench", "calls", "--backend", backend, "--json").document["calls"]
    assert (found["tasks"], found["ended_well"]) == (8, 7)
    opened = next(one for one in found["routes"] if one["route"] == "POST /repos/{owner}/{repo}/pulls")
    assert (opened["who"], opened["requests"]) == ("runner", 7)
    assert found["rest"] <= BUDGET, found["routes"]
    table = (PROJECT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [one for one in found["routes"] if f"| {one['who']} | `{one['route']}` |" not in table] == []
