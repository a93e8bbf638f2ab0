"""Who is calling: App JWTs verified with the App's public key, installation and personal tokens looked up by digest."""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import jwt

from app.localhub.errors import Refused, bad_credentials, not_found, suspended
from app.localhub.records import Account, App, Installation, Token
from app.localhub.state import State

_JWT_LIFE_SECONDS = 600
_CLOCK_DRIFT_SECONDS = 60
TOKEN_LIFE_SECONDS = 3600


@dataclass(frozen=True)
class AppItself:
    """An App, proved by its JWT."""

    app: App


@dataclass(frozen=True)
class InstallationActor:
    """An App on some repositories, proved by an installation token."""

    app: App
    installation: Installation
    token: Token
    account: Account


@dataclass(frozen=True)
class Person:
    """Somebody with a personal token."""

    account: Account


Actor = AppItself | InstallationActor | Person


def identify(state: State, authorization: str | None) -> Actor:
    """The actor behind an Authorization header, or 401."""
    scheme, _, credential = (authorization or "").partition(" ")
    credential = credential.strip()
    if not credential:
        raise Refused(401, "Requires authentication")
    if scheme.lower() == "basic":
        return identify_token(state, password_of(credential))
    if credential.startswith("ey") and credential.count(".") == 2:
        return AppItself(_verified_app(state, credential))
    return identify_token(state, credential)


def identify_code(state: State, code: str) -> AppItself:
    """The App whose manifest led to this code; whoever has the code needs no other credential, once and for an hour."""
    found = state.apps.find(lambda row: bool(row.code) and secrets.compare_digest(row.code, code))
    if found is None or found.code_expires_at <= state.now():
        raise not_found()
    return AppItself(found)


def identify_token(state: State, secret: str) -> Actor:
    """The holder of an installation's or a person's token, or 401."""
    digest = _digest(secret)
    token = state.tokens.find(lambda row: row.digest == digest)
    if token is None or token.revoked or (token.expires_at is not None and token.expires_at <= state.now()):
        raise bad_credentials()
    if token.installation_id is not None:
        installation = state.installations.get(token.installation_id)
        if installation is None:
            raise bad_credentials()
        if installation.suspended_at:
            raise suspended()
        app = state.apps[installation.app_id]
        return InstallationActor(app, installation, token, state.accounts[app.bot_id])
    if token.account_id is None:
        raise AssertionError("a token belongs to an installation or a person")
    return Person(state.accounts[token.account_id])


def password_of(basic: str) -> str:
    """The password in a Basic credential; the user name says nothing."""
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise bad_credentials() from error


def mint(state: State, **fields: Any) -> tuple[str, Token]:
    """A new token: its secret, told once, and its record."""
    token_id = state.next_id()
    if "installation_id" in fields:
        # Today's form: long, with dots, to be taken as opaque.
        app_id = state.installations[fields["installation_id"]].app_id
        secret = f"ghs_{app_id}_{secrets.token_urlsafe(27)}.{secrets.token_urlsafe(120)}.{secrets.token_urlsafe(48)}"
    else:
        secret = f"ghp_{secrets.token_hex(18)}"
    return secret, state.tokens.save(Token(id=token_id, digest=_digest(secret), **fields))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _verified_app(state: State, encoded: str) -> App:
    try:
        claims = jwt.decode(encoded, options={"verify_signature": False})
        issuer = str(claims.get("iss", ""))
        app = state.apps.find(lambda row: issuer in {str(row.id), row.client_id})
        if app is None:
            raise Refused(401, "Integration not found")
        # The times are checked below, against this server's own clock.
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        jwt.decode(encoded, app.public_key_pem, algorithms=["RS256"], options=options)
    except jwt.PyJWTError as error:
        raise Refused(401, "A JSON web token could not be decoded") from error
    _check_times(claims, state.now())
    return app


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or issued > now + _CLOCK_DRIFT_SECONDS:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
    if not isinstance(expires, int) or expires <= now:
        raise Refused(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        )
    if expires > now + _JWT_LIFE_SECONDS + 1:  # one second for the client's rounding
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
