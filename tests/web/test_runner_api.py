"""Stories about the runners' door."""

from typing import Any

import httpx
import pytest

from shared.models import WIRE_VERSION
from tests.web.front import SECRET, OneAttempt

CLAIM: dict[str, Any] = {"nonce": "n1", "pid": 1, "pid_started": 1.0, "host": "h"}
PATH = "/runner/v1/attempts/a1"
AUTH = {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {SECRET}"}, {"Authorization": "Bearer"}]
)
async def test_without_the_attempts_secret_nothing_is_said(client: httpx.AsyncClient, sent: dict[str, str]) -> None:
    """401 before the body is read; another attempt's secret is no secret either."""
    assert (await client.post(f"{PATH}/claim", json=CLAIM, headers=sent)).status_code == 401
    assert (await client.post("/runner/v1/attempts/a2/claim", json=CLAIM, headers=AUTH)).status_code == 401


async def test_a_refusal_is_409_with_its_reason(client: httpx.AsyncClient) -> None:
    """A runner that lost its attempt learns why."""
    answer = await client.post(f"{PATH}/claim", json=CLAIM, headers=AUTH)
    assert (answer.status_code, answer.json()) == (409, {"reason": "a1 is claimed by another process"})


async def test_the_holder_of_the_nonce_beats_and_reports(client: httpx.AsyncClient, front: OneAttempt) -> None:
    """Heartbeat, issue check, phase and permit come back as the shared models."""
    await client.post(f"{PATH}/claim", json=CLAIM, headers=AUTH)
    beat = {"nonce": "n1", "phase": "setup", "progress": 1}
    assert (await client.post(f"{PATH}/heartbeat", json=beat, headers=AUTH)).json() == {"stop": None}
    assert (await client.get(f"{PATH}/issue", headers=AUTH)).json()["reason"] == "the issue of a1 was edited"
    phase = {"nonce": "n1", "result": {"name": "setup", "status": "passed", "seconds": 1.5}}
    assert (await client.post(f"{PATH}/phase", json=phase, headers=AUTH)).status_code == 200
    assert [finished.result.name for finished in front.phases] == ["setup"]
    permit = {"nonce": "n1", "sequence": 1, "head_sha": "a" * 40, "report": {"verdict": {"name": "succeeded", "reason": "ok"}}}
    assert (await client.post(f"{PATH}/permit", json=permit, headers=AUTH)).json()["status"] == "pending"


async def test_another_version_is_refused_by_both_numbers(client: httpx.AsyncClient) -> None:
    """426 names what each side speaks, even when the body has fields we do not know."""
    other = {**CLAIM, "wire_version": WIRE_VERSION + 1, "something_new": True}
    answer = await client.post(f"{PATH}/claim", json=other, headers=AUTH)
    assert answer.status_code == 426
    assert f"version {WIRE_VERSION}, the runner version {WIRE_VERSION + 1}" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b"[]", 422, "the body"),
        (b'{"nonce": "n", "phase": "sleeping", "progress": 1}', 422, "phase"),
        (b'{"nonce": "n", "phase": "setup", "progress": 1, "token": "ghs_x"}', 422, "token"),
        (b'"' + b"x" * (4 * 1024 * 1024) + b'"', 413, "larger"),
    ],
)
async def test_a_bad_body_is_refused_with_the_field(client: httpx.AsyncClient, body: bytes, status: int, words: str) -> None:
    """What is wrong is named; what was sent is not repeated."""
    answer = await client.post(f"{PATH}/heartbeat", content=body, headers=AUTH)
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert "ghs_x" not in answer.text


async def test_a_bug_shows_a_request_id_and_no_traceback(client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]) -> None:
    """500 with an id to quote; the traceback stays in the log."""
    finish = {"nonce": "n1", "report": {"verdict": {"name": "succeeded", "reason": "ok"}}}
    answer = await client.post(f"{PATH}/finish", json=finish, headers=AUTH)
    assert (answer.status_code, answer.json()["error"]) == (500, "internal error")
    assert answer.json()["request"] == answer.headers["X-Request-Id"]
    assert "RuntimeError" not in answer.text
    assert "RuntimeError" in "".join(capfd.readouterr())
