"""The provider is not made the agent's arm: what it would fetch or call for it stays out of the requests."""

import pytest

from runner.agents.shape import Provider
from runner.models.reach import keep_inside
from runner.models.shapes import Refused
from tests.runner.models.provider import Json, message, said, staged

FAR = "https://elsewhere.example/?stolen=text"


def talk(*content: Json) -> Json:
    return {"messages": [{"role": "user", "content": list(content)}]}


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("anthropic", talk({"type": "image", "source": {"type": "url", "url": FAR}})),
        (
            "anthropic",
            talk({"type": "tool_result", "content": [{"type": "document", "source": {"type": "url", "url": f" {FAR}"}}]}),
        ),
        ("anthropic", {"mcp_servers": [{"type": "url", "url": FAR}]}),
        ("openai", talk({"type": "image_url", "image_url": {"url": FAR}})),
        ("openai", {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": FAR}]}]}),
        ("openai", {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": FAR.upper()}]}]}),
        ("openai", {"input": "x", "tools": [{"type": "mcp", "server_url": FAR}]}),
        ("gemini", {"contents": [{"parts": [{"fileData": {"fileUri": FAR}}]}]}),
        ("gemini", {"generateContentRequest": {"contents": [{"parts": [{"file_data": {"file_uri": FAR}}]}]}}),
    ],
)
def test_nothing_is_fetched_for_the_agent(provider: Provider, body: Json) -> None:
    """An address can carry what was read."""
    with pytest.raises(Refused):
        keep_inside(provider, body)


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("anthropic", talk({"type": "text", "text": FAR})),
        ("anthropic", talk({"type": "tool_use", "name": "fetch", "input": {"url": FAR}})),
        ("anthropic", {"tools": [{"name": "fetch", "input_schema": {"properties": {"url": {"default": FAR}}}}]}),
        ("openai", talk({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})),
        ("openai", {"input": FAR, "tools": [{"type": "function", "name": "web_search"}]}),
        ("gemini", {"contents": [{"parts": [{"functionCall": {"args": {"url": FAR}}}, {"inlineData": {"data": "AAAA"}}]}]}),
    ],
)
def test_talking_about_an_address_is_no_fetching(provider: Provider, body: Json) -> None:
    """Nor is what the agent's own tools are called with."""
    before = str(body)
    assert keep_inside(provider, body) == []
    assert str(body) == before


@pytest.mark.parametrize(
    ("provider", "tool", "own"),
    [
        ("anthropic", {"type": "web_search_20250305", "name": "web_search"}, {"name": "bash"}),
        ("openai", {"type": "web_search_preview"}, {"type": "function", "name": "shell"}),
        ("gemini", {"googleSearch": {}}, {"functionDeclarations": []}),
    ],
)
def test_searching_tools_are_taken_out(provider: Provider, tool: Json, own: Json) -> None:
    """The others stay; where none is left, nothing speaks of tools."""
    both: Json = {"tools": [tool, own], "tool_choice": "auto"}
    assert len(keep_inside(provider, both)) == 1
    assert both == {"tools": [own], "tool_choice": "auto"}
    alone: Json = {"tools": [tool], "tool_choice": "auto"}
    keep_inside(provider, alone)
    assert alone == {}


def test_the_proxy_says_what_it_took_out() -> None:
    """People see it in the report's notes, once."""
    with staged(lambda call: call.answer(200, said(1, 1))) as stage:
        for _ in range(2):
            stage.ask("/v1/messages", message(tools=[{"type": "web_search_20250305", "name": "web_search"}]))
        assert "tools" not in stage.provider.calls[0].json
        (note,) = stage.proxy.notes
        assert "web_search" in note
        refused = stage.ask("/v1/messages/count_tokens", talk({"type": "image", "source": {"type": "url", "url": FAR}}))
        assert (refused.status, len(stage.provider.calls)) == (400, 2)
