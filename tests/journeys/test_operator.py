"""The operator's day: pause, restart in the middle of work, drain, and afterwards the question who asked for what."""

import json
import signal
from pathlib import Path

import httpx
import psutil
import pytest
from pydantic import SecretStr

from app.demo import world as demo_world
from shared.models import VerdictName
from tests.commands.shoal import Run, shoal
from tests.support import journeys
from tests.support.journeys import Harbour, running_harbour
from tests.support.localhub import Hub
from tests.support.workshop import Workshop, open_workshop

TOKEN = "an operator's token"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


def told(harbour: Harbour, word: str) -> Run:
    """`shoal operator` with the app's own settings."""
    world = harbour.world
    return shoal("operator", word, env=demo_world.settings(world.folder, world.ways, world.identity))


@pytest.mark.slow
def test_a_restart_in_the_middle_of_work(tmp_path: Path) -> None:
    """SIGTERM ends the app with 0 and no runner; the next one adopts what runs, and still knows that it was paused."""
    with running_harbour(tmp_path / "harbour", think_seconds=2) as harbour:
        world = harbour.world
        first, second = harbour.issue("The first"), harbour.issue("The second")
        harbour.label(first)
        journeys.wait_for(lambda: [one for one in journeys.attempts(world, first) if one.claimed_at])
        assert told(harbour, "pause").stdout == "paused: nothing new starts until `shoal operator resume`; 1 at work\n"
        harbour.label(second)

        assert world.app is not None
        with world.app.process as process:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        [attempt] = journeys.attempts(world, first)
        assert psutil.pid_exists(attempt.pid or 0)
        world.start_app()
        journeys.wait_for(lambda: journeys.tasks(world)[first].verdict is VerdictName.SUCCEEDED)
        assert len(journeys.attempts(world, first)) == 1
        journeys.wait_for(lambda: "the operator, who has paused" in "".join(journeys.bot_comments(world, second)))
        assert journeys.attempts(world, second) == []

        assert told(harbour, "drain").stdout.startswith("draining: nothing new starts")
        assert told(harbour, "resume").status == 0
        journeys.settle(world, second)
        assert journeys.tasks(world)[second].verdict is VerdictName.SUCCEEDED


async def ready(workshop: Workshop) -> tuple[int, str]:
    """What a prober hears."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{workshop.app_url}/readyz")
    return answer.status_code, answer.json()["status"]


async def test_a_drained_app_says_so_when_nothing_runs_any_more(tmp_path: Path, hub: Hub) -> None:
    """Until then it stays ready, for its runners still need it; the trail says who asked for what, and shows no secret."""
    async with (
        open_workshop(tmp_path, hub, operator_token=SecretStr(TOKEN)) as workshop,
        httpx.AsyncClient(base_url=workshop.app_url, headers=AUTH, trust_env=False) as operator,
    ):
        issue = workshop.issue("Add a file", implementation=f"echo 1 > made.py; until [ -e {tmp_path}/go ]; do sleep 0.05; done")
        workshop.label(issue)
        await workshop.runner(issue)
        drained = (await operator.post("/operator/drain")).json()
        assert (drained["mode"], drained["running"], drained["room"]["waiting"]) == ("draining", 1, {})
        assert await ready(workshop) == (200, "ready")
        (tmp_path / "go").touch()
        [task] = await workshop.ended(issue)

        assert await ready(workshop) == (503, "drained")
        assert "shoal_halted 1.0" in (await operator.get("/metrics")).text
        operation = (await operator.get("/status.json")).json()["operation"]
        assert (operation["mode"], operation["running"]) == ("draining", 0)
        assert operation["room"] == {"slots": 4, "allowed": 4, "because": "", "waiting": {}}
        trail = (await operator.get("/audit.jsonl")).text
        assert (await operator.get("/audit.jsonl?since=2999-01-01")).text == ""
        assert (await operator.get("/audit.jsonl?since=soon")).status_code == 422
        assert (await operator.post("/operator/resume")).json()["mode"] == "running"
        assert await ready(workshop) == (200, "ready")

    lines = [json.loads(line) for line in trail.splitlines()]
    approval = next(line for line in lines if line["kind"] == "issue_read")
    assert (approval["labeller"], approval["permission"]) == (workshop.maintainer.login, "admin")
    assert task.snapshot is not None
    assert approval["text_hash"] == task.snapshot.hash
    kinds = [line["kind"] for line in lines]
    assert {"plan_ready", "attempt_started", "attempt_claimed", "permit_requested", "token_minted", "attempt_finished"} <= set(
        kinds
    )
    assert any(line["kind"] == "github_write" and line["path"].startswith("graphql createCheckRun ") for line in lines)
    assert not any(shape.decode() in trail for shape in journeys.SECRET_SHAPES)
