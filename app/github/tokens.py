"""Installation tokens: one per installation however many ask at once, and narrow ones for runners."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.github.access import MintedToken
from app.github.errors import NotFound, Unauthorized
from app.github.transport import Transport
from shared.errors import UserError
from shared.retry import on_transient_async

# A call that starts now must not end after its token.
_REFRESH_BEFORE = timedelta(minutes=5)


class Tokens:
    """The App's own tokens are kept; a runner's are only passed on."""

    shared = False

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._kept: dict[int, MintedToken] = {}
        self._minting: dict[int, asyncio.Task[MintedToken]] = {}

    async def of_installation(self, installation_id: int) -> str:
        """The token for our own calls."""
        kept = self._kept.get(installation_id)
        if kept is not None and kept.expires_at - self._transport.now() > _REFRESH_BEFORE:
            return kept.token
        minting = self._minting.get(installation_id)
        if minting is None:
            minting = self._minting[installation_id] = asyncio.create_task(self._renew(installation_id))
            minting.add_done_callback(lambda _: self._minting.pop(installation_id, None))
        # Shielded: one caller that gives up must not take the token from the others.
        return (await asyncio.shield(minting)).token

    def evict(self, installation_id: int, token: str) -> None:
        """GitHub refused it; another one, minted meanwhile, stays."""
        kept = self._kept.get(installation_id)
        if kept is not None and kept.token == token:
            del self._kept[installation_id]

    async def mint(self, installation_id: int, repository_id: int, permissions: Mapping[str, str]) -> MintedToken:
        """A token for one repository. Never sent twice by us: a token whose answer was lost works on, unknown to anybody."""
        return await self._request(installation_id, {"repository_ids": [repository_id], "permissions": dict(permissions)})

    async def revoke(self, token: str) -> None:
        """Returns when GitHub confirms that the token is dead."""
        async for attempt in on_transient_async(attempts=4, seconds=10):
            with attempt:
                try:
                    await self._transport.send("DELETE", "installation/token", f"token {token}")
                except Unauthorized:
                    return

    async def _renew(self, installation_id: int) -> MintedToken:
        async for attempt in on_transient_async(attempts=4, seconds=10):
            with attempt:
                self._kept[installation_id] = await self._request(installation_id, None)
        return self._kept[installation_id]

    async def _request(self, installation_id: int, body: dict[str, Any] | None) -> MintedToken:
        try:
            answer = await self._transport.send_as_app("POST", f"app/installations/{installation_id}/access_tokens", json=body)
        except NotFound:
            # Not to be taken for the answer to what was asked: no issue is gone because of it, and no branch missing.
            raise UserError(f"GitHub knows no installation {installation_id} of this App: install it on the repository") from None
        data = answer.json()
        return MintedToken(data["token"], datetime.fromisoformat(data["expires_at"]))
