"""Trouble on demand: budgets, refusals and outages, before and after the effect."""

import httpx
import pytest

from tests.localhub.conftest import Project
from tests.support.localhub import check_exchanges


def _title(number: int) -> dict[str, str]:
    return {"title": f"Number {number}"}


def test_the_primary_limit_counts_down_and_refuses(project: Project) -> None:
    """The headers count, then 403 with nothing remaining; asking for the limits is free; the next hour begins anew."""
    project.hub.set_rate_limit(2)
    client = project.maintainer.api
    answers = [client.get(project.path) for _ in range(3)]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[2].json()["message"].startswith("API rate limit exceeded for user ID")
    assert client.get("/rate_limit").json()["resources"]["core"]["remaining"] == 0
    project.hub.set_clock(3600)
    assert client.get(project.path).status_code == 200


def test_a_secondary_limit_says_when_to_come_back(project: Project) -> None:
    """403 with retry-after, as often as asked for, then all is well."""
    project.hub.fault(r"/issues$", 403, method="POST", times=2, headers={"retry-after": "7"})
    answers = [project.maintainer.api.post(f"{project.path}/issues", json=_title(number)) for number in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 201]
    assert answers[0].headers["retry-after"] == "7"
    assert "secondary rate limit" in answers[0].json()["message"]


def test_an_outage_after_the_effect_hides_a_success(project: Project) -> None:
    """502, and yet the issue is there: whoever tries again without looking makes a second one."""
    project.hub.fault(r"/issues$", 502, method="POST", after_effect=True)
    assert project.maintainer.api.post(f"{project.path}/issues", json=_title(1)).status_code == 502
    assert [row["title"] for row in project.maintainer.get(f"{project.path}/issues")] == ["Number 1"]


def test_an_outage_before_the_effect_does_nothing(project: Project) -> None:
    """503, and nothing was made; faults that did not strike are handed back."""
    project.hub.fault(r"/issues$", 503, method="POST", times=3)
    assert project.maintainer.api.post(f"{project.path}/issues", json=_title(1)).status_code == 503
    assert project.maintainer.get(f"{project.path}/issues") == []
    assert [fault["times"] for fault in project.hub.clear_faults()] == [2]


def test_a_delay_ends_in_the_right_answer(project: Project) -> None:
    """A caller with a shorter patience gives up; the work is done all the same."""
    project.hub.fault(r"/issues$", method="POST", latency_seconds=0.5)
    try:
        project.maintainer.api.post(f"{project.path}/issues", json=_title(1), timeout=0.05)
        raise AssertionError("it should have taken too long")
    except httpx.ReadTimeout:
        project.hub.wait_for(lambda: project.maintainer.get(f"{project.path}/issues"))


def test_an_endpoint_that_is_not_there_says_so(project: Project) -> None:
    """Not a 404, which would pass for GitHub's answer; and the check of exchanges counts it as a mistake."""
    answer = project.maintainer.api.get("/repos/acme/widgets/topics")
    assert answer.status_code == 501
    assert "app/localhub/endpoints.py" in answer.json()["message"]
    with pytest.raises(AssertionError, match="topics"):
        check_exchanges(project.hub)
