"""Webhooks: who is told of what, and the background task that sends them in order, once, with GitHub's headers."""

import asyncio
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from pydantic import BaseModel

from app.localhub import render
from app.localhub.records import App, Delivery, DeliveryStatus, Installation, Repository
from app.localhub.state import State

TIMEOUT_SECONDS = 10
_FATES: dict[str, DeliveryStatus] = {"in_order": "pending", "hold": "held", "drop": "dropped"}


class Mode(BaseModel):
    """What happens to new deliveries: sent at once, kept for a release, or lost; `copies` above 1 sends each again."""

    mode: Literal["in_order", "hold", "drop"] = "in_order"
    copies: int = 1


@dataclass
class Webhooks:
    """The outgoing post: `emit` and `release` under the state's lock, `deliver` for ever in the background."""

    state: State
    mode: Mode = field(default_factory=Mode)
    wake: asyncio.Event = field(default_factory=asyncio.Event)  # set on the event loop, after each commit

    def emit(
        self,
        where: Repository,
        sender_id: int,
        event: str,
        action: str | None,
        payload: dict[str, Any],
        *,
        only_app: int | None = None,
    ) -> None:
        """Tells every App on the repository that subscribed, or the one App whom alone it concerns."""
        shown = {
            **({"action": action} if action else {}),
            **payload,
            "repository": render.full_repository(self.state, where),
            "sender": render.user(self.state, sender_id),
        }
        for installation in self.state.installations:
            app = self.state.apps[installation.app_id]
            wanted = event in app.events and only_app in {None, app.id} and app.webhook_url
            if wanted and where.id in installation.repository_ids and not installation.suspended_at:
                self._post(app, installation, event, action, shown)

    def tell_app(self, installation: Installation, event: str, action: str, payload: dict[str, Any]) -> None:
        """What GitHub tells every App of its installations, subscribed or not."""
        app = self.state.apps[installation.app_id]
        if app.webhook_url:
            shown = {"action": action, **payload, "sender": render.user(self.state, installation.account_id)}
            self._post(app, installation, event, action, {**shown, "installation": render.installation(self.state, installation)})

    def _post(self, app: App, installation: Installation, event: str, action: str | None, payload: dict[str, Any]) -> None:
        delivery = Delivery(
            id=self.state.next_id(),
            guid=str(uuid.uuid4()),
            app_id=app.id,
            installation_id=installation.id,
            event=event,
            action=action,
            payload={"installation": {"id": installation.id, "node_id": render.node_id("IN", installation.id)}, **payload},
            status=_FATES[self.mode.mode],
            created_at=self.state.stamp(),
        )
        self._put(delivery)

    def send_again(self, delivery: Delivery) -> None:
        """Another attempt of an old one, which fares like every new one."""
        fresh = {"id": self.state.next_id(), "redelivery": True, "attempts": 0, "status_code": None}
        again = {**fresh, "status": _FATES[self.mode.mode], "created_at": self.state.stamp()}
        self._put(delivery.model_copy(update=again))

    def _put(self, delivery: Delivery) -> None:
        self.state.deliveries.save(delivery)
        if delivery.status == "pending":
            self.state.outgoing.extend([delivery.id] * self.mode.copies)

    def release(self, ids: list[int]) -> None:
        """Sends these in this order, also what was sent, held or dropped before."""
        for delivery_id in ids:
            delivery = self.state.deliveries[delivery_id]
            delivery.status = "pending"
            self.state.deliveries.save(delivery)
            self.state.outgoing.append(delivery_id)

    async def deliver(self) -> None:
        """Sends one after the other; a failed one is not tried again, as GitHub does it."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while True:
                await self.wake.wait()
                self.wake.clear()
                while self.state.outgoing:
                    delivery = self.state.deliveries.get(self.state.outgoing.popleft())
                    if delivery is not None:
                        await self._send(client, delivery)

    async def _send(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        app = self.state.apps[delivery.app_id]
        body = json.dumps(delivery.payload, separators=(",", ":")).encode()
        try:
            answer = await client.post(app.webhook_url, content=body, headers=_headers(app, delivery, body))
            code: int | None = answer.status_code
        except httpx.HTTPError:
            code = None
        with self.state.lock:
            if self.state.deliveries.get(delivery.id) is not delivery:
                return  # forgotten by a reset meanwhile
            delivery.attempts += 1
            delivery.status_code = code
            delivery.status = "delivered" if code is not None and code < 300 else "failed"
            self.state.deliveries.save(delivery)
            self.state.commit()


def _headers(app: App, delivery: Delivery, body: bytes) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/localhub",
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Hook-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-ID": str(app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
    }
    if app.webhook_secret:
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(app.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    return headers
