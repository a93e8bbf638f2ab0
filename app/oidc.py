"""Who a runner of GitHub Actions is: its OIDC token, checked against the issuer's keys and against what we dispatched."""

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import TransientError, UserError

_LEEWAY_SECONDS = 30
# Keys are looked for again at most this often, whatever tokens strangers send.
_COOL_DOWN_SECONDS = 30.0
_KEYS_LAST_SECONDS = 3600.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Claims(BaseModel):
    """What counts of a token; `sub`, which people can configure, is not among it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    repository_id: int
    run_id: int
    run_attempt: int
    workflow_ref: str
    event_name: str
    jti: str
    exp: int


@dataclass(frozen=True, slots=True)
class Expected:
    """The run that was dispatched."""

    repository_id: int
    run_id: int
    run_attempt: int
    workflow_ref: str


class NotProven(UserError):
    """The token does not prove what it should; the message says which part."""


def why_not(claims: Claims, expected: Expected) -> str:
    """The first claim that belongs to another run; empty when all fit."""
    if claims.repository_id != expected.repository_id:
        return f"the token is of repository {claims.repository_id}, the attempt of {expected.repository_id}"
    if claims.event_name != "workflow_dispatch":
        return f"the run was started by `{claims.event_name[:50]}`, not by a dispatch"
    if claims.workflow_ref != expected.workflow_ref:
        return f"the token is of workflow `{claims.workflow_ref[:200]}`, expected is `{expected.workflow_ref}`"
    if claims.run_id != expected.run_id:
        return f"the token is of run {claims.run_id}, the attempt was dispatched as run {expected.run_id}"
    if claims.run_attempt != expected.run_attempt:
        return f"run {claims.run_id} was run again by hand (attempt {claims.run_attempt}): label the issue again instead"
    return ""


@dataclass
class Verifier:
    """Holds the issuer's keys; they change, and are fetched again when a token names one that is not known."""

    issuer: str
    audience: str
    _keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    _fetched: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def count_keys(self) -> int:
        """How many the issuer has now; raises as `claims` does."""
        return len(await self._fetch())

    async def claims(self, token: str) -> Claims:
        """Raises NotProven, or TransientError when the issuer does not answer."""
        try:
            name = str(jwt.get_unverified_header(token).get("kid") or "")
        except jwt.PyJWTError as error:
            raise NotProven(f"this is no token: {error}") from error
        key = await self._key(name)
        try:
            data = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self.audience,
                issuer=self.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "jti"]},
            )
            return Claims.model_validate(data)
        except jwt.InvalidIssuerError as error:
            theirs = str(jwt.decode(token, options={"verify_signature": False}).get("iss"))[:200]
            raise NotProven(f"the token is of issuer `{theirs}`, expected is `{self.issuer}` (SHOAL_OIDC_ISSUER)") from error
        except jwt.PyJWTError as error:
            raise NotProven(f"the token is not valid: {error}") from error
        except ValidationError as error:
            raise NotProven(f"the token lacks {', '.join(str(detail['loc'][0]) for detail in error.errors())}") from error

    async def _key(self, name: str) -> jwt.PyJWK:
        async with self._lock:
            age = time.monotonic() - self._fetched
            if age > _KEYS_LAST_SECONDS or (name not in self._keys and age > _COOL_DOWN_SECONDS):
                self._keys = await self._fetch()
                self._fetched = time.monotonic()
        if name not in self._keys:
            raise NotProven(f"the token is signed by a key that {self.issuer} does not have")
        return self._keys[name]

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        trusts = urlsplit(self.issuer).hostname not in _LOOPBACK
        async with httpx.AsyncClient(timeout=10, trust_env=trusts) as http:
            try:
                found = (await http.get(f"{self.issuer}/.well-known/openid-configuration")).raise_for_status().json()
                address = str(found["jwks_uri"])
                if urlsplit(address)[:2] != urlsplit(self.issuer)[:2]:
                    raise UserError(f"{self.issuer} names keys at another host ({address}): they are not used")
                keys = (await http.get(address)).raise_for_status().json()
                return {str(key.key_id): key for key in jwt.PyJWKSet.from_dict(keys).keys if key.key_id}
            except (httpx.HTTPError, KeyError, TypeError, ValueError, jwt.PyJWTError) as error:
                raise TransientError(f"the keys of {self.issuer} could not be read: {error!r}") from error
