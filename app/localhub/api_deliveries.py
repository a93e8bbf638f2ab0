"""An App's log of webhooks, and sending one again: its only way to hear of what it missed."""

from app.localhub.calls import Call, Json, Reply
from app.localhub.errors import not_found
from app.localhub.records import Delivery

_SHOWN = {"delivered", "failed", "dropped"}


def listing(call: Call) -> Reply:
    """Newest first, page by page with a cursor; what is still on its way is not in it."""
    rows = [row for row in call.state.deliveries if row.app_id == call.app.id and row.status in _SHOWN]
    rows.reverse()
    size = min(max(int(call.query.get("per_page") or 30), 1), 100)
    start = int((call.query.get("cursor") or "v1_0").removeprefix("v1_"))
    shown = rows[start : start + size]
    more = start + size < len(rows)
    link = {"Link": f'<{call.url}?per_page={size}&cursor=v1_{start + size}>; rel="next"'} if more else {}
    return Reply(200, [_item(row) for row in shown], link)


def redeliver(call: Call) -> Reply:
    """Another attempt under the same GUID."""
    row = call.state.deliveries.get(call.number("delivery_id"))
    if row is None or row.app_id != call.app.id:
        raise not_found()
    call.hub.webhooks.send_again(row)
    return Reply(202, {})


def _item(row: Delivery) -> Json:
    return {
        "id": row.id,
        "guid": row.guid,
        "delivered_at": row.created_at,
        "redelivery": row.redelivery,
        "duration": 0.1,
        "status": _word(row),
        "status_code": row.status_code or 0,
        "event": row.event,
        "action": row.action,
        "installation_id": row.installation_id,
        "repository_id": (row.payload.get("repository") or {}).get("id"),
        "throttled_at": None,
    }


def _word(row: Delivery) -> str:
    if row.status == "delivered":
        return "OK"
    return f"Invalid HTTP Response: {row.status_code}" if row.status_code else "failed to connect to host"
