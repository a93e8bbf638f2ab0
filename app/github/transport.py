"""HTTP to GitHub: githubkit's client and App authentication, one pool for the whole process, every answer checked."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from githubkit import GitHub
from githubkit.auth.app import AppAuth
from githubkit.auth.unauth import UnauthAuthStrategy
from githubkit.cache import MemCacheStrategy
from jwt import InvalidKeyError

from app.github.errors import Unauthorized, check
from app.settings import Settings
from shared.errors import TransientError, UserError

# Named on every request: without it GitHub chooses, and Enterprise servers do not know newer ones.
API_VERSION = "2022-11-28"
_TIMEOUT = httpx.Timeout(30, connect=10)
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Transport:
    """Sends one request, once. Who asks (App or installation) is told by `authorization`."""

    http: httpx.AsyncClient
    app: AppAuth
    now: Callable[[], datetime]

    async def send(
        self, method: str, path: str, authorization: str, *, json: Any = None, params: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """A successful response, or the error that the answer means. `path` has no leading slash."""
        headers = {"X-GitHub-Api-Version": API_VERSION}
        if authorization:
            headers["Authorization"] = authorization
        try:
            # A redirected POST becomes a GET, so only reads follow.
            response = await self.http.request(
                method, path, json=json, params=params, headers=headers, follow_redirects=method == "GET"
            )
        except httpx.RequestError as error:
            raise TransientError(f"GitHub did not answer `{method} /{path}`: {error!r}") from error
        return check(response, self.now())

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


@asynccontextmanager
async def open_transport(settings: Settings, now: Callable[[], datetime]) -> AsyncIterator[Transport]:
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
        yield Transport(http, app, now)
