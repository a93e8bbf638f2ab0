"""Reads that are asked for at about the same time travel together: one query, or one request for those who ask the same."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from app.github.batch import MOST, Ask, NoSuchField, TooLarge, query, replies
from app.github.calls import Calls

# Labels come in handfuls: whoever waits this long finds its neighbours. Seconds.
LINGER = 0.05


@dataclass
class _Batch:
    calls: Calls
    full_name: str
    asks: dict[Ask, "asyncio.Future[Any]"] = field(default_factory=dict)


@dataclass
class Reads:
    """One per account on GitHub. Nothing is remembered: who asks later than a request began waits for the next one."""

    _batches: dict[tuple[int, str], _Batch] = field(default_factory=dict)
    _shared: dict[Hashable, "asyncio.Task[Any]"] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _without: frozenset[str] = frozenset()

    async def ask(self, calls: Calls, full_name: str, ask: Ask) -> Any:
        """The answer to one of many."""
        key = (calls.installation_id, full_name)
        batch = self._batches.get(key)
        if batch is None or len(batch.asks) >= MOST:
            batch = self._batches[key] = _Batch(calls, full_name)
            task = asyncio.create_task(self._send_soon(key, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        future = batch.asks.get(ask)
        if future is None:
            future = batch.asks[ask] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_heard)
        # Shielded: one caller that gives up must not take the answer from the others.
        return await asyncio.shield(future)

    async def together(self, key: Hashable, call: Callable[[], Awaitable[Any]], linger: float = LINGER) -> Any:
        """One request for all who ask the same before it begins, which is as soon as the first of them wants it."""
        task = self._shared.get(key)
        if task is None:
            task = self._shared[key] = asyncio.create_task(self._call_soon(key, call, linger))
            task.add_done_callback(_heard)
        return await asyncio.shield(task)

    async def _call_soon(self, key: Hashable, call: Callable[[], Awaitable[Any]], linger: float) -> Any:
        await asyncio.sleep(linger)
        del self._shared[key]
        return await call()

    async def _send_soon(self, key: tuple[int, str], batch: _Batch) -> None:
        await asyncio.sleep(LINGER)
        if self._batches.get(key) is batch:
            del self._batches[key]
        asks = list(batch.asks)
        try:
            found = await self._answers(batch, asks)
        except BaseException as error:
            found = [error] * len(asks)
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            for ask, answer in zip(asks, found, strict=True):
                _tell(batch.asks[ask], answer)

    async def _answers(self, batch: _Batch, asks: list[Ask]) -> list[Any]:
        without = self._without
        text = query(batch.full_name, asks, without)
        try:
            body = await batch.calls.graphql(text.text, text.variables)
        except NoSuchField as missing:
            if missing.field in without:
                raise
            self._without = without | {missing.field}
            return await self._answers(batch, asks)
        except TooLarge:
            if len(asks) == 1:
                raise
            half = len(asks) // 2
            return [*await self._answers(batch, asks[:half]), *await self._answers(batch, asks[half:])]
        return replies(batch.full_name, asks, body, without)


def _tell(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _heard(done: "asyncio.Future[Any]") -> None:
    """Who asked may be gone by now; that is no reason for a warning."""
    if not done.cancelled():
        done.exception()
