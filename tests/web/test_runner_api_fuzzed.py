"""The runner API's description is true: whatever is sent to a real app, it answers as described and stays whole."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from app.web.openapi import description
from app.web.runner_api import CALLS, Call
from shared.messages import RunnerLaunch
from tests.support.localhub import Hub
from tests.support.nowhere import Nowhere
from tests.support.workshop import open_workshop

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NONCE = "the only one"
EXAMPLES = 40


def fuzz(url: str, call: Call, launch: RunnerLaunch, mode: GenerationMode, examples: int) -> set[int]:
    """The statuses that came; the attempt and its runner's nonce are real ones, so that more than the door is tried."""
    schema = schemathesis.openapi.from_dict(description())
    operation = schema[call.path]["GET" if call.body is None else "POST"]
    seen: set[int] = set()

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Case[Any]) -> None:
        case.path_parameters = {"attempt_id": launch.attempt_id}
        if isinstance(case.body, dict) and isinstance(case.body.get("nonce"), str):
            case.body["nonce"] = NONCE
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {launch.secret}"})
        case.validate_response(response, checks=CHECKS)
        seen.add(response.status_code)

    one()
    return seen


@pytest.mark.slow
async def test_every_answer_is_a_described_one(tmp_path: Path, hub: Hub) -> None:
    """Bodies that fit and bodies that do not, for every call of an attempt's life; never a 500, and nothing set aside."""
    nowhere = Nowhere()
    async with open_workshop(tmp_path, hub, nowhere) as workshop:
        workshop.label(workshop.issue("Add a file"))
        launch = await nowhere.launch(0)
        seen: dict[tuple[str, str], set[int]] = {}
        for call in CALLS:
            for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                if call.body is None and mode is GenerationMode.NEGATIVE:
                    continue
                few = 8 if call.name == "permit" else EXAMPLES
                seen[call.name, mode.value] = await asyncio.to_thread(fuzz, workshop.app_url, call, launch, mode, few)
        reached = {name for (name, _), statuses in seen.items() if 200 in statuses}
        # An attempt that was not told to hand its work over may not.
        assert reached == {call.name for call in CALLS} - {"identity", "piece", "hold", "held"}, seen
        assert (await _get(f"{workshop.app_url}/readyz")).status_code == 200
        assert "shoal_poison_events_total 0.0" in (await _get(f"{workshop.app_url}/metrics")).text


async def _get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url)


async def test_the_description_is_published(client: httpx.AsyncClient) -> None:
    """Without a token: there is nothing secret in it; docs/runner-api.json is the same, and `make check` compares it."""
    answer: dict[str, Any] = (await client.get("/openapi.json")).json()
    assert answer == description()
    assert {path.rsplit("/", 1)[1] for path in answer["paths"]} == {call.name for call in CALLS}
