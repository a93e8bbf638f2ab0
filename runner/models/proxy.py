"""The attempt's way to its models: one Unix socket outside the sandbox, a forwarder inside, and what the runner may ask of both."""

import asyncio
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from runner.agents.shape import Provider
from runner.models.account import Account, Weighed
from runner.models.budget import Reservation
from runner.models.exchange import Exchange
from runner.models.keys import Keys
from runner.models.shapes import Api
from runner.models.trouble import Trouble
from runner.sandbox import Bind
from shared.models import AttemptLimits, Usage

INSIDE = Path(__file__).with_name("inside.py")

_NOTHING = Usage()
_CONNECTIONS = 64
_LONGEST_ADDRESS = 100
# A model may think for long before it says its first word.
_TIMEOUT = httpx.Timeout(connect=15, read=600, write=120, pool=None)


class Proxy:
    """One attempt's; the runner reads it from its own threads. Callbacks come from the proxy's thread and must not block."""

    def __init__(self, keys: Keys, limits: AttemptLimits, spent_before: Usage) -> None:
        # Worth nothing anywhere else.
        self.key = secrets.token_urlsafe(32)
        self.keys = keys
        self.account = Account(keys.prices, limits, spent_before)
        self.moved: Callable[[], None] = lambda: None
        self.bodies = 0
        self._clients: dict[Provider, httpx.AsyncClient] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._settled = asyncio.Event()

    @property
    def usage(self) -> Usage:
        """Everything since this proxy was started, what was spent before not counted in."""
        return self.account.usage

    @property
    def pass_usage(self) -> Usage:
        return self.account.pass_usage

    @property
    def trouble(self) -> Trouble | None:
        """What the provider said to the last call, when it was busy, down or out of quota; None: that call went well."""
        return self.account.trouble

    @property
    def refused_key(self) -> str:
        """The provider's words when it did not take the operator's key; empty: it did."""
        return self.account.refused_key

    @property
    def limit_hit(self) -> str:
        """The name in AttemptLimits of the limit that refused a call first; empty: none did."""
        return self.account.limit_hit

    @property
    def notes(self) -> tuple[str, ...]:
        return self.account.notes

    @property
    def on_limit(self) -> Callable[[str], None]:
        return self.account.on_limit

    @on_limit.setter
    def on_limit(self, callback: Callable[[str], None]) -> None:
        self.account.on_limit = callback

    def begin_pass(self) -> None:
        self.account.begin_pass()

    def progress(self) -> None:
        self.moved()

    def client(self, api: Api) -> httpx.AsyncClient:
        """Made at the first call: certificates take time and memory."""
        if api.NAME not in self._clients:
            # The machine's own web proxy is asked for the internet, never for loopback.
            is_far = self.keys.upstreams[api.NAME].url.startswith("https:")
            headers = {"accept-encoding": "identity"}
            self._clients[api.NAME] = httpx.AsyncClient(headers=headers, timeout=_TIMEOUT, trust_env=is_far, verify=is_far)
        return self._clients[api.NAME]

    async def reserve(self, weighed: Weighed) -> Reservation:
        """Waits while only what is under way stands in the way."""
        while (held := self.account.reserve(weighed)) is None:
            self._settled.clear()
            await self._settled.wait()
        return held

    def settled(self) -> None:
        self._settled.set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a connection of the agent's; too many of them are turned away."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 streams run their callback in a task
        self._connections.add(task)
        try:
            if len(self._connections) <= _CONNECTIONS:
                await Exchange(self, reader, writer).serve()
        except asyncio.CancelledError:
            # Cut off by `hang_up`; Python 3.11's streams would log it as a mistake.
            return
        finally:
            self._connections.discard(task)
            writer.close()

    async def hang_up(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()


@contextmanager
def serving(socket_path: Path, keys: Keys, limits: AttemptLimits, spent_before: Usage = _NOTHING) -> Iterator[Proxy]:
    """A proxy at `socket_path`, whose folder is made for it alone and closed to everybody else."""
    proxy = Proxy(keys, limits, spent_before)
    socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket_path.parent.chmod(0o700)
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(socket_path.lstat().st_mode):
            socket_path.unlink()  # an earlier runner's
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True, name="models")
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_listen(proxy, socket_path), loop).result()
    # The sandbox's user is another one; only what is bound into the sandbox can be reached by it.
    socket_path.chmod(0o666)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, proxy), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        socket_path.unlink(missing_ok=True)


def inside_argv(python: str, socket_path: Path, argv: Sequence[str]) -> list[str]:
    """What to run in the sandbox instead of `argv`, so that it finds its models."""
    return [python, "-I", "-S", str(INSIDE), str(socket_path), "--", *argv]


def inside_binds(socket_path: Path) -> tuple[Bind, ...]:
    """What `inside_argv` needs there."""
    return (Bind(INSIDE), Bind(socket_path))


async def _listen(proxy: Proxy, socket_path: Path) -> asyncio.Server:
    """By way of the folder when the path is longer than a socket's address may be."""
    folder = os.open(socket_path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        is_long = len(os.fsencode(socket_path)) > _LONGEST_ADDRESS
        address = f"/proc/self/fd/{folder}/{socket_path.name}" if is_long else str(socket_path)
        server = await asyncio.start_unix_server(proxy.connected, address)
    finally:
        os.close(folder)
    return server


async def _close(server: asyncio.Server, proxy: Proxy) -> None:
    server.close()
    await proxy.hang_up()
    await server.wait_closed()
