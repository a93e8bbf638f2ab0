"""Google's Gemini API; its JSON has two spellings of every name."""

import re

from runner.agents.shape import Provider
from runner.models.shapes import Ask, Body, Counted, Failure, Refused, limit, number, part

NAME: Provider = "gemini"
PUBLIC_URL = "https://generativelanguage.googleapis.com"

_CALL = re.compile(r"/v1beta/models/([A-Za-z0-9._-]+):(generateContent|streamGenerateContent|countTokens)")
_MODELS = re.compile(r"/v1beta/models(/[A-Za-z0-9._-]+)?")
_CONFIG = ("generationConfig", "generation_config")
_OUTPUT = ("maxOutputTokens", "max_output_tokens")
_ANSWERS = ("candidateCount", "candidate_count")
_CACHED = ("cachedContent", "cached_content")
_BY_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


def allows(method: str, path: str) -> bool:
    return (method == "POST" and _CALL.fullmatch(path) is not None) or (method == "GET" and _MODELS.fullmatch(path) is not None)


def generates(path: str) -> bool:
    return path.endswith(("enerateContent",))


def target(base: str, path: str) -> str:
    return base + path


def credential(key: str) -> dict[str, str]:
    return {"x-goog-api-key": key}


def ask(path: str, body: Body) -> Ask:
    called = _CALL.fullmatch(path)
    if not called:
        raise Refused(404, f"{path} names no model")
    if any(body.get(name) for name in _CACHED):
        raise Refused(400, "shoal: cachedContent is not let through, since what it costs could not be counted")
    config = _config(body)
    return Ask(called[1], limit(config, *_OUTPUT), answers=limit(config, *_ANSWERS) or 1)


def prepare(body: Body, output: int | None) -> None:
    if output is None:
        return
    kept = {name: value for name, value in _config(body).items() if name not in _OUTPUT}
    for name in _CONFIG:
        body.pop(name, None)
    body[_CONFIG[0]] = {**kept, _OUTPUT[0]: output}


def counted(event: Body) -> Counted | None:
    usage = part(event, "usageMetadata")
    if not usage:
        return None
    candidates = event.get("candidates")
    ended = part(event, "promptFeedback").get("blockReason") or (
        isinstance(candidates, list) and any(part(each).get("finishReason") for each in candidates)
    )
    return Counted(
        input=number(usage, "promptTokenCount") + number(usage, "toolUsePromptTokenCount"),
        cached=number(usage, "cachedContentTokenCount"),
        output=number(usage, "candidatesTokenCount") + number(usage, "thoughtsTokenCount"),
        final=bool(ended),
    )


def failure(event: Body) -> Failure | None:
    said = part(event, "error")
    return Failure(number(said, "code") or 500, f"{said.get('status', '')}: {said.get('message', '')}") if said else None


def error(status: int, message: str) -> Body:
    return {"error": {"code": status, "message": message, "status": _BY_STATUS.get(status, "INTERNAL")}}


def _config(body: Body) -> Body:
    """Both spellings together."""
    return {**part(body, _CONFIG[1]), **part(body, _CONFIG[0])}
