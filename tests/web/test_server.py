"""Stories about the app's port."""

import asyncio
import os
import signal

import httpx
import pytest
from prometheus_client import CollectorRegistry

from app.web.server import build, listen, run
from shared.errors import FatalError
from tests.support.serving import serving
from tests.web.conftest import settings
from tests.web.front import OneAttempt


async def test_health_readiness_and_numbers(client: httpx.AsyncClient, front: OneAttempt) -> None:
    """Alive is not ready: a front that cannot serve is 503."""
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    front.is_ready = False
    assert (await client.get("/readyz")).status_code == 503
    assert "shoal_demo_total 1.0" in (await client.get("/metrics")).text


async def test_the_status_is_the_operators(client: httpx.AsyncClient) -> None:
    """The bearer token opens it; nothing else does."""
    assert (await client.get("/status.json")).status_code == 401
    assert (await client.get("/status.json", headers={"Authorization": "Bearer no"})).status_code == 401
    good = await client.get("/status.json", headers={"Authorization": "Bearer " + "operator" * 3})
    assert good.json() == {"stop": "any model will do"}


async def test_without_an_operators_token_there_is_no_status_page(front: OneAttempt) -> None:
    """404 that names the setting: no default password, no open page."""
    app = build(front, settings(), CollectorRegistry())
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get("/status.json", headers={"Authorization": "Bearer None"})
    assert (answer.status_code, answer.json()["error"]) == (404, "set SHOAL_OPERATOR_TOKEN to have this page")


async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient) -> None:
    """Also the ones that say no."""
    for path in ("/healthz", "/nowhere", "/webhook"):
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Request-Id"]


def test_a_port_in_use_is_one_clear_line() -> None:
    """The FatalError names port and setting."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FatalError, match=rf"port {port} on 127.0.0.1 is in use: .*SHOAL_PORT"):
            listen("127.0.0.1", port)
    with pytest.raises(FatalError, match="check SHOAL_HOST"):
        listen("203.0.113.7", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_serving_and_leaves_the_rest_to_us(front: OneAttempt, number: signal.Signals) -> None:
    """After SIGTERM or Ctrl-C `run` returns instead of dying, so that the caller can close what it owns."""
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    task = asyncio.create_task(run(build(front, settings(), CollectorRegistry()), listening))
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}/healthz")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    os.kill(os.getpid(), number)
    await asyncio.wait_for(task, 20)
    assert listening.fileno() == -1
