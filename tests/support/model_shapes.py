"""PURE: the wire shapes of the models' APIs, read into one form and written from it: Anthropic, OpenAI (two), Gemini."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

Json = dict[str, Any]

_SHELLS: Mapping[str, str] = {
    "Bash": "command",
    "bash": "command",
    "exec_command": "cmd",
    "shell_command": "command",
    "run_shell_command": "command",
    "shell": "argv",
}


class Tool(NamedTuple):
    """A tool call by the CLI's own name for it; `arguments` as text is a free-form call (codex' apply_patch)."""

    name: str
    arguments: Mapping[str, Any] | str


class Turn(NamedTuple):
    """One answer of the model. `shell` is a command for whatever tool the CLI offers to run one.

    `wait_seconds` pass before it is answered (infinity: never), `cut` breaks the stream off in its middle.
    """

    text: str = ""
    shell: str = ""
    tools: tuple[Tool, ...] = ()
    input_tokens: int = 1000
    cached_tokens: int = 0
    output_tokens: int = 50
    wait_seconds: float = 0
    cut: bool = False


class Message(NamedTuple):
    """`role` is user (a prompt), assistant or tool (a result)."""

    role: str
    text: str


class Asked(NamedTuple):
    """A request in the common form; `tools` are the names that the CLI offers."""

    shape: str
    model: str
    messages: tuple[Message, ...]
    tools: tuple[str, ...]
    stream: bool


def turns_since(messages: Sequence[Message], prompt: int) -> int:
    """How often the model has answered since the message of that index; what it said in one go counts once."""
    return sum(role == "assistant" for role, _ in groupby(message.role for message in messages[prompt:]))


def calls(turn: Turn, asked: Asked) -> tuple[Tool, ...]:
    """The turn's tool calls in the CLI's own names; none when it offers no tools (a title, a summary)."""
    if not turn.shell or not asked.tools:
        return turn.tools if asked.tools else ()
    name = next((name for name in asked.tools if name in _SHELLS), "Bash")  # not offered: a model asks for it all the same
    argument = _SHELLS[name]
    arguments = {"command": ["bash", "-c", turn.shell]} if argument == "argv" else {argument: turn.shell}
    described = {"description": "does it"} if name in {"Bash", "bash", "run_shell_command"} else {}
    return (Tool(name, {**arguments, **described}), *turn.tools)


def read(path: str, body: Json) -> Asked | None:
    """None when the path asks for no answer of a model."""
    if path == "/v1/messages":
        messages = tuple(_anthropic_message(message) for message in body["messages"])
        return Asked("anthropic", body["model"], messages, _names(body.get("tools", ())), bool(body.get("stream")))
    if path == "/v1/responses":
        items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
        found = tuple(message for item in items if (message := _responses_item(item)))
        return Asked("responses", body["model"], found, _names(body.get("tools", ())), bool(body.get("stream")))
    if path == "/v1/chat/completions":
        messages = tuple(Message(each["role"], _text(each.get("content"))) for each in body["messages"])
        tools = _names(tool["function"] for tool in body.get("tools", ()))
        return Asked("chat", body["model"], messages, tools, bool(body.get("stream")))
    if path.startswith("/v1beta/models/") and path.endswith(("enerateContent",)):
        tools = _names(each for tool in body.get("tools", ()) for each in tool.get("functionDeclarations", ()))
        model = path.removeprefix("/v1beta/models/").partition(":")[0]
        messages = tuple(_gemini_message(content) for content in body["contents"])
        return Asked("gemini", model, messages, tools, path.endswith("streamGenerateContent"))
    return None


def error(path: str, status: int, words: str) -> Json:
    """A refusal in the provider's own shape."""
    kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 529: "overloaded_error"}
    if path.startswith("/v1/messages"):
        return {"type": "error", "error": {"type": kind.get(status, "api_error"), "message": words}}
    if path.startswith("/v1beta/"):
        names = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        return {"error": {"code": status, "message": words, "status": names.get(status, "INTERNAL")}}
    return {"error": {"message": words, "type": kind.get(status, "server_error"), "code": None}}


def answer(turn: Turn, asked: Asked, number: int) -> tuple[Json, list[Json]]:
    """The answer as one JSON document, and as the events of a stream; `number` makes its ids unique."""
    tools = calls(turn, asked)
    make = {"anthropic": _anthropic, "responses": _responses, "chat": _chat, "gemini": _gemini}[asked.shape]
    return make(turn, tools, asked.model, f"{number:06d}")


def _names(tools: Iterable[Json]) -> tuple[str, ...]:
    return tuple(tool.get("name") or tool.get("type", "") for tool in tools)


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts: Iterable[object] = content if isinstance(content, list) else ()
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _anthropic_message(message: Json) -> Message:
    content = message["content"]
    is_result = isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)
    return Message("tool" if is_result else message["role"], _text(content))


def _responses_item(item: Json) -> Message | None:
    kind = item.get("type", "message")
    if kind.endswith("_output"):
        return Message("tool", str(item.get("output")))
    if kind in {"function_call", "custom_tool_call"}:
        return Message("assistant", "")
    return Message(item["role"], _text(item.get("content"))) if kind == "message" else None


def _gemini_message(content: Json) -> Message:
    is_result = any("functionResponse" in part for part in content["parts"])
    role = "assistant" if content.get("role") == "model" else "tool" if is_result else "user"
    return Message(role, _text(content["parts"]))


def _anthropic(turn: Turn, tools: Sequence[Tool], model: str, number: str) -> tuple[Json, list[Json]]:
    blocks: list[Json] = [{"type": "text", "text": turn.text}] if turn.text else []
    for index, tool in enumerate(tools):
        blocks.append({"type": "tool_use", "id": f"toolu_{number}_{index}", "name": tool.name, "input": tool.arguments})
    usage = {
        "input_tokens": turn.input_tokens - turn.cached_tokens,
        "cache_read_input_tokens": turn.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": turn.output_tokens,
    }
    stop = "tool_use" if tools else "end_turn"
    message: Json = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": model, "stop_sequence": None}
    begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(blocks):
        events += _anthropic_block(index, block)
    delta = {"stop_reason": stop, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": turn.output_tokens}})
    events.append({"type": "message_stop"})
    return {**message, "content": blocks, "stop_reason": stop, "usage": usage}, events


def _anthropic_block(index: int, block: Json) -> Iterator[Json]:
    is_text = block["type"] == "text"
    empty = {**block, "text": ""} if is_text else {**block, "input": {}}
    whole = {"type": "text_delta", "text": block["text"]} if is_text else {"type": "input_json_delta"}
    if not is_text:
        whole["partial_json"] = json.dumps(block["input"])
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    yield {"type": "content_block_delta", "index": index, "delta": whole}
    yield {"type": "content_block_stop", "index": index}


def _responses(turn: Turn, tools: Sequence[Tool], model: str, number: str) -> tuple[Json, list[Json]]:
    items: list[Json] = []
    if turn.text:
        content = [{"type": "output_text", "text": turn.text, "annotations": []}]
        items.append({"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed", "content": content})
    for index, tool in enumerate(tools):
        ids = {"id": f"item_{number}_{index}", "call_id": f"call_{number}_{index}", "name": tool.name}
        if isinstance(tool.arguments, str):
            items.append({"type": "custom_tool_call", **ids, "input": tool.arguments})
        else:
            items.append({"type": "function_call", **ids, "arguments": json.dumps(tool.arguments)})
    usage = {
        "input_tokens": turn.input_tokens,
        "input_tokens_details": {"cached_tokens": turn.cached_tokens},
        "output_tokens": turn.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": turn.input_tokens + turn.output_tokens,
    }
    whole: Json = {"id": f"resp_{number}", "object": "response", "model": model, "status": "completed"}
    whole |= {"output": items, "usage": usage}
    events: list[Json] = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}}]
    for index, item in enumerate(items):
        events.append({"type": "response.output_item.added", "output_index": index, "item": item})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return whole, [*events, {"type": "response.completed", "response": whole}]


def _chat(turn: Turn, tools: Sequence[Tool], model: str, number: str) -> tuple[Json, list[Json]]:
    message: Json = {"role": "assistant", "content": turn.text or None}
    made = [
        {"id": f"call_{number}_{i}", "type": "function", "function": {"name": tool.name, "arguments": json.dumps(tool.arguments)}}
        for i, tool in enumerate(tools)
    ]
    usage = {"prompt_tokens": turn.input_tokens, "completion_tokens": turn.output_tokens}
    usage["total_tokens"] = turn.input_tokens + turn.output_tokens
    details = {"prompt_tokens_details": {"cached_tokens": turn.cached_tokens}}
    base: Json = {"id": f"chatcmpl-{number}", "created": 1, "model": model}
    stop = "tool_calls" if tools else "stop"
    whole = {**base, "object": "chat.completion", "usage": {**usage, **details}}
    whole["choices"] = [{"index": 0, "message": {**message, **({"tool_calls": made} if made else {})}, "finish_reason": stop}]
    chunk = {**base, "object": "chat.completion.chunk"}
    streamed = {**message, **({"tool_calls": [{"index": i, **call} for i, call in enumerate(made)]} if made else {})}
    events = [
        {**chunk, "choices": [{"index": 0, "delta": streamed, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": stop}]},
        {**chunk, "choices": [], "usage": whole["usage"]},
    ]
    return whole, events


def _gemini(turn: Turn, tools: Sequence[Tool], model: str, number: str) -> tuple[Json, list[Json]]:
    parts: list[Json] = [{"text": turn.text}] if turn.text else []
    parts += [{"functionCall": {"name": tool.name, "args": tool.arguments}} for tool in tools]
    usage = {"promptTokenCount": turn.input_tokens, "cachedContentTokenCount": turn.cached_tokens}
    usage |= {"candidatesTokenCount": turn.output_tokens, "totalTokenCount": turn.input_tokens + turn.output_tokens}
    candidate = {"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    whole: Json = {"responseId": number, "modelVersion": model, "candidates": [candidate], "usageMetadata": usage}
    return whole, [whole]
