"""Anthropic's Messages API."""

import re

from runner.agents.shape import Provider
from runner.models.shapes import Ask, Body, Counted, Failure, Refused, limit, number, part

NAME: Provider = "anthropic"
PUBLIC_URL = "https://api.anthropic.com"

_MODELS = re.compile(r"/v1/models(/[A-Za-z0-9._:@-]+)?")
# Fewest tokens beyond its thinking with which an answer still makes sense.
_BEYOND_THINKING = 256
# What "fast" answers cost, as a multiple.
_FAST = 6.0
_IN_STREAM = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "api_error": 500,
    "authentication_error": 401,
    "permission_error": 403,
    "billing_error": 402,
    "timeout_error": 504,
}
_BY_STATUS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


def allows(method: str, path: str) -> bool:
    return (method == "POST" and path in {"/v1/messages", "/v1/messages/count_tokens"}) or (
        method == "GET" and _MODELS.fullmatch(path) is not None
    )


def generates(path: str) -> bool:
    return path == "/v1/messages"


def target(base: str, path: str) -> str:
    return base + path


def credential(key: str) -> dict[str, str]:
    return {"x-api-key": key}


def ask(path: str, body: Body) -> Ask:
    model = body.get("model")
    if not isinstance(model, str):
        raise Refused(400, "model: a name is needed")
    if body.get("mcp_servers"):
        raise Refused(400, "shoal: mcp_servers would let the provider call other servers from outside the sandbox")
    thinking = number(body.get("thinking"), "budget_tokens")
    factor = _FAST if body.get("speed") not in (None, "standard") else 1.0
    return Ask(model, limit(body, "max_tokens"), thinking + _BEYOND_THINKING, factor=factor)


def prepare(body: Body, output: int | None) -> None:
    if output is not None:
        body["max_tokens"] = output


def counted(event: Body) -> Counted | None:
    usage = part(event, "usage") or part(event, "message", "usage")
    if not usage:
        return None
    cached, written = number(usage, "cache_read_input_tokens"), number(usage, "cache_creation_input_tokens")
    hour = min(written, number(part(usage, "cache_creation"), "ephemeral_1h_input_tokens"))
    return Counted(
        input=number(usage, "input_tokens") + cached + written,
        cached=cached,
        written=written - hour,
        written_hour=hour,
        output=number(usage, "output_tokens"),
        final=event.get("type") in {"message", "message_delta"},
    )


def failure(event: Body) -> Failure | None:
    if event.get("type") != "error":
        return None
    kind = str(part(event, "error").get("type", ""))
    return Failure(_IN_STREAM.get(kind, 500), f"{kind}: {part(event, 'error').get('message', '')}")


def error(status: int, message: str) -> Body:
    return {"type": "error", "error": {"type": _BY_STATUS.get(status, "api_error"), "message": message}}
