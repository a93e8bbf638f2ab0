"""What would let the provider reach out on the agent's behalf, past a sandbox that has no network."""

from collections.abc import Mapping, Sequence

from runner.agents.shape import Provider
from runner.models.shapes import Body, Refused

# A tool of the provider's own that asks the internet: by the beginning of its type, or (Gemini) by the name of its field.
_SEARCHING = {
    "anthropic": ("web_search", "web_fetch"),
    "openai": ("web_search",),
    "gemini": ("googleSearch", "google_search", "urlContext", "url_context", "googleMaps", "google_maps", "enterpriseWebSearch"),
}
_CALLING = ("mcp", "remote_mcp")
# Where a conversation lies in a request.
_CONVERSATION = ("messages", "input", "contents", "system", "systemInstruction", "system_instruction", "generateContentRequest")
# What a tool was called with and what a function answered is data of any shape, which no provider follows.
_DATA = {"tool_use": "input", "server_tool_use": "input"}
_FUNCTION_DATA = {"functionCall", "function_call", "functionResponse", "function_response"}
_ADDRESSES = ("url", "image_url", "file_url", "fileUri", "file_uri")
_FAR = ("http:", "https:", "gs:")


def keep_inside(provider: Provider, body: Body) -> list[str]:
    """Takes the searching tools out of `body` and returns their names; raises Refused for what cannot be taken out."""
    if body.get("mcp_servers") or any(_type(tool) in _CALLING for tool in _tools(body)):
        raise Refused(400, "shoal: an MCP server that the provider calls lies outside the sandbox; it is not let through")
    if any(_refers_outside(body.get(name)) for name in _CONVERSATION):
        raise Refused(400, "shoal: a file or picture by its address would be fetched by the provider; send its bytes instead")
    gone = [name for tool in _tools(body) for name in [_searches(provider, tool)] if name]
    if gone:
        body["tools"] = [tool for tool in _tools(body) if not _searches(provider, tool)]
        if not body["tools"]:
            for name in ("tools", "tool_choice", "toolConfig", "tool_config"):
                body.pop(name, None)
    return gone


def _tools(body: Body) -> Sequence[object]:
    tools = body.get("tools")
    return tools if isinstance(tools, list) else ()


def _type(tool: object) -> str:
    return str(tool.get("type", "")) if isinstance(tool, dict) else ""


def _searches(provider: Provider, tool: object) -> str:
    """The name under which it does, empty: it does not."""
    names = _SEARCHING[provider]
    if provider == "gemini":
        return next((name for name in names if isinstance(tool, dict) and name in tool), "")
    return next((name for name in names if _type(tool).startswith(name)), "")


def _refers_outside(conversation: object) -> bool:
    waiting = [conversation]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            if any(_is_far(value.get(name)) for name in _ADDRESSES):
                return True
            waiting.extend(_followed(value))
    return False


def _followed(value: Mapping[str, object]) -> list[object]:
    data = _DATA.get(str(value.get("type")))
    return [each for name, each in value.items() if name != data and name not in _FUNCTION_DATA and isinstance(each, dict | list)]


def _is_far(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower().startswith(_FAR)
