"""Apps, installations, their tokens, and the people behind tokens."""

from typing import Any

from pydantic import BaseModel

from app.localhub import render
from app.localhub.auth import TOKEN_LIFE_SECONDS, InstallationActor, Person, mint
from app.localhub.calls import Call, Reply
from app.localhub.errors import Refused, not_for_integrations, not_found, suspended
from app.localhub.permissions import exceeds
from app.localhub.records import Installation, Level, Repository

RATE_WINDOW_SECONDS = 3600


def app(call: Call) -> Reply:
    return Reply(200, render.app(call.state, call.app))


def convert_manifest(call: Call) -> Reply:
    """All that the App will ever be told, for its code; the secrets are forgotten here, and the code with them."""
    row = call.app
    told = {
        **render.app(call.state, row),
        "client_secret": row.client_secret,
        "webhook_secret": row.webhook_secret or None,
        "pem": row.private_key_pem,
    }
    row.code, row.client_secret, row.private_key_pem = "", "", ""
    call.state.apps.save(row)
    return Reply(201, told)


def installations(call: Call) -> Reply:
    mine = call.state.installations.where(lambda row: row.app_id == call.app.id)
    return call.listing(mine, lambda row: render.installation(call.state, row))


def installation(call: Call) -> Reply:
    return Reply(200, render.installation(call.state, _mine(call)))


def repository_installation(call: Call) -> Reply:
    """Where the App is installed: the first call of a client that knows only a repository's name."""
    where = call.state.repository(call.path["owner"], call.path["repo"])
    found = call.state.installations.find(lambda row: row.app_id == call.app.id and where.id in row.repository_ids)
    if found is None:
        raise not_found()
    return Reply(200, render.installation(call.state, found))


class Narrowing(BaseModel):
    """What a token asks for; None is everything that the installation has."""

    repositories: list[str] | None = None
    repository_ids: list[int] | None = None
    permissions: dict[str, Level] | None = None


def create_token(call: Call) -> Reply:
    """An installation token for an hour, narrowed as asked, never wider than the installation."""
    where, asked = _mine(call), call.parse(Narrowing)
    if where.suspended_at:
        raise suspended()
    wanted = {name: level for name, level in (asked.permissions or {}).items() if name != "metadata"}
    if exceeds(wanted, where.permissions):
        raise Refused(422, "The permissions requested are not granted to this installation.")
    repositories = _narrowed(call, where, asked)
    permissions = where.permissions if asked.permissions is None else wanted
    expires = call.state.now() + TOKEN_LIFE_SECONDS
    secret, _ = mint(
        call.state,
        installation_id=where.id,
        permissions=permissions,
        repository_ids=None if repositories is None else [row.id for row in repositories],
        expires_at=expires,
    )
    body: dict[str, Any] = {
        "token": secret,
        "expires_at": call.state.stamp(expires),
        "permissions": {"metadata": "read", **permissions},
        "repository_selection": "selected",
    }
    if repositories is not None:
        body["repositories"] = [render.repository(call.state, row) for row in repositories]
    return Reply(201, body)


def _narrowed(call: Call, where: Installation, asked: Narrowing) -> list[Repository] | None:
    if asked.repositories is None and asked.repository_ids is None:
        return None
    covered = [call.state.repositories[row_id] for row_id in where.repository_ids]
    names, ids = set(asked.repositories or ()), set(asked.repository_ids or ())
    if names - {row.name for row in covered} or ids - {row.id for row in covered}:
        raise Refused(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
    return [row for row in covered if row.name in names or row.id in ids]


def revoke_token(call: Call) -> Reply:
    if not isinstance(call.actor, InstallationActor):
        raise Refused(403, "Resource not accessible by personal access token")
    call.actor.token.revoked = True
    call.state.tokens.save(call.actor.token)
    return Reply(204)


def installation_repositories(call: Call) -> Reply:
    """What this token may see."""
    if not isinstance(call.actor, InstallationActor):
        raise Refused(403, "You must authenticate with an installation access token in order to list repositories.")
    narrowed = call.actor.token.repository_ids
    ids = call.actor.installation.repository_ids if narrowed is None else narrowed
    page, headers = call.page(ids)
    shown = [render.repository(call.state, call.state.repositories[row_id]) for row_id in page]
    return Reply(200, {"total_count": len(ids), "repository_selection": "selected", "repositories": shown}, headers)


def me(call: Call) -> Reply:
    if not isinstance(call.actor, Person):
        raise not_for_integrations()
    return Reply(200, render.full_user(call.state, call.actor.account))


def app_by_slug(call: Call) -> Reply:
    """Public knowledge; Actions' own App is there before anybody runs a job."""
    wanted = call.path["app_slug"]
    found = call.state.apps.find(lambda row: row.slug == wanted)
    if found is None:
        raise not_found()
    return Reply(200, render.app(call.state, found))


def user(call: Call) -> Reply:
    return Reply(200, render.full_user(call.state, call.state.account(call.path["username"])))


def rate_limit(call: Call) -> Reply:
    """Free of charge, so the figures are those of the last other request."""
    used = call.hub.used.get(rate_key(call), 0)
    core = {
        "limit": call.hub.rate_limit,
        "used": used,
        "remaining": max(call.hub.rate_limit - used, 0),
        "reset": rate_reset(call.state.now()),
    }
    return Reply(200, {"resources": {"core": core, "search": {**core, "used": 0, "remaining": core["limit"]}}, "rate": core})


def rate_key(call: Call) -> str:
    """Who pays: an installation as a whole, or a person."""
    if isinstance(call.actor, InstallationActor):
        return f"installation ID {call.actor.installation.id}"
    return f"user ID {call.by.account_id}"


def rate_reset(now: float) -> int:
    """The end of the running hour."""
    return int(now // RATE_WINDOW_SECONDS + 1) * RATE_WINDOW_SECONDS


def _mine(call: Call) -> Installation:
    found = call.state.installations.get(call.number("installation_id"))
    if found is None or found.app_id != call.app.id:
        raise not_found()
    return found
