"""The front on a real port, and a client for it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry, Counter
from pydantic import SecretStr

from app.settings import Settings, load
from app.web.server import build
from tests.support.serving import serving
from tests.web.front import OneAttempt

WEBHOOK_SECRET = "It's a Secret to Everybody"


def settings(**more: Any) -> Settings:
    return load(webhook_secret=WEBHOOK_SECRET, app_id="1", private_key="pem", agent_command="agent", **more)


@pytest.fixture
def front() -> OneAttempt:
    return OneAttempt()


@pytest_asyncio.fixture
async def client(front: OneAttempt) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    Counter("shoal_demo", "A number.", registry=registry).inc()
    app = build(front, settings(operator_token=SecretStr("operator" * 3)), registry)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
