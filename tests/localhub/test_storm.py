"""Bad weather on the embedded GitHub: each way to fail is what a client of it really sees."""

import time

import httpx
import pytest

from tests.localhub.conftest import Project


def _client(project: Project) -> httpx.Client:
    """A program that is not spared."""
    headers = {"Authorization": f"token {project.maintainer.token}", "User-Agent": "somebody", "Connection": "close"}
    return httpx.Client(base_url=project.hub.api_url, headers=headers, trust_env=False, timeout=20)


@pytest.mark.parametrize(
    ("way", "happens"), [("before", False), ("after", True), ("reset", False), ("reset_after", True), ("truncated", True)]
)
def test_a_failure_hides_whether_it_took_effect(project: Project, way: str, *, happens: bool) -> None:
    """502 or no answer at all, and only a look tells."""
    project.hub.weather(1, 1, way)
    with _client(project) as client:
        try:
            answer = client.post(f"{project.path}/issues", json={"title": "One"})
        except httpx.TransportError:
            assert way in {"reset", "reset_after", "truncated"}
        else:
            assert (way, answer.status_code) in {("before", 502), ("after", 502)}
    project.hub.weather(0, 1)
    assert len(project.maintainer.get(f"{project.path}/issues")) == int(happens)


def test_limits_say_how_long(project: Project) -> None:
    """By the end of the hour's budget, or by a wait."""
    with _client(project) as client:
        project.hub.weather(1, 1, "rate_limit")
        primary = client.get(project.path)
        project.hub.weather(1, 1, "secondary")
        secondary = client.get(project.path)
    assert (primary.status_code, primary.headers["x-ratelimit-remaining"]) == (403, "0")
    assert (secondary.status_code, secondary.headers["retry-after"]) == (403, "1")


def test_a_limit_of_graphql_comes_inside_a_200_and_nowhere_else(project: Project) -> None:
    """By REST there is no such answer."""
    project.hub.weather(1, 1, "inside_200")
    with _client(project) as client:
        assert client.get(project.path).status_code == 200
        answer = client.post(f"{project.hub.url}/api/graphql", json={"query": "{ rateLimit { cost } }"})
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (200, "RATE_LIMITED")
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert project.hub.struck() == {"inside_200": 1}


def test_a_slow_answer_comes_whole(project: Project) -> None:
    """In pieces, seconds apart."""
    project.hub.weather(1, 1, "slow")
    begun = time.monotonic()
    with _client(project) as client:
        assert client.get(project.path).json()["full_name"] == project.name
    assert time.monotonic() - begun > 1
    assert project.hub.struck() == {"slow": 1}


def test_the_same_seed_is_the_same_weather(project: Project) -> None:
    """So that a story that failed can be told again."""
    found = []
    for _ in range(2):
        project.hub.weather(0.3, 7, "before")
        with _client(project) as client:
            found.append([client.get(project.path).status_code for _ in range(20)])
    assert found[0] == found[1]
    assert set(found[0]) == {200, 502}
