"""One connection of an agent: its requests are read, passed on, and their answers streamed back and counted."""

import asyncio
from contextlib import suppress

import h11

from runner.models.account import Account, Weighed
from runner.models.calls import Incoming, Outgoing, api_of, check, outgoing, parse, render
from runner.models.relay import JSON, Door, Generating, relay
from runner.models.shapes import Api, Refused

BODY_LIMIT = 32 * 1024 * 1024
ALL_BODIES_LIMIT = 128 * 1024 * 1024
_CHUNK = 64 * 1024
_HEAD_LIMIT = 64 * 1024


class Exchange:
    """Serves one connection, one request after another."""

    def __init__(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._door = door
        self._reader = reader
        self._writer = writer
        # Bytes of the body in hand.
        self._held = 0
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)

    async def serve(self) -> None:
        """Until the agent hangs up or breaks the rules of HTTP."""
        with suppress(ConnectionError, h11.ProtocolError):
            while isinstance(event := await self._event(), h11.Request):
                try:
                    incoming = Incoming.read(event.method, event.target, list(event.headers))
                    await self._while_connected(incoming, await self._body())
                finally:
                    self._let_go()
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    return
                self._http.start_next_cycle()

    async def _event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_CHUNK))
        return event

    async def _body(self) -> bytes | None:
        """Read to its end, since its sender may not listen before; None when it, or all bodies at once, are too long."""
        body: bytearray | None = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            if body is None:
                continue
            body += event.data
            self._held += len(event.data)
            self._door.bodies += len(event.data)
            if len(body) > BODY_LIMIT or self._door.bodies > ALL_BODIES_LIMIT:
                body = None
        return bytes(body) if body is not None else None

    def _let_go(self) -> None:
        self._door.bodies -= self._held
        self._held = 0

    async def _while_connected(self, incoming: Incoming, body: bytes | None) -> None:
        """Answers, but not to somebody who has hung up: what is under way for him is given up."""
        work = asyncio.create_task(self._answer(incoming, body))
        watch = asyncio.create_task(self._reader.read(_CHUNK))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and not watch.result():
                raise ConnectionResetError
            await work
        finally:
            work.cancel()
            watch.cancel()
            await asyncio.gather(work, watch, return_exceptions=True)
        if not watch.cancelled() and (early := watch.result()):
            self._http.receive_data(early)

    async def _answer(self, incoming: Incoming, body: bytes | None) -> None:
        api = api_of(incoming)
        try:
            check(incoming, api, self._door.key)
            whole = _within_limit(body)
            out = outgoing(incoming, api, self._door.keys)
            if incoming.method == "POST" and api.generates(incoming.path):
                await self._generate(api, incoming, out, whole)
            else:
                await relay(self._door, self, api, out, whole)
        except Refused as refused:
            await self.whole(refused.status, [JSON], render(api.error(refused.status, str(refused))))

    async def _generate(self, api: Api, incoming: Incoming, out: Outgoing, body: bytes) -> None:
        account = self._door.account
        weighed = _weigh(account, api, incoming.path, body)
        held = await self._door.reserve(weighed)
        # Parsed again: while it waits for its turn a call holds its bytes alone, which may be a hundred times less.
        fields = parse(body)
        is_limited = account.budget.bounds_output and (weighed.ask.output is not None or held.output < weighed.need.output)
        api.prepare(fields, held.output if is_limited else None)
        await relay(self._door, self, api, out, render(fields), Generating(held, weighed))

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send(h11.Response(status_code=status, headers=headers))

    async def more(self, data: bytes) -> None:
        await self._send(h11.Data(data=data))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    async def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self.begin(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self.more(body)
        await self.end()

    async def _send(self, event: h11.Event) -> None:
        if data := self._http.send(event):
            self._writer.write(data)
            await self._writer.drain()


def _weigh(account: Account, api: Api, path: str, body: bytes) -> Weighed:
    fields = parse(body)
    return account.weigh(api.ask(path, fields), fields, len(body), hour_cache=b'"1h"' in body)


def _within_limit(body: bytes | None) -> bytes:
    if body is None:
        raise Refused(413, f"shoal: a request may have {BODY_LIMIT >> 20} MiB, all at once {ALL_BODIES_LIMIT >> 20}")
    return body
