"""Handing work over and taking it back, over loopback: only the attempt whose turn it is may, and only what it was told to."""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.messages import RunnerLaunch
from tests.support.localhub import Hub
from tests.support.nowhere import Nowhere
from tests.support.workshop import FILES, Workshop, open_workshop, until
from tests.web.test_runner_api import AUTH, PATH

HOLDS = {**FILES, ".github/shoal.yml": FILES[".github/shoal.yml"] + "publish: hold\n"}
ME: dict[str, Any] = {"pid": 1, "pid_started": 1.0, "host": "elsewhere"}
HEAD = "a" * 40
WORK = b"what would be a bundle"
SAYS: dict[str, Any] = {"verdict": {"name": "succeeded", "reason": "the tests pass"}, "head_sha": HEAD}
SUM = sha256(WORK).hexdigest()
KEPT: dict[str, Any] = {"head_sha": HEAD, "report": SAYS, "bundle_sha256": SUM, "diff_sha256": SUM}


async def call(launch: RunnerLaunch, name: str, nonce: str = "ann", **body: Any) -> tuple[int, dict[str, Any]]:
    """As a runner would."""
    url = f"{launch.app_url}/runner/v1/attempts/{launch.attempt_id}/{name}"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {launch.secret}"}, trust_env=False) as client:
        answer = await client.post(url, json={"nonce": nonce, **body})
    return answer.status_code, answer.json()


def piece(data: bytes = WORK, of: str = "bundle", offset: int = 0) -> dict[str, Any]:
    return {"of": of, "offset": offset, "data": base64.b64encode(data).decode()}


async def told_to_hold(workshop: Workshop, nowhere: Nowhere) -> RunnerLaunch:
    """A claimed attempt that asked for a permit and heard that its work is held."""
    workshop.label(workshop.issue("Add a file"))
    launch = await nowhere.launch(0)
    assert (await call(launch, "claim", **ME))[0] == 200
    assert (await call(launch, "piece", **piece()))[0] == 409

    async def held() -> bool:
        status, answer = await call(launch, "permit", sequence=1, head_sha=HEAD, report=SAYS)
        assert status == 200
        return bool(answer["status"] == "held" and not answer["token"])

    await until(held)
    return launch


async def test_the_holder_hands_over_and_nobody_else(tmp_path: Path, hub: Hub) -> None:
    """Another nonce is refused; what is not whole is not kept, and is asked for again; saying it twice is once."""
    nowhere = Nowhere()
    async with open_workshop(tmp_path, hub, nowhere, files=HOLDS) as workshop:
        launch = await told_to_hold(workshop, nowhere)
        assert (await call(launch, "piece", "bob", **piece()))[0] == 409
        assert await call(launch, "piece", **piece(offset=7)) == (200, {"bytes": 0})
        assert await call(launch, "piece", **piece(b"something else")) == (200, {"bytes": 14})
        assert "not whole" in (await call(launch, "hold", **KEPT))[1]["problem"]
        for of in ("bundle", "diff"):
            assert await call(launch, "piece", **piece(of=of)) == (200, {"bytes": len(WORK)})
        assert (await call(launch, "hold", "bob", **KEPT))[0] == 409
        assert (await call(launch, "hold", **{**KEPT, "head_sha": "b" * 40}))[0] == 409
        for _ in range(2):
            assert await call(launch, "hold", **KEPT) == (200, {"problem": ""})
        assert (await call(launch, "held", offset=0))[0] == 409
        [attempt] = await workshop.attempts(1)
        assert attempt.on_hold is not None
        assert (attempt.on_hold.work.sha256, attempt.on_hold.work.bytes) == (SUM, len(WORK))


async def test_an_attempt_that_lost_its_lease_hands_nothing_over_and_leaves_nothing(tmp_path: Path, hub: Hub) -> None:
    """Refused, and the sweep removes what it had begun."""
    nowhere = Nowhere()
    async with open_workshop(tmp_path, hub, nowhere, files=HOLDS) as workshop:
        launch = await told_to_hold(workshop, nowhere)
        await call(launch, "piece", **piece())
        await workshop.lease_runs_out(1)
        second = await nowhere.launch(1)
        assert (await call(launch, "piece", **piece(offset=len(WORK))))[0] == 409
        assert (await call(launch, "hold", **KEPT))[0] == 409
        assert second.attempt_id != launch.attempt_id
        assert len(list(workshop.settings.held_dir.iterdir())) == 1
        await workshop.app.sweep.holding.tidy()
        assert list(workshop.settings.held_dir.iterdir()) == []


async def test_only_the_attempt_that_publishes_takes_it_back(tmp_path: Path, hub: Hub) -> None:
    """Its brief says what to expect, piece by piece; a bundle that is gone is told in words, not as an error."""
    nowhere = Nowhere()
    async with open_workshop(tmp_path, hub, nowhere, files=HOLDS) as workshop:
        launch = await told_to_hold(workshop, nowhere)
        for of in ("bundle", "diff"):
            await call(launch, "piece", **piece(of=of))
        await call(launch, "hold", **KEPT)
        waits = {**SAYS, "verdict": {"name": "held", "reason": "it waits"}}
        assert (await call(launch, "finish", report=waits))[0] == 200
        await workshop.ended(1)
        workshop.maintainer.comment(workshop.full_name, 1, "/shoal publish")
        second = await nowhere.launch(1)
        status, brief = await call(second, "claim", **ME)
        assert (status, brief["held"]["sha256"], brief["held"]["report"]["head_sha"]) == (200, SUM, HEAD)
        assert (await call(second, "held", "bob", offset=0))[0] == 409
        assert (await call(launch, "held", offset=0))[0] == 409
        _, reply = await call(second, "held", offset=7)
        assert base64.b64decode(reply["data"]) == WORK[7:]
        next(workshop.settings.held_dir.glob("*.bundle")).unlink()
        assert "its bundle is missing" in (await call(second, "held", offset=0))[1]["problem"]


@pytest.mark.parametrize(
    "wrong",
    [{"data": "no base64!"}, {"data": "QUJ"}, {"offset": -1}, {"of": "home"}, {"offset": 2**40}, {"data": "QUJD" * 400_000}],
)
async def test_a_piece_that_is_none_is_refused_with_its_field(client: httpx.AsyncClient, wrong: dict[str, object]) -> None:
    """Before anything is looked up."""
    body = {"nonce": "n", "of": "bundle", "offset": 0, "data": "QUJD", **wrong}
    answer = await client.post(f"{PATH}/piece", json=body, headers=AUTH)
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (422, next(iter(wrong)))
