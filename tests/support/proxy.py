"""A forward proxy between runners and GitHub, by which a story stops a request where it wants to: held, let go, or reset."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_CHUNK = 64 * 1024


@dataclass
class Trap:
    """For one request, its method, path and body given as patterns.

    `reached` when it has come; it waits until `opened`, then it passes or its connection is reset.
    """

    method: str
    path: str
    body: str = ""
    resets: bool = False
    # A reset may hide that the request had its effect.
    after_effect: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Proxy:
    """`environment` makes git and PyGithub use it; both believe it is an ordinary proxy."""

    port: int = 0
    traps: list[Trap] = field(default_factory=list)
    sprung: list[Trap] = field(default_factory=list)
    # Connections that are being served. asyncio forgets the task of one whose client has gone, even while it works.
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        return {"http_proxy": f"http://127.0.0.1:{self.port}", "no_proxy": ""}

    def hold(self, method: str, path: str, body: str = "") -> Trap:
        """The next request whose path and query match waits; nothing of it has reached GitHub yet."""
        return self._set(Trap(method, path, body))

    def hold_answer(self, method: str, path: str, body: str = "") -> Trap:
        """GitHub has dealt with the next one, and its sender never hears of it."""
        return self._set(Trap(method, path, body, resets=True, after_effect=True))

    def reset(self, method: str, path: str, body: str = "", *, after_effect: bool = False) -> Trap:
        """The next one ends with a reset connection, before or after GitHub has dealt with it."""
        trap = self._set(Trap(method, path, body, resets=True, after_effect=after_effect))
        trap.opened.set()
        return trap

    def _set(self, trap: Trap) -> Trap:
        self.traps.append(trap)
        return trap

    def _take(self, method: str, path: str, body: str) -> Trap | None:
        fits = (trap for trap in self.traps if re.fullmatch(trap.method, method) and re.search(trap.path, path))
        found = next((trap for trap in fits if re.search(trap.body, body)), None)
        if found is not None:
            self.traps.remove(found)
            self.sprung.append(found)
        return found

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, which carries one request: the head is made to say so to both sides."""
        task = asyncio.create_task(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._carry(reader, writer)
        finally:
            await _closed(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.decode("latin-1").split(" ", 2)
        url = urlsplit(target)
        path = f"{url.path}?{url.query}" if url.query else url.path
        # A body is read ahead only where somebody waits for one: git's have no length, and no end before their answer.
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length and any(trap.body for trap in self.traps) else b""
        trap = self._take(method, path, body.decode("utf-8", "replace"))
        sent = _single(head, path) + body
        if trap is not None and trap.after_effect:
            await _exchange(sent, url.port or 80, reader, None)
        if trap is not None:
            trap.reached.set()
            await trap.opened.wait()
        if trap is not None and trap.resets:
            _send_reset(writer)
        else:
            await _exchange(sent, url.port or 80, reader, writer)


async def _exchange(head: bytes, port: int, reader: asyncio.StreamReader, answer: asyncio.StreamWriter | None) -> None:
    from_github, to_github = await asyncio.open_connection("127.0.0.1", port)
    to_github.write(head)
    body = asyncio.create_task(_pump(reader, to_github))
    try:
        await _pump(from_github, answer)
    finally:
        body.cancel()
        await _closed(to_github)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Until its socket is: one that outlives the loop is a warning, and so a failure."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter | None) -> None:
    with suppress(ConnectionError):
        while chunk := await source.read(_CHUNK):
            if sink is not None:
                sink.write(chunk)
                await sink.drain()


def _single(head: bytes, path: str) -> bytes:
    first, *fields = head.rstrip().split(b"\r\n")
    method, _, version = first.split(b" ")
    kept = [line for line in fields if not line.lower().startswith((b"connection:", b"proxy-connection:"))]
    return b"\r\n".join([b" ".join((method, path.encode("latin-1"), version)), *kept, b"Connection: close", b"", b""])


def _send_reset(writer: asyncio.StreamWriter) -> None:
    """A close without lingering is a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def running_proxy() -> AsyncIterator[Proxy]:
    """Listens for as long as the block lasts; what still waits in a trap then is reset."""
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await asyncio.sleep(0.05)  # who was accepted just now is served, too
        for trap in proxy.sprung:
            trap.resets = True
            trap.opened.set()
        while proxy.serving:
            await asyncio.gather(*proxy.serving)
