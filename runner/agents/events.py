"""PURE: what the lines of the table's agents mean."""

import re
from collections.abc import Iterable, Iterator

from runner.agents.lines import Json, deed, inner, money, number, parsed, text, usage
from runner.agents.shape import Event
from shared.models import Usage

_GEMINI_RETRY = re.compile(r"Attempt \d+ failed(?: with status (\d{3}))?")


def gemini(line: str) -> Iterable[Event]:
    """`gemini -o stream-json`; its retries are told in plain lines."""
    if retry := _GEMINI_RETRY.match(line):
        return (Event("retry", line[:300], status=int(retry[1] or 0)),)
    event = parsed(line)
    match event.get("type"):
        case "init":
            return (Event("started", f"{text(event, 'model')}, gemini", session=text(event, "session_id")),)
        case "message" if event.get("role") == "assistant":
            return (Event("said", text(event, "content")),)
        case "tool_use":
            return (Event("tool", deed(text(event, "tool_name"), inner(event, "parameters"))),)
        case "error":
            return (Event("error", text(event, "message")),)
        case "result":
            return (_gemini_result(event),)
    return ()


def _gemini_result(event: Json) -> Event:
    total = usage(inner(event, "stats"), "input_tokens", "cached", "output_tokens")
    if event.get("status") == "success":
        return Event("result", usage=total)
    error = inner(event, "error")
    limit = "turns" if text(error, "type") == "FatalTurnLimitedError" else ""
    return Event("result", text(error, "message") or "gemini gave no reason", usage=total, ok=False, limit=limit)


def opencode(line: str) -> Iterator[Event]:
    """`opencode run --format json`; no event says that it is done."""
    event = parsed(line)
    part = inner(event, "part")
    if event.get("type") == "step_start":
        yield Event("started", "opencode", session=text(event, "sessionID"))
    elif event.get("type") == "text":
        yield Event("said", text(part, "text") + "\n")
    elif event.get("type") == "tool_use":
        yield _opencode_tool(text(part, "tool"), inner(part, "state", "input"))
    elif event.get("type") == "step_finish":
        yield Event("turn", text(part, "id"), usage=_opencode_usage(part))
    elif event.get("type") == "error":
        error = inner(event, "error")
        words = text(inner(error, "data"), "message") or text(error, "message") or text(error, "name")
        yield Event("result", words, ok=False, status=number(inner(error, "data"), "statusCode"))


def _opencode_tool(name: str, given: Json) -> Event:
    """What a pass may not do is not among its tools: it answers such a call by a tool of its own that says so."""
    if name == "invalid" and "unavailable tool" in text(given, "error"):
        return Event("denied", f"{text(given, 'tool')}, which is not among its tools in this pass")
    return Event("tool", deed(name, given))


def _opencode_usage(part: Json) -> Usage:
    tokens, cache = inner(part, "tokens"), inner(part, "tokens", "cache")
    cached = number(cache, "read")
    taken = number(tokens, "input") + cached + number(cache, "write")
    given = number(tokens, "output") + number(tokens, "reasoning")
    # A model that it has no price for costs 0 in its eyes.
    return Usage(turns=1, input_tokens=taken, cached_tokens=cached, output_tokens=given, cost_usd=money(part, "cost") or None)


def plain(line: str) -> Iterable[Event]:
    """A program that talks to people: every line is a word of its answer."""
    return (Event("said", line + "\n"),) if line.strip() else ()


# What litellm calls what a provider answered; the model proxy knows the real status, where there is one.
_LITELLM = {
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "RateLimitError": 429,
    "Timeout": 408,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
    "APIConnectionError": 503,
}
_LITELLM_ERROR = re.compile(r"(Retrying .*)?(?:\w+: )?litellm\.(?:exceptions\.)?(\w+): ")
_PASSING = frozenset({408, 429, 500, 503})
_AIDER_SAYS = re.compile(r"Aider (v[\d.]+\S*)$|Applied edit to (.+)$|Tokens: |The API provider |Retrying in ")


def aider(line: str) -> Iterable[Event]:
    """A program that talks to people, and ends with exit code 0 whatever its provider answered: only its words tell."""
    if found := _AIDER_SAYS.match(line):
        version, file = found.groups()
        if version:
            return (Event("started", f"aider {version}"),)
        return (Event("tool", f"edit {file}"),) if file else ()  # the rest is advice on the error before it
    return _litellm(line) or plain(line)


def mini(line: str) -> Iterable[Event]:
    """The same library's errors, and all else is talk."""
    return _litellm(line) or plain(line)


def _litellm(line: str) -> tuple[Event, ...]:
    if not (found := _LITELLM_ERROR.match(line)):
        return ()
    again, name = found.groups()
    status = _LITELLM.get(name, 0)
    return (Event("retry" if again or status in _PASSING else "error", line.strip()[:1000], status=status),)


def copilot(line: str) -> Iterator[Event]:
    """`copilot --output-format json`; its result event holds no more than the exit code."""
    event = parsed(line)
    data = inner(event, "data")
    match event.get("type"):
        case "assistant.message":
            if text(data, "content"):
                yield Event("said", text(data, "content") + "\n")
            yield Event("turn", text(data, "apiCallId"), usage=Usage(turns=1, output_tokens=number(data, "outputTokens")))
        case "tool.execution_start":
            yield Event("tool", deed(text(data, "toolName"), inner(data, "arguments")))
        case "session.error" | "model.call_failure":
            yield Event("error", text(data, "message") or text(data, "errorMessage"), status=number(data, "statusCode"))
        case "result" if event.get("exitCode") == 0:
            yield Event("result", session=text(event, "sessionId"))
