"""The load balancer in front of several apps: each connection goes to the next one that answers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Balancer:
    """`targets` are ports of apps; those that refuse a connection are passed over."""

    port: int
    targets: list[int] = field(default_factory=list)
    turn: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self.turn += 1
        for step in range(len(self.targets)):
            with suppress(OSError):
                behind = await asyncio.open_connection("127.0.0.1", self.targets[(self.turn + step) % len(self.targets)])
                await asyncio.gather(_pump(reader, behind[1]), _pump(behind[0], writer))
                return
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


@contextmanager
def running_balancer() -> Iterator[Balancer]:
    """In a thread of its own, for stories that are not asynchronous."""
    listening = socket.create_server(("127.0.0.1", 0))
    balancer = Balancer(listening.getsockname()[1])
    loop = asyncio.new_event_loop()

    async def work() -> None:
        async with await asyncio.start_server(balancer.serve, sock=listening) as server:
            await server.serve_forever()

    task = loop.create_task(work())
    thread = threading.Thread(target=_until_done, args=(loop, task), daemon=True)
    thread.start()
    try:
        yield balancer
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def _until_done(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    with suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
    for other in asyncio.all_tasks(loop):
        other.cancel()
    loop.run_until_complete(asyncio.sleep(0.05))
