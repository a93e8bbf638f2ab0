"""App and runner lose sight of each other: what is finished is kept and delivered, and only one is ever believed."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from shared.messages import RunnerLaunch
from shared.models import PhaseName, VerdictName
from tests.support.localhub import Hub
from tests.support.nowhere import Nowhere
from tests.support.workshop import open_workshop, until_there


@pytest.mark.slow
async def test_an_hour_without_the_app_costs_nothing(tmp_path: Path, hub: Hub) -> None:
    """The runner works on and keeps its reports; the app comes back, lets no lease age, and hears it all from the same attempt."""
    waits = f"touch {tmp_path}/there; until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo 1 > made.py; touch {tmp_path}/finished"
    async with open_workshop(tmp_path, hub) as workshop:
        issue = workshop.issue("Add a file", implementation=waits)
        workshop.label(issue)
        await until_there(tmp_path / "there")
        async with workshop.app_away(timedelta(hours=1)):
            (tmp_path / "go").touch()
            await until_there(tmp_path / "finished")
        [task] = await workshop.ended(issue)

        [attempt] = await workshop.attempts(issue)
        assert task.verdict is not None
        assert task.verdict.name is VerdictName.SUCCEEDED, task.verdict
        assert PhaseName.IMPLEMENTATION in {phase.name for phase in attempt.phases if phase.status == "passed"}
        assert len(workshop.pulls(issue)) == 1


async def call(launch: RunnerLaunch, name: str, **body: object) -> tuple[int, str]:
    """As a runner would, with the status and why it was refused."""
    url = f"{launch.app_url}/runner/v1/attempts/{launch.attempt_id}/{name}"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {launch.secret}"}, trust_env=False) as client:
        answer = await client.post(url, json=body)
    return answer.status_code, answer.json().get("reason", "")


async def test_the_second_claim_and_the_stale_number_are_refused(tmp_path: Path, hub: Hub) -> None:
    """The first nonce has the attempt, may ask again, and loses it for good when its lease has run out."""
    nowhere, me = Nowhere(), {"pid": 1, "pid_started": 1.0, "host": "elsewhere"}
    beat = {"phase": "setup", "progress": 1}
    async with open_workshop(tmp_path, hub, nowhere) as workshop:
        issue = workshop.issue("Add a file")
        workshop.label(issue)
        first = await nowhere.launch(0)
        assert (await call(first, "claim", nonce="ann", **me))[0] == 200
        assert (await call(first, "claim", nonce="ann", **me))[0] == 200
        assert await call(first, "claim", nonce="bob", **me) == (409, "another process has claimed this attempt")
        assert (await call(first, "heartbeat", nonce="bob", **beat))[0] == 409
        assert (await call(first, "fetch", nonce="bob"))[0] == 409
        assert (await call(first, "fetch", nonce="ann"))[0] == 200
        assert (await call(first, "heartbeat", nonce="ann", **beat))[0] == 200

        await workshop.lease_runs_out(issue)
        second = await nowhere.launch(1)
        assert (await call(second, "claim", nonce="bob", **me))[0] == 200
        for name, body in (("heartbeat", beat), ("claim", me), ("fetch", {})):
            assert await call(first, name, nonce="ann", **body) == (409, "this attempt is over; another one may be at work")
