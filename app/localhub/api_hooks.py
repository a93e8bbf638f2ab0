"""An App's webhook: where it goes."""

from pydantic import BaseModel

from app.localhub.calls import Call, Json, Reply
from app.localhub.records import App


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
