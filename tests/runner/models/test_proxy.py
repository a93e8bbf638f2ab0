"""The model proxy: what goes out, what comes back, and what is counted on the way."""

import http.client
import json
import threading
from collections.abc import Mapping

import pytest

from tests.runner.models.provider import REAL_KEY, Call, Json, message, said, staged

ANTHROPIC_STREAM: list[Json] = [
    {"type": "message_start", "message": {"usage": {"input_tokens": 4, "cache_read_input_tokens": 1000, "output_tokens": 1}}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hello"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 100}},
    {"type": "message_stop"},
]
RESPONSES_STREAM: list[Json] = [
    {"type": "response.created", "response": {"error": None, "usage": None}},
    {"type": "response.output_text.delta", "delta": "hello"},
    {
        "type": "response.completed",
        "response": {
            "error": None,
            "usage": {"input_tokens": 1004, "input_tokens_details": {"cached_tokens": 1000}, "output_tokens": 100},
        },
    },
]
CHAT_STREAM: list[Json] = [
    {"choices": [{"delta": {"content": "hello"}}]},
    {
        "choices": [],
        "usage": {"prompt_tokens": 1004, "prompt_tokens_details": {"cached_tokens": 1000}, "completion_tokens": 100},
    },
]
GEMINI_STREAM: list[Json] = [
    {"candidates": [{"content": {}}], "usageMetadata": {"promptTokenCount": 1004, "candidatesTokenCount": 1}},
    {
        "candidates": [{"finishReason": "STOP"}],
        "usageMetadata": {
            "promptTokenCount": 1004,
            "cachedContentTokenCount": 1000,
            "candidatesTokenCount": 60,
            "thoughtsTokenCount": 40,
        },
    },
]
SHAPES = {
    "anthropic": ("/v1/messages", message(stream=True), "x-api-key", "", ANTHROPIC_STREAM),
    "responses": ("/v1/responses", {"model": "gpt-5", "input": "hi", "stream": True}, "authorization", "Bearer ", RESPONSES_STREAM),
    "chat": ("/v1/chat/completions", {"model": "gpt-5", "messages": [], "stream": True}, "authorization", "Bearer ", CHAT_STREAM),
    "gemini": ("/v1beta/models/gemini-2.5-pro:streamGenerateContent", {"contents": []}, "x-goog-api-key", "", GEMINI_STREAM),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_streamed_call_goes_out_with_the_real_key_and_is_counted(shape: str) -> None:
    """The agent shows its own key, the provider sees only the operator's; the answer's own figures are the usage."""
    path, body, header, scheme, events = SHAPES[shape]
    with staged(lambda call: call.stream(events)) as stage:
        reply = stage.ask(path, body, headers={header: scheme + stage.proxy.key, "cookie": "c", "openai-organization": "o"})
        assert reply.status == 200
        assert reply.body.count(b"data: ") == len(events)
        (call,) = stage.provider.calls
        assert call.headers[header] == scheme + REAL_KEY
        assert call.headers["accept-encoding"] == "identity"
        assert stage.proxy.key not in str(call.headers)
        assert not {"cookie", "openai-organization"} & {name.lower() for name in call.headers}
        usage = stage.proxy.usage
        assert (usage.turns, usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (1, 1004, 1000, 100)
        assert usage.cost_usd is not None
        assert usage.cost_usd > 0
        assert usage.network_bytes > len(reply.body)


@pytest.mark.parametrize(
    ("answer", "cost"),
    [
        (said(1000, 100), 1000 * 3 + 100 * 15),
        (said(0, 0, cache_read_input_tokens=1000, cache_creation_input_tokens=100), 1000 * 0.3 + 100 * 3.75),
    ],
)
def test_a_whole_answer_is_counted_and_priced(answer: Json, cost: float) -> None:
    """Read from the cache, written to the cache and plain: each at its own price, millionths of a dollar per token."""
    with staged(lambda call: call.answer(200, answer)) as stage:
        assert stage.ask("/v1/messages", message()).json == answer
        assert stage.proxy.usage.cost_usd == pytest.approx(cost / 1e6)


def test_chat_completions_are_made_to_say_their_usage() -> None:
    """A stream says nothing of its use unless it is asked to; what else was asked stays."""
    with staged(lambda call: call.stream(CHAT_STREAM)) as stage:
        asked = {"model": "gpt-5", "messages": [], "stream": True, "stream_options": {"x": 1}}
        stage.ask("/v1/chat/completions", asked)
        assert stage.provider.calls[0].json["stream_options"] == {"x": 1, "include_usage": True}


def test_without_limits_a_request_is_not_changed() -> None:
    """Nobody asked for a bound."""
    with staged(lambda call: call.answer(200, said(1, 1))) as stage:
        stage.ask("/v1/messages", message(64000))
        stage.ask("/v1/responses", {"model": "gpt-5", "input": "ü \ud800"})
        assert stage.provider.calls[0].json == message(64000)
        assert stage.provider.calls[1].json["input"].startswith("ü ")
        assert "max_output_tokens" not in stage.provider.calls[1].json


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-api-key": "another attempt's"}, {"authorization": "Basic x"}, {"authorization": "Bearer é"}, {"x-goog-api-key": ""}],
)
def test_only_the_attempts_own_key_opens(headers: Mapping[str, str]) -> None:
    """Nothing leaves; the refusal has the provider's shape."""
    with staged(lambda call: call.answer(200, said(1, 1))) as stage:
        reply = stage.ask("/v1/messages", message(), headers={**headers, "anthropic-version": "1"})
        assert reply.status == 403
        assert reply.json["error"] == {"type": "permission_error", "message": "shoal: this is not the key of this attempt"}
        assert stage.provider.calls == []
        assert stage.proxy.usage.turns == 0


def test_each_attempt_has_its_own_key() -> None:
    """One attempt's token is worth nothing at another's socket."""
    with staged(lambda call: call.answer(200, said(1, 1))) as mine, staged(lambda call: call.answer(200, said(1, 1))) as theirs:
        assert mine.ask("/v1/messages", message(), headers={"x-api-key": theirs.proxy.key}).status == 403
        assert theirs.ask(f"/v1beta/models?key={theirs.proxy.key}&alt=json", method="GET", headers={}).status == 200
        assert theirs.provider.calls[0].path == "/v1beta/models?alt=json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/messages/../messages/batches"),
        ("POST", "/v1/messages%2fbatches"),
        ("POST", "//v1/messages"),
        ("POST", "/v1/files"),
        ("GET", "/v1/responses/resp_1"),
        ("DELETE", "/v1/models/ft:x"),
        ("POST", "/v1beta/cachedContents"),
        ("POST", "/v1beta/models/x:batchGenerateContent"),
        ("POST", "/v1beta/models/../x:generateContent"),
        ("GET", "http://elsewhere/v1/files"),
        ("CONNECT", "elsewhere:443"),
    ],
)
def test_other_doors_stay_shut(method: str, path: str) -> None:
    """What is not a call that we can count does not leave."""
    with staged(lambda call: call.answer(200, {})) as stage:
        assert stage.ask(path, {}, method=method).status == 403
        assert stage.provider.calls == []


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/v1/models", "/v1/models/claude-x"])
def test_what_costs_nothing_is_no_turn(path: str) -> None:
    """It passes all the same."""
    with staged(lambda call: call.answer(200, {"input_tokens": 5})) as stage:
        assert stage.ask(path, message(), method="POST" if "count" in path else "GET").status == 200
        assert stage.provider.calls[0].headers["x-api-key"] == REAL_KEY
        assert stage.proxy.usage.turns == 0


def test_streaming_is_not_buffered() -> None:
    """The first event is with the agent before the provider sends its last: the provider waits until it is told so."""
    heard = threading.Event()

    def script(call: Call) -> None:
        call.begin_stream()
        call.event(ANTHROPIC_STREAM[0])
        assert heard.wait(20)
        call.event(ANTHROPIC_STREAM[2])
        call.end_stream()

    moved: list[int] = []
    with staged(script) as stage:
        stage.proxy.moved = lambda: moved.append(1)
        connection = stage.connect()
        connection.request("POST", "/v1/messages", json.dumps(message(stream=True)), {"x-api-key": stage.proxy.key})
        response = connection.getresponse()
        assert response.readline() == b"event: message_start\n"
        assert len(moved) == 1
        heard.set()
        assert b"message_delta" in response.read()
        connection.close()


def test_a_stream_that_breaks_off_is_told_and_counted() -> None:
    """The agent sees a broken answer, not a whole one; the input that was named and the output that was heard are counted."""

    def script(call: Call) -> None:
        call.begin_stream()
        call.event(ANTHROPIC_STREAM[0])
        call.event({"type": "content_block_delta", "delta": {"text": "x" * 4000}})
        call.die()

    with staged(script) as stage:
        connection = stage.connect()
        connection.request("POST", "/v1/messages", json.dumps(message(50_000)), {"x-api-key": stage.proxy.key})
        response = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        connection.close()
        assert stage.proxy.usage.turns == 1
        assert stage.proxy.usage.input_tokens == 1004
        assert stage.proxy.usage.output_tokens >= 1000
        assert stage.proxy.trouble is not None
        assert stage.proxy.trouble.status == 0


def test_an_agent_that_hangs_up_ends_the_call_and_pays_for_it() -> None:
    """The provider's connection is closed at once, also while it says nothing."""
    ended = threading.Event()

    def script(call: Call) -> None:
        call.begin_stream()
        call.event(ANTHROPIC_STREAM[0])
        assert call.connection.recv(1) == b""
        ended.set()

    with staged(script) as stage:
        connection = stage.connect()
        connection.request("POST", "/v1/messages", json.dumps(message(stream=True)), {"x-api-key": stage.proxy.key})
        response = connection.getresponse()
        response.readline()
        response.close()
        connection.close()
        assert ended.wait(20)
    assert stage.proxy.usage.turns == 1
    assert stage.proxy.usage.input_tokens == 1004


def test_the_end_of_the_proxy_settles_what_is_under_way() -> None:
    """Nothing that was spent is lost when a pass is ended in the midst of a call."""

    def script(call: Call) -> None:
        call.begin_stream()
        call.event(ANTHROPIC_STREAM[0])
        call.connection.recv(1)

    with staged(script) as stage:
        connection = stage.connect()
        connection.request("POST", "/v1/messages", json.dumps(message(stream=True)), {"x-api-key": stage.proxy.key})
        connection.getresponse().readline()
    connection.close()
    assert stage.proxy.usage.input_tokens == 1004
    assert not stage.socket.exists()


def test_one_connection_carries_many_calls_and_bodies_in_chunks() -> None:
    """As Node's and Rust's clients send them."""
    with staged(lambda call: call.answer(200, said(1, 1))) as stage:
        connection = stage.connect()
        text = json.dumps(message()).encode()
        for _ in range(3):
            parts = iter([text[:10], text[10:]])
            connection.request("POST", "/v1/messages", parts, {"x-api-key": stage.proxy.key}, encode_chunked=True)
            assert connection.getresponse().read()
        connection.close()
        assert [call.json for call in stage.provider.calls] == [message()] * 3
        assert stage.proxy.usage.turns == 3


def test_redirects_are_handed_over_and_not_followed() -> None:
    """The key goes where the operator said and nowhere else."""
    with staged(lambda call: call.answer(307, {}, {"location": "http://127.0.0.1:9/"})) as stage:
        assert stage.ask("/v1/messages", message()).status == 307
        assert len(stage.provider.calls) == 1


def test_a_body_that_is_too_long_is_refused_by_name() -> None:
    """And read to its end, so that its sender hears the answer."""
    with staged(lambda call: call.answer(200, said(1, 1))) as stage:
        reply = stage.ask("/v1/messages", message(system="x" * (33 << 20)))
        assert (reply.status, "32 MiB" in reply.json["error"]["message"]) == (413, True)
        assert stage.provider.calls == []


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"max_tokens": NaN}', "[" * 100_000, "[" + "{}," * 1_100_000 + "{}]"])
def test_what_is_no_call_never_leaves(text: str) -> None:
    """Neither does what could fill the memory."""
    with staged(lambda call: call.answer(200, said(1, 1))) as stage:
        connection = stage.connect()
        connection.request("POST", "/v1/messages", text, {"x-api-key": stage.proxy.key})
        assert connection.getresponse().status in {400, 413}
        connection.close()
        assert stage.provider.calls == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"model": "gpt-5", "input": "x", "background": True}),
        ("/v1/responses", {"model": "gpt-5", "input": "x", "tools": [{"type": "mcp", "server_url": "https://elsewhere"}]}),
        ("/v1/messages", message(mcp_servers=[{"url": "https://elsewhere"}])),
        ("/v1beta/models/gemini-2.5-pro:generateContent", {"contents": [], "cached_content": "x"}),
        ("/v1/messages", message(-5)),
    ],
)
def test_what_cannot_be_counted_or_leads_elsewhere_is_refused(path: str, body: Json) -> None:
    """The provider would work unseen, or call other servers on the agent's behalf."""
    with staged(lambda call: call.answer(200, {})) as stage:
        assert stage.ask(path, body).status == 400
        assert stage.provider.calls == []


def test_a_provider_that_repeats_the_key_does_not_tell_it() -> None:
    """Error texts reach the agent, the operator's key does not; it is the operator who must mend it."""
    with staged(lambda call: call.answer(401, {"error": {"message": f"Incorrect API key provided: {REAL_KEY}"}})) as stage:
        reply = stage.ask("/v1/messages", message())
        assert reply.status == 401
        assert REAL_KEY not in reply.body.decode() + stage.proxy.refused_key
        assert stage.proxy.refused_key.startswith("401: ")
        assert stage.proxy.trouble is None
        assert stage.proxy.usage.turns == 0


def test_trouble_is_remembered_until_a_call_goes_well() -> None:
    """What counts is the last word."""
    answers = iter([(529, {}), (429, {"retry-after": "7"}), (200, {})])

    def script(call: Call) -> None:
        status, headers = next(answers)
        call.answer(status, said(1, 1) if status == 200 else {"error": {"message": "busy"}}, headers)

    with staged(script) as stage:
        seen = []
        for _ in range(3):
            stage.ask("/v1/messages", message())
            seen.append(stage.proxy.trouble and stage.proxy.trouble[:2])
        assert seen == [(529, None), (429, 7.0), None]
        assert stage.proxy.usage.turns == 1


def test_an_error_inside_a_stream_is_trouble_too() -> None:
    """It began with 200."""
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with staged(lambda call: call.stream([ANTHROPIC_STREAM[0], error])) as stage:
        stage.ask("/v1/messages", message(stream=True))
        assert stage.proxy.trouble == (529, None, "overloaded_error: Overloaded")


def test_a_provider_that_is_not_there_is_trouble() -> None:
    """The agent gets an answer that it may try again on."""
    with staged(lambda call: call.die()) as stage:
        assert stage.ask("/v1/messages", message()).status == 502
        assert stage.proxy.trouble is not None
        assert (stage.proxy.trouble.status, stage.proxy.usage.turns) == (0, 0)


def test_each_pass_has_its_own_usage() -> None:
    """Beside that of the whole attempt."""
    with staged(lambda call: call.answer(200, said(10, 5))) as stage:
        stage.ask("/v1/messages", message())
        stage.proxy.begin_pass()
        assert stage.proxy.pass_usage.turns == 0
        stage.ask("/v1/messages", message())
        assert stage.proxy.pass_usage.input_tokens == 10
        assert stage.proxy.usage.input_tokens == 20


def test_a_model_of_unknown_price_has_no_cost_and_says_so() -> None:
    """Nothing is made up."""
    with staged(lambda call: call.answer(200, said(10, 5))) as stage:
        stage.ask("/v1/messages", {**message(), "model": "house-model"})
        assert stage.proxy.usage.cost_usd is None
        assert stage.proxy.notes == ("The price of the model 'house-model' is not known, so the cost is not known either.",)
