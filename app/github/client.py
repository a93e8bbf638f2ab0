"""The GitHub App: who it is, where it is installed, and a client for each repository."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import httpx
import structlog

from app.events import RepositoryRef
from app.found import DeliverySeen, Installed
from app.github.access import MintedToken
from app.github.answers import delivery_seen
from app.github.breaker import State
from app.github.calls import Calls, Wrote, nobody, paged
from app.github.errors import Forbidden, Invalid, NotFound, Suspended, Unauthorized
from app.github.pacing import Pace, Pacer
from app.github.reads import Reads
from app.github.remembered import Remembered
from app.github.repository import RepositoryClient
from app.github.texts import Texts
from app.github.tokens import Tokens
from app.github.transport import Transport, open_transport
from app.github.usage import Meter, Nobody
from app.settings import Settings
from shared.errors import UserError
from shared.retry import on_transient_async

__all__ = ["AppIdentity", "Forbidden", "GitHubApp", "Installation", "Invalid", "MintedToken", "NotFound", "Unauthorized"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """The App as GitHub knows it; `permissions` are those it asks for."""

    id: int
    slug: str
    permissions: dict[str, str]
    events: tuple[str, ...]

    @property
    def login(self) -> str:
        """The account that its comments and pull requests have."""
        return f"{self.slug}[bot]"


@dataclass(frozen=True, slots=True)
class Installation:
    """The App on one account; `permissions` are those that its owner granted, which may lag behind what the App asks for."""

    id: int
    account: str
    permissions: dict[str, str]
    suspended: bool


class GitHubApp:
    """Opened once per process by `async with`; its identity is known from then on."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime], wrote: Wrote = nobody, meter: Meter | None = None
    ) -> None:
        self._settings = settings
        self._meter = meter or Nobody()
        self._wrote = wrote
        self._clock = clock
        self._stack = AsyncExitStack()
        self._reads = Reads()
        self._remembered = Remembered()
        self._texts = Texts()
        self._pacer = Pacer(pace(settings), time.monotonic, asyncio.sleep)
        self._transport: Transport
        self.tokens: Tokens
        self.identity: AppIdentity
        self.email: str

    async def __aenter__(self) -> Self:
        self._transport = await self._stack.enter_async_context(open_transport(self._settings, self._clock, self._meter))
        self.tokens = Tokens(self._transport)
        try:
            self.identity = await self._who_am_i()
            self.email = await account_email(self._transport, self.login, self._settings.github_url)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def login(self) -> str:
        """The App's account, `slug[bot]`."""
        return self.identity.login

    def writes_left(self, installation_id: int) -> float:
        """As GitHub's limits on new content have it."""
        return self._pacer.content_left(installation_id)

    @property
    def health(self) -> State:
        """Whether GitHub answers."""
        return self._transport.circuit.breaker.state(time.monotonic())

    def repository(self, full_name: str, repository_id: int, installation_id: int) -> RepositoryClient:
        """A client; cheap, for the pool and the limits are shared."""
        calls = Calls(self._transport, self.tokens, self._pacer, installation_id, self._remembered, self._wrote)
        return RepositoryClient(full_name, repository_id, calls, self._reads, self.identity.id, self.login, self._texts)

    async def installations(self) -> tuple[Installation, ...]:
        """Everywhere that the App is installed."""
        pages = paged(lambda query: self.read_as_app("app/installations", query))
        return tuple([_installation(item) async for item in pages])

    async def deliveries(self, since: datetime) -> tuple[DeliverySeen, ...]:
        """What GitHub tried to tell us since then, newest first."""
        found: list[DeliverySeen] = []
        async for item in paged(lambda query: self.read_as_app("app/hook/deliveries", query)):
            seen = delivery_seen(item)
            if seen.delivered_at < since:
                break
            found.append(seen)
        return tuple(found)

    async def redeliver(self, delivery_id: int) -> None:
        """Asks for another attempt; sent once, for it may have been begun."""
        path = f"app/hook/deliveries/{delivery_id}/attempts"
        await self._transport.send_as_app("POST", path)
        await self._wrote("POST", path, "202")

    async def installed(self) -> Installed:
        """Every repository of every installation that is not suspended; one that fails does not hide the others."""
        found: list[RepositoryRef] = []
        archived: list[RepositoryRef] = []
        unread: set[int] = set()
        installations = await self.installations()
        suspended = frozenset(one.id for one in installations if one.suspended)
        for installation in [one.id for one in installations if not one.suspended]:
            calls = Calls(self._transport, self.tokens, self._pacer, installation, self._remembered, self._wrote)
            try:
                pages = calls.pages("installation/repositories", key="repositories", remember=True)
                async for item in pages:
                    (archived if item.get("archived") else found).append(_reference(item, installation))
            except (UserError, Suspended) as error:
                unread.add(installation)
                log.warning("installation.unreadable", installation=installation, error=str(error))
        return Installed(tuple(found), tuple(archived), frozenset(one.id for one in installations), suspended, frozenset(unread))

    async def _who_am_i(self) -> AppIdentity:
        data = (await self.read_as_app("app")).json()
        return AppIdentity(data["id"], data["slug"], data.get("permissions") or {}, tuple(data.get("events") or ()))

    async def read_as_app(self, path: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        """One read in the App's own name."""
        async for attempt in on_transient_async():
            with attempt:
                return await self._transport.send_as_app("GET", path, params=params)
        raise AssertionError("unreachable: the last failure is raised")


async def account_email(transport: Transport, login: str, github_url: str) -> str:
    """GitHub links commits to an account by this address, which holds the account's id."""
    host = httpx.URL(github_url).host
    try:
        account = (await transport.send("GET", f"users/{login}", "")).json()
    except UserError:  # servers that show no profiles to strangers
        return f"{login}@users.noreply.{host}"
    return f"{account['id']}+{login}@users.noreply.{host}"


def pace(settings: Settings) -> Pace:
    """The operator's limits."""
    return Pace(
        settings.github_writes_per_second,
        settings.github_content_per_minute,
        settings.github_content_per_hour,
        settings.github_points_per_minute,
    )


def _installation(item: dict[str, Any]) -> Installation:
    account = (item.get("account") or {}).get("login") or ""
    return Installation(item["id"], account, item.get("permissions") or {}, bool(item.get("suspended_at")))


def _reference(item: dict[str, Any], installation: int) -> RepositoryRef:
    return RepositoryRef(
        id=item["id"], full_name=item["full_name"], installation_id=installation, private=item.get("private", True)
    )
