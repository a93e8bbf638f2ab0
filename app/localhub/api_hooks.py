"""An App's webhook: its address, and what became of the latest deliveries."""

from pydantic import BaseModel

from app.localhub.calls import Call, Json, Reply
from app.localhub.records import App, Delivery


class HookChange(BaseModel):
    """Body of a change; what is not named stays."""

    url: str | None = None
    secret: str | None = None


def config(call: Call) -> Reply:
    return Reply(200, _shown(call.app))


def change_config(call: Call) -> Reply:
    wanted = call.parse(HookChange)
    if wanted.url is not None:
        call.app.webhook_url = wanted.url
    if wanted.secret is not None:
        call.app.webhook_secret = wanted.secret
    call.state.apps.save(call.app)
    return Reply(200, _shown(call.app))


def _shown(app: App) -> Json:
    told = {"url": app.webhook_url, "secret": "********" if app.webhook_secret else ""}
    return {"content_type": "json", "insecure_ssl": "0", **{name: value for name, value in told.items() if value}}


def deliveries(call: Call) -> Reply:
    """Newest first, by cursor: a page may not shift while new ones come in."""
    done = call.state.deliveries.where(lambda row: row.app_id == call.app.id and row.attempts > 0)
    before = int(call.query.get("cursor") or 0)
    shown = [row for row in reversed(done) if not before or row.id < before]
    size = min(int(call.query.get("per_page") or 30), 100)
    page = shown[:size]
    more = {"Link": f'<{call.url}?per_page={size}&cursor={page[-1].id}>; rel="next"'} if len(shown) > size else {}
    return Reply(200, [_delivery(call, row) for row in page], more)


def _delivery(call: Call, row: Delivery) -> Json:
    ok = row.status == "delivered"
    word = "OK" if ok else f"Invalid HTTP Response: {row.status_code}" if row.status_code else "failed to connect to host"
    return {
        "id": row.id,
        "guid": row.guid,
        "delivered_at": row.created_at,
        "redelivery": row.attempts > 1,
        "duration": 0.1,
        "status": word,
        "status_code": row.status_code or 0,
        "event": row.event,
        "action": row.action,
        "installation_id": row.installation_id,
        "repository_id": row.payload.get("repository", {}).get("id"),
        "throttled_at": None,
    }
