"""A job is cancelled before it begins, or hangs on its runner: told by a webhook or found by the sweep, not after an hour."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.backends.actions import ActionsBackend
from app.decide.state import AttemptStatus
from tests.support.localhub import Hub, Json
from tests.support.workshop import FILES, Workshop, open_workshop, until

WORKFLOW = """
name: Shoal
run-name: Shoal ${{ inputs.attempt }}
on:
  workflow_dispatch:
    inputs:
      attempt: {required: true}
permissions: {}
jobs:
  work:
    runs-on: [self-hosted, linux]
    steps:
      - shell: bash
        run: sleep 600
"""
TOLD = pytest.mark.parametrize("told", [True, False], ids=["webhook", "no webhook"])


@asynccontextmanager
async def yard(folder: Path, hub: Hub, *, takes_jobs: bool) -> AsyncIterator[Workshop]:
    """A workshop over Actions with one runner, which is online, and whose workflow never claims anything."""
    files = {**FILES, ".github/workflows/shoal.yml": WORKFLOW}
    labels: dict[str, Any] = {"backend": "actions", "runner_labels": ("self-hosted", "linux")}
    async with open_workshop(folder, hub, ActionsBackend("shoal.yml", labels["runner_labels"]), files=files, **labels) as workshop:
        hub.runner(workshop.full_name, "quay-1", "linux", environment={}, outdated=not takes_jobs)
        yield workshop


async def run_of(workshop: Workshop, issue: int, status: str) -> Json:
    """The run of its latest attempt, once it is so far, and the app knows its number."""

    async def found() -> Json | None:
        attempts = await workshop.attempts(issue)
        runs = workshop.get("/actions/runs")["workflow_runs"]
        mine = [run for run in runs if attempts and attempts[-1].pid == run["id"] and run["status"] == status]
        return mine[0] if mine else None

    return await until(found)


@TOLD
async def test_a_job_that_was_cancelled_in_the_queue_ends_its_task(tmp_path: Path, hub: Hub, *, told: bool) -> None:
    """No runner had it, so no runner tells: without a webhook one look at the runs does, and it is counted."""
    async with yard(tmp_path, hub, takes_jobs=False) as workshop:
        issue = workshop.issue("Add a file")
        workshop.label(issue)
        run = await run_of(workshop, issue, "queued")
        hub.webhooks("in_order" if told else "drop")
        workshop.maintainer.ask("POST", f"/repos/{workshop.full_name}/actions/runs/{run['id']}/cancel")
        if not told:
            await workshop.app.sweep.once()
        [task] = await workshop.ended(issue)

        assert task.verdict is not None
        assert (task.verdict.name, "cancelled on GitHub" in task.verdict.reason) == ("cancelled", True)
        assert len(await workshop.attempts(issue)) == 1
        async with httpx.AsyncClient(trust_env=False) as client:
            page = (await client.get(f"{workshop.app_url}/metrics")).text
        assert ('shoal_reconciled_total{kind="job"} 1.0' in page) is not told


@pytest.mark.slow
@TOLD
async def test_a_runner_that_takes_a_job_and_does_not_begin_is_told_by_name(tmp_path: Path, hub: Hub, *, told: bool) -> None:
    """After ten minutes, where the queue would have had an hour; its run is cancelled and the next attempt follows."""
    async with yard(tmp_path, hub, takes_jobs=True) as workshop:
        hub.webhooks("in_order" if told else "drop")
        issue = workshop.issue("Add a file")
        workshop.label(issue)
        if not told:
            await workshop.app.sweep.once()
        await run_of(workshop, issue, "in_progress")

        async def taken() -> bool:
            if not told:
                await workshop.app.sweep.once()
            return (await workshop.attempts(issue))[0].taken_at is not None

        await until(taken)
        workshop.clock.ahead += timedelta(minutes=10, seconds=1)

        async def followed() -> bool:
            return len(await workshop.attempts(issue)) == 2

        await until(followed)
        [first, _] = await workshop.attempts(issue)
        task = await workshop.task(issue)
        assert first.status is AttemptStatus.ENDED
        assert task is not None
        assert "took its job and did not begin within 10 minutes (`SHOAL_START_MINUTES`)" in task.note
        assert ("quay-1" in task.note) is told

        async def cancelled() -> bool:
            return bool(workshop.get(f"/actions/runs/{first.pid}")["conclusion"] == "cancelled")

        await until(cancelled)
