"""Access to GitHub by the token of one job of GitHub Actions: no App is registered, and nothing can be narrowed or taken back."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Self

from app.events import RepositoryRef
from app.found import DeliverySeen, Installed
from app.github.access import MintedToken
from app.github.breaker import State
from app.github.calls import Calls, nobody
from app.github.client import account_email, pace
from app.github.pacing import Pacer
from app.github.reads import Reads
from app.github.remembered import Remembered
from app.github.repository import RepositoryClient
from app.github.texts import Texts
from app.github.transport import open_transport
from app.github.usage import Meter, Nobody
from app.settings import Settings

# The account in whose name GitHub lets a job's own token write.
_SLUG = "github-actions"
_NO_INSTALLATION = 0
# Told to whoever asks how long it lasts; GitHub says no more than that it ends with the job.
_LIFE = timedelta(hours=1)


class JobTokens:
    """The one token, for everything."""

    shared = True

    def __init__(self, token: str, now: Callable[[], datetime]) -> None:
        self._token = token
        self._now = now

    async def of_installation(self, _installation_id: int) -> str:
        return self._token

    def evict(self, _installation_id: int, _token: str) -> None:
        """There is no other."""

    async def mint(self, _installation_id: int, _repository_id: int, _permissions: Mapping[str, str]) -> MintedToken:
        return MintedToken(self._token, self._now() + _LIFE)

    async def revoke(self, _token: str) -> None:
        """It lives on. Harmless here: every runner is a process of this job, and its death is proven before another starts."""


class GitHubJob:
    """Opened once per process by `async with`; `here` is the job's repository."""

    def __init__(
        self, settings: Settings, token: str, repository: str, *, clock: Callable[[], datetime], meter: Meter | None = None
    ) -> None:
        self._settings = settings
        self._meter = meter or Nobody()
        self._name = repository
        self._clock = clock
        self._stack = AsyncExitStack()
        self._reads = Reads()
        self._remembered = Remembered()
        self._texts = Texts()
        self._pacer = Pacer(pace(settings), time.monotonic, asyncio.sleep)
        self.tokens = JobTokens(token, clock)
        self.login = f"{_SLUG}[bot]"
        self.email = ""
        self.here: RepositoryRef

    async def __aenter__(self) -> Self:
        self._transport = await self._stack.enter_async_context(open_transport(self._settings, self._clock, self._meter))
        calls = Calls(self._transport, self.tokens, self._pacer, _NO_INSTALLATION, self._remembered, nobody)
        try:
            self._app_id = int((await calls.get(f"apps/{_SLUG}"))["id"])
            self.email = await account_email(self._transport, self.login, self._settings.github_url)
            found = await calls.get(f"repos/{self._name}")
        except BaseException:
            await self._stack.aclose()
            raise
        full_name, private = str(found["full_name"]), bool(found.get("private", True))
        self.here = RepositoryRef(id=found["id"], full_name=full_name, installation_id=_NO_INSTALLATION, private=private)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def writes_left(self, _installation_id: int) -> float:
        """As GitHub's limits on new content have it."""
        return self._pacer.content_left(_NO_INSTALLATION)

    @property
    def health(self) -> State:
        """Whether GitHub answers."""
        return self._transport.circuit.breaker.state(time.monotonic())

    def repository(self, full_name: str, repository_id: int, installation_id: int) -> RepositoryClient:
        calls = Calls(self._transport, self.tokens, self._pacer, installation_id, self._remembered, nobody)
        return RepositoryClient(full_name, repository_id, calls, self._reads, self._app_id, self.login, self._texts)

    async def deliveries(self, _since: datetime) -> tuple[DeliverySeen, ...]:
        """A job is told of nothing."""
        return ()

    async def redeliver(self, delivery_id: int) -> None:
        raise AssertionError(f"unreachable: nothing was delivered, {delivery_id} neither")

    async def installed(self) -> Installed:
        """None to be swept: a job takes what it claimed at its start, and nothing else."""
        return Installed(unread=frozenset({_NO_INSTALLATION}))
