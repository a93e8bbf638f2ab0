"""OpenAI's Responses and Chat Completions APIs, which many other providers speak too."""

import re

from runner.agents.shape import Provider
from runner.models.shapes import Ask, Body, Counted, Failure, Refused, limit, number, part

NAME: Provider = "openai"
# By custom this address holds the version already.
PUBLIC_URL = "https://api.openai.com/v1"

_MODELS = re.compile(r"/v1/models(/[A-Za-z0-9._:-]+)?")
_POSTS = {"/v1/responses", "/v1/chat/completions"}
_PRIORITY = 2.0
# Each of these starts work that is paid for but never seen by us.
_UNSEEN = ("background", "conversation", "prompt")
_IN_STREAM = {"rate_limit_exceeded": 429, "insufficient_quota": 429, "invalid_api_key": 401, "server_is_overloaded": 503}
_BY_STATUS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error"}


def allows(method: str, path: str) -> bool:
    return (method == "POST" and path in _POSTS) or (method == "GET" and _MODELS.fullmatch(path) is not None)


def generates(path: str) -> bool:
    return path in _POSTS


def target(base: str, path: str) -> str:
    return base + path.removeprefix("/v1")


def credential(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def ask(path: str, body: Body) -> Ask:
    model = body.get("model")
    if not isinstance(model, str):
        raise Refused(400, "model: a name is needed")
    for name in _UNSEEN:
        if body.get(name):
            raise Refused(400, f"shoal: {name} is not let through, since what it costs could not be counted")
    if any(part(tool).get("type") == "mcp" for tool in _items(body.get("tools"))):
        raise Refused(400, "shoal: tools of type mcp would let the provider call other servers from outside the sandbox")
    answers = limit(body, "n") or 1
    factor = _PRIORITY if body.get("service_tier") in {"priority", "fast"} else 1.0
    return Ask(model, limit(body, *_limits(body)), answers=answers, factor=factor)


def prepare(body: Body, output: int | None) -> None:
    if "messages" in body and body.get("stream"):
        body["stream_options"] = {**part(body, "stream_options"), "include_usage": True}
    if output is not None:
        names = _limits(body)
        used = next((name for name in names if body.get(name) is not None), names[0])
        for name in names:
            body.pop(name, None)
        body[used] = output


def counted(event: Body) -> Counted | None:
    usage = part(event, "usage") or part(event, "response", "usage")
    if not usage:
        return None
    details = part(usage, "input_tokens_details") or part(usage, "prompt_tokens_details")
    return Counted(
        input=number(usage, "input_tokens", "prompt_tokens"),
        cached=number(details, "cached_tokens"),
        written=number(details, "cache_write_tokens", "cache_creation_tokens"),
        output=number(usage, "output_tokens", "completion_tokens"),
        final=True,
    )


def failure(event: Body) -> Failure | None:
    if event.get("type") not in {"error", "response.failed"} and not part(event, "error"):
        return None
    said = part(event, "response", "error") or part(event, "error") or event
    code = str(said.get("code") or said.get("type") or "")
    return Failure(_IN_STREAM.get(code, 500), f"{code}: {said.get('message', '')}")


def error(status: int, message: str) -> Body:
    return {"error": {"message": message, "type": _BY_STATUS.get(status, "server_error"), "param": None, "code": None}}


def _limits(body: Body) -> tuple[str, ...]:
    return ("max_completion_tokens", "max_tokens") if "messages" in body else ("max_output_tokens",)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
