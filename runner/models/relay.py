"""One call to a provider: sent, streamed back, counted and settled, however it ends."""

from typing import NamedTuple, Protocol

import httpx

from runner.models.account import Account, Weighed
from runner.models.budget import Reservation
from runner.models.calls import Outgoing, render, sent_back
from runner.models.keys import Keys
from runner.models.meter import Meter
from runner.models.shapes import Api

JSON = (b"content-type", b"application/json")
_ERROR_LIMIT = 256 * 1024


class Door(Protocol):
    """What all calls of an attempt share; `bodies` counts the bytes of requests that are held."""

    bodies: int

    @property
    def key(self) -> str: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def account(self) -> Account: ...

    def client(self, api: Api) -> httpx.AsyncClient: ...

    def progress(self) -> None: ...

    async def reserve(self, weighed: Weighed) -> Reservation: ...

    def settled(self) -> None: ...


class Answer(Protocol):
    """Where the agent hears us."""

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None: ...

    async def more(self, data: bytes) -> None: ...

    async def end(self) -> None: ...

    async def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None: ...


class Generating(NamedTuple):
    """A call that costs money, with what was set aside for it."""

    held: Reservation
    weighed: Weighed


class _Charge:
    """How far a call came: what is charged follows from it."""

    def __init__(self, door: Door, api: Api, call: Generating | None) -> None:
        self._door = door
        self._call = call
        # None: nothing is charged.
        self.meter: Meter | None = Meter(api, streams=False)
        self.answered = False
        self.ended = False

    def settle(self) -> None:
        """Once; before the agent hears the end, so that its next call meets the true figures."""
        call, self._call = self._call, None
        if call is None:
            return
        account = self._door.account
        account.settle(call.held, call.weighed, self.meter, answered=self.answered, ended=self.ended)
        self._door.settled()
        if self.ended and self.meter:
            # A stream that began well may still have ended in an error.
            failure = self.meter.failure
            account.failed(failure.status, {}, failure.words) if failure else account.worked()


async def relay(door: Door, answer: Answer, api: Api, out: Outgoing, body: bytes, call: Generating | None = None) -> None:
    """Raises ConnectionError when the answer breaks off and the agent must see that."""
    charge = _Charge(door, api, call)
    door.account.passed(len(body))
    try:
        async with door.client(api).stream(out.method, out.url, headers=out.headers, content=body) as response:
            if response.status_code >= 300:
                charge.meter = None
                await _error(door, answer, api, response, generating=call is not None)
            else:
                await _stream(door, answer, api, response, charge)
    except httpx.HTTPError as error:
        if call:
            door.account.failed(0, {}, f"{type(error).__name__}: {error}")
        if charge.answered:
            raise ConnectionResetError from error
        if not isinstance(error, httpx.ReadTimeout):
            charge.meter = None
        words = f"shoal: {api.NAME} could not be reached ({type(error).__name__})"
        await answer.whole(502, [JSON], render(api.error(502, words)))
    finally:
        charge.settle()


async def _stream(door: Door, answer: Answer, api: Api, response: httpx.Response, charge: _Charge) -> None:
    streams = response.headers.get("content-type", "").startswith("text/event-stream")
    meter = charge.meter = Meter(api, streams=streams)
    charge.answered = True
    await answer.begin(response.status_code, sent_back(response.headers.raw))
    async for chunk in response.aiter_bytes():
        meter.feed(chunk)
        door.account.passed(len(chunk))
        door.progress()
        await answer.more(chunk)
    meter.end()
    charge.ended = True
    charge.settle()
    await answer.end()


async def _error(door: Door, answer: Answer, api: Api, response: httpx.Response, *, generating: bool) -> None:
    """Passed through as it is, but for our key, which some providers repeat."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        door.account.passed(len(chunk))
        body += chunk[: _ERROR_LIMIT - len(body)]
    text = body.decode(errors="replace").replace(door.keys.upstreams[api.NAME].key, "***")
    if generating:
        door.account.failed(response.status_code, response.headers, text)
    await answer.whole(response.status_code, sent_back(response.headers.raw), text.encode())
