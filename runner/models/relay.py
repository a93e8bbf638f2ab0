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
    """What all calls of an attempt share."""

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


class _Progress:
    """How far a call came: what is charged follows from it."""

    def __init__(self, api: Api) -> None:
        # None: nothing is charged.
        self.meter: Meter | None = Meter(api, streams=False)
        self.answered = False
        self.ended = False


async def relay(door: Door, answer: Answer, api: Api, out: Outgoing, body: bytes, call: Generating | None = None) -> None:
    """Raises ConnectionError when the answer breaks off and the agent must see that."""
    progress = _Progress(api)
    door.account.passed(len(body))
    try:
        async with door.client(api).stream(out.method, out.url, headers=out.headers, content=body) as response:
            if response.status_code >= 300:
                progress.meter = None
                await _error(door, answer, api, response, generating=call is not None)
            else:
                await _stream(door, answer, api, response, progress)
    except httpx.HTTPError as error:
        if call:
            door.account.failed(0, {}, f"{type(error).__name__}: {error}")
        if progress.answered:
            raise ConnectionResetError from error
        if not isinstance(error, httpx.ReadTimeout):
            progress.meter = None
        words = f"shoal: {api.NAME} could not be reached ({type(error).__name__})"
        await answer.whole(502, [JSON], render(api.error(502, words)))
    finally:
        if call:
            door.account.settle(call.held, call.weighed, progress.meter, answered=progress.answered, ended=progress.ended)
            door.settled()
    if call and progress.ended and progress.meter:
        _judge(door.account, progress.meter)


async def _stream(door: Door, answer: Answer, api: Api, response: httpx.Response, progress: _Progress) -> None:
    streams = response.headers.get("content-type", "").startswith("text/event-stream")
    meter = progress.meter = Meter(api, streams=streams)
    progress.answered = True
    await answer.begin(response.status_code, sent_back(response.headers.raw))
    async for chunk in response.aiter_bytes():
        meter.feed(chunk)
        door.account.passed(len(chunk))
        door.progress()
        await answer.more(chunk)
    meter.end()
    progress.ended = True
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


def _judge(account: Account, meter: Meter) -> None:
    """A stream that began well may still have ended in an error."""
    if meter.failure:
        account.failed(meter.failure.status, {}, meter.failure.words)
    else:
        account.worked()
