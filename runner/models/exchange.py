"""One connection of an agent: its requests are read, passed on, and their answers streamed back and counted."""

import asyncio
from contextlib import suppress

import h11

from runner.models.calls import Incoming, Outgoing, api_of, check, outgoing, parse, render
from runner.models.relay import JSON, Door, Generating, relay
from runner.models.shapes import Api, Refused

BODY_LIMIT = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_HEAD_LIMIT = 64 * 1024


class Exchange:
    """Serves one connection, one request after another."""

    def __init__(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._door = door
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)

    async def serve(self) -> None:
        """Until the agent hangs up or breaks the rules of HTTP."""
        with suppress(ConnectionError, h11.ProtocolError):
            while isinstance(event := await self._event(), h11.Request):
                body = await self._body()
                await self._while_connected(Incoming.read(event.method, event.target, list(event.headers)), body)
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
        """The whole of it, since its sender may not listen before; None when it is too long."""
        body = bytearray()
        length = 0
        while isinstance(event := await self._event(), h11.Data):
            length += len(event.data)
            if length <= BODY_LIMIT:
                body += event.data
            else:
                body.clear()
        return bytes(body) if length <= BODY_LIMIT else None

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
        fields = parse(body)
        ask = api.ask(incoming.path, fields)
        weighed = account.weigh(ask, fields, len(body), hour_cache=b'"1h"' in body)
        held = await self._door.reserve(weighed)
        limited = account.budget.bounds_output and (ask.output is not None or held.output < weighed.need.output)
        api.prepare(fields, held.output if limited else None)
        body = render(fields)
        del fields
        await relay(self._door, self, api, out, body, Generating(held, weighed))

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


def _within_limit(body: bytes | None) -> bytes:
    if body is None:
        raise Refused(413, f"shoal: a request may have {BODY_LIMIT >> 20} MiB")
    return body
