"""HTTP to GitHub: githubkit's client and App authentication, one pool for the whole process, every answer checked."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from githubkit import GitHub
from githubkit.auth.app import AppAuth
from githubkit.auth.unauth import UnauthAuthStrategy
from githubkit.cache import MemCacheStrategy
from jwt import InvalidKeyError

from app.github.breaker import Breaker
from app.github.errors import Unauthorized, Unavailable, check
from app.github.usage import Exchange, Meter, Nobody
from app.settings import Settings
from shared.errors import UserError
from shared.github import API_VERSION

_TIMEOUT = httpx.Timeout(30, connect=10)
# Stands for GraphQL's address wherever a path is expected.
GRAPHQL = "graphql"
# The same address; what is counted and traced by its path tells the two apart.
MUTATION = "graphql mutation"
# GitHub's limit on requests under way at once is 100, and others may use the same App.
CONCURRENT = 80
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Down(Unavailable):
    """Nothing was sent: GitHub is left alone for a while."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(0, message, timedelta(seconds=seconds))


@dataclass
class Circuit:
    """The one breaker of a host, where its newest value is kept."""

    breaker: Breaker = field(default_factory=Breaker)


@dataclass(frozen=True)
class Transport:
    """Sends one request, once. Who asks (App or installation) is told by `authorization`."""

    http: httpx.AsyncClient
    app: AppAuth
    now: Callable[[], datetime]
    graphql_url: str
    meter: Meter
    circuit: Circuit
    room: asyncio.Semaphore

    async def send(
        self,
        method: str,
        path: str,
        authorization: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        tag: str = "",
    ) -> httpx.Response:
        """A successful response, or the error that the answer means; with an entity tag also 304. `path` has no leading slash."""
        self._admit()
        headers = {"X-GitHub-Api-Version": API_VERSION}
        if authorization:
            headers["Authorization"] = authorization
        if tag:
            headers["If-None-Match"] = tag
        begun = time.monotonic()
        try:
            # A redirected POST becomes a GET, so only reads follow.
            async with self.room:
                response = await self.http.request(
                    method,
                    self.graphql_url if path in {GRAPHQL, MUTATION} else path,
                    json=json,
                    params=params,
                    headers=headers,
                    follow_redirects=method == "GET",
                )
        except httpx.RequestError as error:
            self.meter.sent(Exchange(method, path, "none", time.monotonic() - begun))
            self.circuit.breaker = self.circuit.breaker.failed(time.monotonic())
            raise Unavailable(0, f"GitHub did not answer `{method} /{path}`: {error!r}") from error
        taken, asked = time.monotonic() - begun, int(response.request.headers.get("content-length", 0))
        answer = str(response.status_code)
        self.meter.sent(Exchange(method, path, answer, taken, asked, response.num_bytes_downloaded))
        breaker = self.circuit.breaker
        self.circuit.breaker = breaker.failed(time.monotonic()) if response.is_server_error else breaker.succeeded()
        return response if tag and response.status_code == httpx.codes.NOT_MODIFIED else check(response, self.now())

    def _admit(self) -> None:
        self.circuit.breaker, wait = self.circuit.breaker.admit(time.monotonic())
        if wait > 0:
            failures = self.circuit.breaker.failures
            raise Down(f"GitHub has not answered {failures} times in a row: it is asked again in {wait:.0f} s", wait)

    async def send_as_app(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """The same, as the App itself."""
        try:
            token = await self.app.aget_jwt()
        except (InvalidKeyError, ValueError) as error:
            raise UserError("SHOAL_PRIVATE_KEY_PATH does not hold a private key in PEM: download a new one from the App") from error
        try:
            return await self.send(method, path, f"Bearer {token}", json=json, params=params)
        except Unauthorized as error:
            raise Unauthorized(f"{error}: check SHOAL_APP_ID, the private key, and this machine's clock") from error


def graphql_url(api_url: str) -> str:
    """Beside the REST API on an Enterprise server, below it on github.com."""
    root = api_url.rstrip("/")
    return f"{root.removesuffix('/v3')}/{GRAPHQL}" if root.endswith("/api/v3") else f"{root}/{GRAPHQL}"


@asynccontextmanager
async def open_transport(settings: Settings, now: Callable[[], datetime], meter: Meter | None = None) -> AsyncIterator[Transport]:
    """The process's only pool of connections to GitHub."""
    github = GitHub(
        UnauthAuthStrategy(),
        base_url=settings.github_api_url,
        user_agent="shoal",
        timeout=_TIMEOUT,
        http_cache=False,  # an entity tag is worth nothing after the hourly change of token
        auto_retry=False,  # its own would send a POST again after a 502
        cache_strategy=MemCacheStrategy(),  # its default is one for the whole process, tests included
        trust_env=httpx.URL(settings.github_api_url).host not in LOOPBACK,
    )
    app = AppAuth(github, settings.app_id, settings.key())
    # Kept here and not by `async with github`: that one is found by a context variable, which tasks started elsewhere
    # do not see, and each of their calls would open a connection of its own.
    async with github.get_async_client() as http:
        yield Transport(
            http, app, now, graphql_url(settings.github_api_url), meter or Nobody(), Circuit(), asyncio.Semaphore(CONCURRENT)
        )
