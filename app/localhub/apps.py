"""How an App comes into being, by the control door or from a manifest, and where it is installed."""

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.localhub.hub import Hub
from app.localhub.records import Account, App, Installation, Level, Repository


def register(hub: Hub, slug: str, owner: Account, **fields: Any) -> App:
    """The App and its bot."""
    bot = account(hub, f"{slug}[bot]", "Bot")
    app_id = hub.state.next_id()
    return hub.state.apps.save(
        App(
            id=app_id,
            client_id=f"Iv23li{app_id}",
            slug=slug,
            owner_id=owner.id,
            bot_id=bot.id,
            created_at=hub.state.stamp(),
            **fields,
        )
    )


def install(hub: Hub, app: App, repositories: list[Repository], permissions: dict[str, Level] | None = None) -> Installation:
    """The App on these repositories of one owner; permissions default to what it asks for."""
    return hub.state.installations.save(
        Installation(
            id=hub.state.next_id(),
            app_id=app.id,
            account_id=repositories[0].owner_id,
            repository_ids=[repository.id for repository in repositories],
            permissions=app.permissions if permissions is None else permissions,
            created_at=hub.state.stamp(),
        )
    )


def account(hub: Hub, login: str, kind: Any) -> Account:
    """The account of that login, made when it is new."""
    found = hub.state.accounts.find(lambda row: row.login.lower() == login.lower())
    if found is not None:
        return found
    return hub.state.accounts.save(Account(id=hub.state.next_id(), login=login, type=kind, created_at=hub.state.stamp()))


def key_pair() -> tuple[str, str]:
    """Private and public, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
