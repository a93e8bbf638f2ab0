"""Stories about check runs, told on the embedded GitHub, which enforces GitHub's limits."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.github.repository import CheckWrite, RepositoryClient
from shared.errors import TransientError
from shared.github import CHECK_TEXT_LIMIT
from tests.github.conftest import REPOSITORY, Home

NOTE = {"path": "a.py", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "it fails", "title": ""}


def check(home: Home, **change: Any) -> CheckWrite:
    running = CheckWrite("Shoal", home.sha, "o1:3", "in_progress", None, "2 of 4", "the table", details_url="http://shoal.test/o1")
    return replace(running, **change)


def runs(home: Home) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.mona.get(f"/repos/{REPOSITORY}/commits/{home.sha}/check-runs")["check_runs"]
    return found


async def test_a_check_run_is_written_once_and_then_updated(home: Home, client: RepositoryClient) -> None:
    """By its id when it is known, by `external_id` when not: still one, and concluded."""
    first = await client.upsert_check(check(home))
    done = check(home, status="completed", conclusion="success", completed_at=datetime(2026, 1, 2, 3, 4, 5, 6, UTC))
    assert await client.upsert_check(done) == first
    assert await client.upsert_check(done, first) == first
    (run,) = runs(home)
    assert (run["status"], run["conclusion"], run["completed_at"]) == ("completed", "success", "2026-01-02T03:04:05Z")
    assert (run["external_id"], run["details_url"]) == ("o1:3", "http://shoal.test/o1")


async def test_another_task_on_the_same_commit_has_its_own(home: Home, client: RepositoryClient) -> None:
    """Same name and commit, other `external_id`."""
    assert await client.upsert_check(check(home)) != await client.upsert_check(check(home, external_id="o1:4"))


async def test_one_whose_answer_was_lost_is_adopted(home: Home, client: RepositoryClient) -> None:
    """502 after the check run was made: the next try finds it."""
    home.hub.fault("/check-runs$", 502, method="POST", after_effect=True)
    with pytest.raises(TransientError):
        await client.upsert_check(check(home))
    await client.upsert_check(check(home))
    assert len(runs(home)) == 1


async def test_annotations_are_sent_in_fifties_and_never_again(home: Home, client: RepositoryClient) -> None:
    """120 arrive as 120, also after an update and after one that was cut off in the middle."""
    many = tuple({**NOTE, "message": f"failure {i}"} for i in range(120))
    wanted = check(home, annotations=many)
    home.hub.fault("/check-runs/", 502, method="PATCH", after_effect=True)
    with pytest.raises(TransientError):
        await client.upsert_check(wanted)
    check_id = await client.upsert_check(wanted)
    await client.upsert_check(wanted, check_id)
    (run,) = runs(home)
    assert run["output"]["annotations_count"] == 120
    listed = home.mona.get(f"/repos/{REPOSITORY}/check-runs/{check_id}/annotations", per_page=100)
    assert [a["message"] for a in listed] == [f"failure {i}" for i in range(100)]


async def test_what_is_too_long_is_cut_with_a_link(home: Home, client: RepositoryClient) -> None:
    """Texts, title and buttons stay within GitHub's limits, and the reader is told where the rest is."""
    button = {"label": "Retry everything that failed", "description": "x" * 60, "identifier": "retry"}
    long = check(home, summary="zeile ü\n" * 20_000, text="t\n" * 50_000, title="x" * 400, actions=(button,) * 5)
    await client.upsert_check(long)
    (run,) = runs(home)
    assert len(run["output"]["summary"].encode()) <= CHECK_TEXT_LIMIT
    assert run["output"]["summary"].endswith("All of it: http://shoal.test/o1*")


async def test_a_check_run_that_github_forgot_is_made_again(home: Home, client: RepositoryClient) -> None:
    """A known id that is gone is no reason to leave a pull request without its result."""
    assert await client.upsert_check(check(home), 987_654_321) == runs(home)[0]["id"]
