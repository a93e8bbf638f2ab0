"""Calls in the name of one installation: token, pace and the one policy for trying again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from app.github.access import TokenSource
from app.github.batch import Limited, TooLarge, refusal
from app.github.errors import Suspended, Unauthorized, Unavailable, asked_wait
from app.github.pacing import Pacer
from app.github.remembered import Remembered
from app.github.transport import GRAPHQL, MUTATION, Down, Transport
from shared.errors import TransientError, UserError
from shared.retry import on_transient_async

_PAGE = 100
# How GitHub ends a query that took too long.
_NOT_IN_TIME = {502, 504}
Wrote = Callable[[str, str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Calls:
    """Reads are tried again; a write is sent once, for its effect may have taken place: the caller looks first."""

    transport: Transport
    tokens: TokenSource
    pacer: Pacer
    installation_id: int
    remembered: Remembered
    # Told of every write: method, path, and GitHub's status or what went wrong.
    wrote: Wrote

    async def get(self, path: str, params: Mapping[str, Any] | None = None, *, remember: bool = False) -> Any:
        """The JSON of one read; with `remember` one that need not be sent again while it stays the same."""
        return (await self._read(path, params, remember=remember)).json()

    async def text(self, path: str) -> str:
        """The body of one read that is no JSON, such as a log."""
        return (await self._read(path, None)).text

    async def pages(
        self, path: str, params: Mapping[str, Any] | None = None, key: str | None = None, *, remember: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """The items of all pages; `key` names the list in answers that wrap it."""
        async for item in paged(lambda query: self._read(path, query, remember=remember), params, key):
            yield item

    async def graphql(self, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The body of one query, data and partial errors; an answer that is a refusal inside a 200 is raised."""
        try:
            async for attempt in on_transient_async(attempts=3, seconds=10):
                with attempt:
                    await self.pacer.admit(self.installation_id, write=False, graphql=True)
                    return self._data(await self._send("POST", GRAPHQL, json={"query": text, "variables": dict(variables)}))
        except Unavailable as error:
            if error.status in _NOT_IN_TIME:
                raise TooLarge(str(error), error.after) from error
            raise
        raise AssertionError("unreachable: the last failure is raised")

    async def mutate(self, text: str, variables: Mapping[str, Any], *, creates: int) -> dict[str, Any]:
        """The body of one mutation, sent once like every write; `creates` of its fields count as created content."""
        await self.pacer.admit(self.installation_id, write=True, creates=creates, graphql=True)
        try:
            return self._data(await self._send("POST", MUTATION, json={"query": text, "variables": dict(variables)}))
        except (UserError, TransientError) as error:
            await self.wrote("POST", MUTATION, str(error)[:300])
            if isinstance(error, Unavailable) and error.status in _NOT_IN_TIME:
                raise TooLarge(str(error), error.after) from error
            raise

    def _data(self, response: httpx.Response) -> dict[str, Any]:
        try:
            body: dict[str, Any] = response.json()
        except ValueError as error:
            raise TransientError("GitHub's answer to `POST /graphql` was cut short") from error
        refused = refusal(body, asked_wait(response, self.transport.now()))
        if isinstance(refused, Limited):
            # The hour's points are GraphQL's own; the secondary limits are everybody's.
            self.pacer.close(self.installation_id, refused.after or timedelta(seconds=60), graphql_only=not refused.secondary)
        if refused is not None:
            raise refused
        if price := body["data"].get("rateLimit"):  # a mutation is not told its price
            self.transport.meter.cost(int(price.get("cost") or 0), int(price.get("remaining") or 0))
        return body

    async def write(self, method: str, path: str, json: Any = None) -> Any:
        """The JSON of one write, None when there is none. A POST counts as created content."""
        await self.pacer.admit(self.installation_id, write=True, creates=int(method == "POST"))
        try:
            response = await self._send(method, path, json=json)
        except (UserError, TransientError) as error:
            await self.wrote(method, path, str(error)[:300])
            raise
        await self.wrote(method, path, str(response.status_code))
        return response.json() if response.content else None

    async def _read(self, path: str, params: Mapping[str, Any] | None, *, remember: bool = False) -> httpx.Response:
        async for attempt in on_transient_async(attempts=4, seconds=10):
            with attempt:
                await self.pacer.admit(self.installation_id, write=False)
                return await (self._look(path, params or {}) if remember else self._send("GET", path, params=params))
        raise AssertionError("unreachable: the last failure is raised")

    async def _look(self, path: str, params: Mapping[str, Any]) -> httpx.Response:
        """A read whose answer may be the one that we have."""
        token = await self.tokens.of_installation(self.installation_id)
        asked = (self.installation_id, path, tuple(sorted(params.items())))
        tag = self.remembered.tag(asked, token)
        response = await self._send("GET", path, params=params, tag=tag)
        return self.remembered.settle(asked, token, response)

    async def _send(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None, tag: str = ""
    ) -> httpx.Response:
        try:
            token = await self.tokens.of_installation(self.installation_id)
            try:
                return await self.transport.send(method, path, f"token {token}", json=json, params=params, tag=tag)
            except Unauthorized:
                # Refused means not done, so this one repetition is safe for writes too.
                self.tokens.evict(self.installation_id, token)
                token = await self.tokens.of_installation(self.installation_id)
                return await self.transport.send(method, path, f"token {token}", json=json, params=params)
        except TransientError as error:
            if error.after is not None and not isinstance(error, Down | Suspended):
                self.pacer.close(self.installation_id, error.after)
            raise


async def nobody(_method: str, _path: str, _outcome: str) -> None:
    """For whom nobody keeps a trail."""


async def paged(
    read: Callable[[Mapping[str, Any]], Awaitable[httpx.Response]], params: Mapping[str, Any] | None = None, key: str | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Follows GitHub's links to the last page: of each only the query is used, never its address."""
    query: Mapping[str, Any] = {"per_page": _PAGE, **(params or {})}
    while True:
        response = await read(query)
        data = response.json()
        for item in data if key is None else data[key]:
            yield item
        link = response.links.get("next")
        if link is None:
            return
        query = dict(httpx.URL(link["url"]).params)
