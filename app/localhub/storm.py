"""Bad weather: a share of all requests fails, in every way that networks and servers have, drawn from a seed."""

import asyncio
import json
import random
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Way = Literal["before", "after", "truncated", "slow", "rate_limit", "secondary", "inside_200", "reset", "reset_after"]
_SLOW_SECONDS = 3.0
_SLOW_PIECES = 6
_GRAPHQL = "/api/graphql"  # whose limits come inside a 200
_AFTER_EFFECT = {"after", "truncated", "slow", "reset_after"}


class Weather(BaseModel):
    """`share` of the requests fail; those of programs whose name starts with `spared` never do."""

    share: float = 0
    seed: int = 0
    ways: tuple[Way, ...] = get_args(Way)
    spared: str = "python-httpx"


@dataclass
class Storm:
    """What the weather is, and what it has done so far."""

    weather: Weather = field(default_factory=Weather)
    struck: Counter[str] = field(default_factory=Counter)
    _chance: random.Random = field(default_factory=random.Random)
    _deck: list[Way] = field(default_factory=list)

    def begin(self, weather: Weather) -> None:
        """From now on."""
        self.weather = weather
        self.struck.clear()
        self._deck.clear()
        self._chance = random.Random(weather.seed)

    def strikes(self, scope: Scope) -> Way | None:
        """How this request fails, if it does."""
        if scope["type"] != "http" or not self.weather.share or scope["path"].startswith("/_localhub"):
            return None
        agent = dict(scope["headers"]).get(b"user-agent", b"").decode("latin-1")
        if agent.startswith(self.weather.spared) or self._chance.random() >= self.weather.share:
            return None
        ways = [way for way in self.weather.ways if way != "inside_200" or scope["path"] == _GRAPHQL]
        if not ways:
            return None
        if not set(ways) & set(self._deck):  # a deck and no dice: each way comes before any comes again
            self._deck += self._chance.sample(self.weather.ways, len(self.weather.ways))
        way = next(way for way in reversed(self._deck) if way in ways)
        self._deck.remove(way)
        self.struck[way] += 1
        return way


@dataclass
class Stormy:
    """The application in that weather: outermost, because only there the connection is at hand."""

    app: ASGIApp
    storm: Storm

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self.storm.strikes(scope)
        if way is None:
            await self.app(scope, receive, send)
            return
        answer: list[Message] = []
        if way in _AFTER_EFFECT:
            await self.app(scope, receive, _kept(answer))
        if way in {"reset", "reset_after"}:
            _reset(send)
        elif way in {"truncated", "slow"}:
            await _in_pieces(answer, send, cut=way == "truncated")
        else:
            await _refuse(way, send, is_git=".git/" in scope["path"])


def _kept(answer: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        answer.append(message)

    return keep


async def _in_pieces(answer: list[Message], send: Send, *, cut: bool) -> None:
    body = b"".join(message.get("body", b"") for message in answer if message["type"] == "http.response.body")
    start = next(message for message in answer if message["type"] == "http.response.start")
    headers = [(name, value) for name, value in start["headers"] if name.lower() not in {b"content-length", b"transfer-encoding"}]
    length = [] if start["status"] == 204 else [(b"content-length", str(len(body)).encode())]
    await send({**start, "headers": [*headers, *length]})
    if cut:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        _reset(send)
        return
    size = max(1, -(-len(body) // _SLOW_PIECES))
    for place in range(0, len(body), size):
        await asyncio.sleep(_SLOW_SECONDS / _SLOW_PIECES)
        await send({"type": "http.response.body", "body": body[place : place + size], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _reset(send: Send) -> None:
    """A close without lingering is a reset. The server's own `send` knows the connection."""
    transport: Any = getattr(send, "__self__").transport  # noqa: B009 no protocol names it
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _refuse(way: Way, send: Send, *, is_git: bool) -> None:
    """The API's limits are 403; git's own answer 429, for its 403 means that one may not."""
    used_up = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1)}
    limits = {"rate_limit": used_up, "secondary": {"retry-after": "1"}, "inside_200": used_up}
    words = {"rate_limit": "API rate limit exceeded", "secondary": "You have exceeded a secondary rate limit."}
    told: object = {"message": words.get(way, "Server Error")}
    if way == "inside_200":
        told = {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for installation."}]}
    body = json.dumps(told).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **limits.get(way, {})}
    shown = [(name.encode(), value.encode()) for name, value in headers.items()]
    status = 200 if way == "inside_200" else 502 if way not in limits else 429 if is_git else 403
    await send({"type": "http.response.start", "status": status, "headers": shown})
    await send({"type": "http.response.body", "body": body})
