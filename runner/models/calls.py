"""A request of the agent's, made ours: whose API it is, whether it may pass, and what of it is sent on."""

import hmac
import json
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from runner.models.keys import APIS, Keys
from runner.models.shapes import Api, Body, Refused

Headers = Sequence[tuple[bytes, bytes]]

# Only these go on: a credential under any other name, and what says who pays, stay here.
_SENT_ON = {b"content-type", b"accept", b"user-agent", b"openai-beta", b"originator", b"session_id", b"conversation_id"}
_SENT_ON_PREFIXES = (b"anthropic-", b"x-stainless-", b"x-codex-", b"x-goog-api-client")
_QUERY_SENT_ON = {"alt", "beta", "limit", "after_id", "before_id", "after", "pageSize", "pageToken"}
_KEPT_BACK = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"content-length",
    b"content-encoding",
    b"set-cookie",
    b"openai-organization",
    b"openai-project",
    b"anthropic-organization-id",
}
# A few bytes of JSON can become a hundred times as many in memory.
_MOST_PARTS = 1_000_000


class Incoming(NamedTuple):
    """What stood at the head of a request."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Headers

    @classmethod
    def read(cls, method: bytes, target: bytes, headers: Headers) -> "Incoming":
        parts = urlsplit(target.decode("ascii", "replace"))
        return cls(method.decode(), parts.path, tuple(parse_qsl(parts.query)), headers)

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for found, value in self.headers if found == name), "")


class Outgoing(NamedTuple):
    """What is sent to the provider instead."""

    method: str
    url: str
    headers: list[tuple[bytes, bytes]]


def api_of(incoming: Incoming) -> Api:
    """Whose API is meant; where the path alone does not tell (`/v1/models`), the headers do."""
    is_anthropics = bool(incoming.header(b"anthropic-version") or incoming.header(b"x-api-key"))
    preferred = APIS["anthropic"] if is_anthropics else APIS["openai"]
    candidates = [preferred, *(api for api in APIS.values() if api is not preferred)]
    return next((api for api in candidates if api.allows(incoming.method, incoming.path)), preferred)


def check(incoming: Incoming, api: Api, key: str) -> None:
    """Raises Refused unless the request shows the attempt's key and asks for something that is let through."""
    shown = [incoming.header(b"x-api-key"), incoming.header(b"x-goog-api-key")]
    scheme, _, bearer = incoming.header(b"authorization").partition(" ")
    shown += [bearer.strip()] if scheme.lower() == "bearer" else []
    shown += [value for name, value in incoming.query if name == "key"]
    if not any(hmac.compare_digest(each.encode(), key.encode()) for each in shown):
        raise Refused(403, "shoal: this is not the key of this attempt")
    if not api.allows(incoming.method, incoming.path):
        raise Refused(403, f"shoal: {incoming.method} {incoming.path[:200]} is not let through by the model proxy")


def outgoing(incoming: Incoming, api: Api, keys: Keys) -> Outgoing:
    """Raises Refused when the operator has no key for that provider."""
    upstream = keys.upstreams.get(api.NAME)
    if upstream is None:
        raise Refused(403, f"shoal: the operator has no model key for {api.NAME}")
    kept = [(name, value) for name, value in incoming.query if name in _QUERY_SENT_ON]
    url = api.target(upstream.url, incoming.path) + (f"?{urlencode(kept)}" if kept else "")
    headers = [(name, value) for name, value in incoming.headers if name in _SENT_ON or name.startswith(_SENT_ON_PREFIXES)]
    headers += [(name.encode(), value.encode()) for name, value in api.credential(upstream.key).items()]
    return Outgoing(incoming.method, url, headers)


def sent_back(headers: Headers) -> list[tuple[bytes, bytes]]:
    """What of the provider's headers the agent sees."""
    return [(name, value) for name, value in headers if name.lower() not in _KEPT_BACK]


def parse(body: bytes) -> Body:
    """Raises Refused for what the provider might read in another way than we do, or what would fill the memory."""
    if sum(body.count(mark) for mark in (b"{", b"[", b",")) > _MOST_PARTS:
        raise Refused(413, "shoal: the request has too many parts")
    try:
        found = json.loads(body, parse_constant=_no_constant)
        render(found)  # what is nested too deeply to be written again is found now, before anything is set aside for it
    except (ValueError, RecursionError):
        raise Refused(400, "shoal: the request is not JSON") from None
    if not isinstance(found, dict):
        raise Refused(400, "shoal: the request is not a JSON object")
    return found


def render(body: object) -> bytes:
    """Written anew, so that a name that stood there twice stands there once."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _no_constant(name: str) -> object:
    raise ValueError(name)
