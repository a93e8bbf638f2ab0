"""What is counted of the requests to GitHub: by route and purpose, and for whom."""

import pytest

from app.github.usage import Counts, Exchange, Usage, kind, on_behalf_of, route
from app.metrics import Metrics
from tests.github.conftest import REPOSITORY, Home

_SHA = "c" * 40


@pytest.mark.parametrize(
    ("method", "path", "named", "purpose"),
    [
        ("GET", "repos/o/n", "/repos/{owner}/{repo}", "read"),
        ("GET", "repos/o/n/issues/12/events", "/repos/{owner}/{repo}/issues/{id}/events", "read"),
        ("PATCH", "repos/o/n/check-runs/9", "/repos/{owner}/{repo}/check-runs/{id}", "write"),
        ("GET", f"repos/o/n/commits/{_SHA}/check-runs", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "read"),
        ("GET", "repos/o/n/git/matching-refs/heads/shoal/1-x", "/repos/{owner}/{repo}/git/matching-refs/{ref}", "read"),
        ("GET", "repos/o/n/collaborators/mona/permission", "/repos/{owner}/{repo}/collaborators/{username}/permission", "read"),
        ("GET", "orgs/acme/actions/runner-groups/7/runners", "/orgs/{org}/actions/runner-groups/{id}/runners", "read"),
        ("GET", "users/shoal[bot]", "/users/{name}", "read"),
        ("POST", "app/installations/5/access_tokens", "/app/installations/{id}/access_tokens", "token"),
        ("DELETE", "installation/token", "/installation/token", "token"),
        ("POST", "graphql", "/graphql", "read"),
    ],
)
def test_a_route_holds_no_values(method: str, path: str, named: str, purpose: str) -> None:
    """Names, numbers and commits of people's repositories do not become labels of a metric."""
    assert (route(path), kind(method, path)) == (named, purpose)


def _usage() -> Usage:
    return Usage(*Metrics().github)


async def test_every_request_is_counted_with_its_answer(home: Home) -> None:
    """Also the one that was refused, and each try of one that was repeated."""
    usage = _usage()
    home.hub.fault(f"/repos/{REPOSITORY}$", 502)
    async with home.open_app(meter=usage) as github:
        client = github.repository(REPOSITORY, home.id, home.installation)
        with on_behalf_of(home.id):
            await client.about()
        usage.follow("1-1", home.id)
    got = usage.calls
    assert got.labels("read", "GET /repos/{owner}/{repo}", "502")._value.get() == 1
    assert got.labels("read", "GET /repos/{owner}/{repo}", "200")._value.get() == 1
    assert got.labels("token", "POST /app/installations/{id}/access_tokens", "201")._value.get() == 1
    assert usage.of("1-1") == Counts(rest=3, graphql=0, read=2, write=0, token=1)


async def test_how_long_github_took_and_how_much_was_said_is_recorded(home: Home) -> None:
    """A time for every request, by purpose and way; the bytes of both bodies as they were on the wire."""
    usage = _usage()
    async with home.open_app(meter=usage) as github:
        client = github.repository(REPOSITORY, home.id, home.installation)
        await client.about()
        await client.default_branch()
    families = (*usage.seconds.collect(), *usage.volume.collect())
    counted = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    assert counted["shoal_github_seconds_count", "read", "rest"] >= 1
    assert counted["shoal_github_seconds_count", "read", "graphql"] == 1
    assert counted["shoal_github_seconds_sum", "read", "rest"] > 0
    assert counted["shoal_github_bytes_total", "sent"] > len('{"query": "query($owner: String!, $name: String!)"}')
    assert counted["shoal_github_bytes_total", "received"] > len(REPOSITORY)


def test_an_orchestration_has_what_was_read_to_find_it_and_not_what_came_before() -> None:
    """Each repository has its own tally; an orchestration that nobody followed has no number at all."""
    usage = _usage()
    with on_behalf_of(7):
        usage.sent(Exchange("GET", "repos/o/n/issues/1", "200", 0.1))
        usage.follow("7-1", 7)
        usage.sent(Exchange("POST", "repos/o/n/pulls", "201", 0.1))
        usage.follow("7-1", 7)
        usage.sent(Exchange("POST", "graphql", "200", 0.1))
        usage.follow("7-2", 7)
    with on_behalf_of(8):
        usage.sent(Exchange("GET", "repos/o/other", "200", 0.1))
    assert usage.of("7-1") == Counts(rest=2, graphql=0, read=1, write=1, token=0)
    assert usage.of("7-2") == Counts(rest=0, graphql=1, read=1, write=0, token=0)
    assert usage.of("8-1") is None
