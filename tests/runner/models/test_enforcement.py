"""The attempt's limits hold at the proxy, whatever the agent believes about them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.models import AttemptLimits, Usage
from tests.runner.models.provider import Call, Json, message, said, staged


def write_as_much_as_allowed(call: Call) -> None:
    """The worst model there is: it always uses the whole of its limit."""
    call.answer(200, said(20, call.json["max_tokens"]))


def test_a_used_up_cost_limit_refuses_in_the_providers_words() -> None:
    """Status 400, which no client tries again; remembered by its name; the runner is told once."""
    told: list[str] = []
    with staged(write_as_much_as_allowed, AttemptLimits(cost_usd=0.02)) as stage:
        stage.proxy.on_limit = told.append
        assert stage.ask("/v1/messages", message(1200)).status == 200
        for _ in range(2):
            refused = stage.ask("/v1/messages", message(1200))
            assert refused.status == 400
            assert refused.json["error"]["type"] == "invalid_request_error"
            words = refused.json["error"]["message"]
            assert words.startswith("shoal: the attempt's cost limit of $0.02 is used up ($0.02 spent")
        assert (told, stage.proxy.limit_hit) == (["cost_usd"], "cost_usd")
        assert len(stage.provider.calls) == 1


def test_an_answer_is_made_to_fit_what_is_left() -> None:
    """A wish for more than the rest is lowered and not refused, as long as the rest makes sense."""
    with staged(write_as_much_as_allowed, AttemptLimits(cost_usd=0.1)) as stage:
        assert stage.ask("/v1/messages", message(32_000)).status == 200
        assert 6000 < stage.provider.calls[0].json["max_tokens"] < 0.1 / 15e-6
        assert stage.proxy.usage.cost_usd == pytest.approx(0.1, rel=0.02)
        assert stage.proxy.usage.cost_usd is not None
        assert stage.proxy.usage.cost_usd <= 0.1


@pytest.mark.parametrize(
    ("path", "body", "limited"),
    [
        ("/v1/responses", {"model": "gpt-5", "input": "x"}, ("max_output_tokens",)),
        ("/v1/chat/completions", {"model": "gpt-5", "messages": []}, ("max_completion_tokens",)),
        ("/v1/chat/completions", {"model": "gpt-5", "messages": [], "max_tokens": 90_000}, ("max_tokens",)),
        ("/v1beta/models/gemini-2.5-pro:generateContent", {"contents": []}, ("generationConfig", "maxOutputTokens")),
        (
            "/v1beta/models/gemini-2.5-pro:generateContent",
            {"contents": [], "generation_config": {"max_output_tokens": 90_000, "top_k": 3}},
            ("generationConfig", "maxOutputTokens"),
        ),
    ],
)
def test_every_shape_has_its_place_for_the_limit(path: str, body: Json, limited: tuple[str, ...]) -> None:
    """Also a request that names none gets one when it might not fit."""
    with staged(lambda call: call.answer(200, {}), AttemptLimits(tokens=5000)) as stage:
        assert stage.ask(path, body).status == 200
        sent: object = stage.provider.calls[0].json
        for name in limited:
            assert isinstance(sent, dict)
            sent = sent[name]
        assert isinstance(sent, int)
        assert 4000 < sent < 5000


def test_several_answers_at_once_count_each() -> None:
    """`n` multiplies what may be spent."""
    with staged(lambda call: call.answer(200, {}), AttemptLimits(tokens=5000)) as stage:
        stage.ask("/v1/chat/completions", {"model": "gpt-5", "messages": [], "n": 4})
        assert stage.provider.calls[0].json["max_completion_tokens"] < 5000 / 4


def test_thinking_that_no_longer_fits_is_refused() -> None:
    """An answer shorter than its thinking would be an error of the provider's."""
    thinking = {"type": "enabled", "budget_tokens": 10_000}
    with staged(write_as_much_as_allowed, AttemptLimits(tokens=5000)) as stage:
        assert stage.ask("/v1/messages", message(16_000, thinking=thinking)).status == 400
        assert stage.proxy.limit_hit == "tokens"
        assert stage.provider.calls == []


def test_a_name_that_stands_twice_cannot_get_past() -> None:
    """Which of the two a provider would believe does not matter, since it sees one."""
    with staged(write_as_much_as_allowed, AttemptLimits(tokens=5000)) as stage:
        connection = stage.connect()
        text = '{"max_tokens": 90000, "model": "claude-sonnet-4-6", "messages": [], "max_tokens": 300}'
        connection.request("POST", "/v1/messages", text, {"x-api-key": stage.proxy.key})
        assert connection.getresponse().status == 200
        connection.close()
        assert stage.provider.calls[0].body.count(b"max_tokens") == 1


def test_turns_are_calls_that_generated() -> None:
    """One that failed was none."""
    answers = iter([(500, {}), (200, said(1, 1)), (200, said(1, 1))])
    with staged(lambda call: call.answer(*next(answers)), AttemptLimits(turns=2)) as stage:
        assert [stage.ask("/v1/messages", message()).status for _ in range(4)] == [500, 200, 200, 400]
        assert stage.proxy.limit_hit == "turns"


def test_what_an_earlier_process_spent_counts() -> None:
    """A runner that was killed does not get its money back."""
    before = Usage(turns=3, input_tokens=10, output_tokens=10, cost_usd=1.999)
    with staged(write_as_much_as_allowed, AttemptLimits(cost_usd=2), before) as stage:
        assert "($2.00 spent" in stage.ask("/v1/messages", message(1000)).json["error"]["message"]
        assert stage.proxy.usage.turns == 0


def test_a_model_of_unknown_price_counts_as_the_dearest() -> None:
    """A limit that cannot be computed would be no limit."""
    with staged(write_as_much_as_allowed, AttemptLimits(cost_usd=0.5)) as stage:
        stage.ask("/v1/messages", {**message(1000), "model": "house-model"})
        assert stage.proxy.usage.cost_usd == pytest.approx((1000 * 180 + 20 * 30) / 1e6)
        (note,) = stage.proxy.notes
        assert note.startswith("The price of the model 'house-model' is not known, its calls are counted at the dearest")


def test_eight_at_once_stay_within_the_limit() -> None:
    """They are under way together; what is set aside for one is not there for another; who does not fit yet waits."""
    together = threading.Barrier(3)
    lock = threading.Lock()
    under_way: list[int] = []

    def script(call: Call) -> None:
        with lock:
            under_way.append(1)
            number = len(under_way)
        if number <= 3:
            together.wait(20)  # three fit side by side, so three must come before one is answered
        write_as_much_as_allowed(call)

    with staged(script, AttemptLimits(tokens=10_000)) as stage, ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: stage.ask("/v1/messages", message(3000)), range(8)))
        usage = stage.proxy.usage
        assert usage.input_tokens + usage.output_tokens <= 10_000
        assert usage.output_tokens > 8_000
        assert {reply.status for reply in replies} == {200, 400}
        assert len(stage.provider.calls) == sum(reply.status == 200 for reply in replies) == usage.turns
        assert stage.proxy.account.budget.under_way == set()


def test_pictures_count_by_their_number_and_not_by_their_bytes() -> None:
    """A screenshot of a megabyte is a few thousand tokens."""
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 1_000_000}}
    body = {**message(500), "messages": [{"role": "user", "content": [picture]}]}
    with staged(write_as_much_as_allowed, AttemptLimits(tokens=10_000)) as stage:
        assert stage.ask("/v1/messages", body).status == 200


def test_the_estimate_learns_how_dense_the_requests_are() -> None:
    """On the safe side at first, nearer with the first true figure: a limit is not called used up too early."""
    text = "x" * 8000
    with staged(lambda call: call.answer(200, said(2000, 10)), AttemptLimits(tokens=8000)) as stage:
        assert [stage.ask("/v1/messages", message(300, system=text)).status for _ in range(3)] == [200, 200, 200]
        assert stage.ask("/v1/messages", message(300, system=text)).status == 400
