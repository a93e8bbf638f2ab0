"""A provider's refusals told apart: it is busy, our key is wrong, or the request itself was."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from runner.models.trouble import recognise

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (529, "Overloaded", "provider"),
        (503, "", "provider"),
        (500, "", "provider"),
        (429, "slow down", "provider"),
        (429, '{"error": {"code": "insufficient_quota"}}', "provider"),
        (400, "Your credit balance is too low to access the Anthropic API", "provider"),
        (403, '{"error": {"status": "RESOURCE_EXHAUSTED"}}', "provider"),
        (401, "invalid x-api-key", "key"),
        (403, "forbidden", "key"),
        (400, '{"error": {"message": "API key not valid. Please pass a valid API key."}}', "key"),
        (400, "prompt is too long", "request"),
        (404, "no such model", "request"),
    ],
)
def test_what_is_whose_fault(status: int, words: str, kind: str) -> None:
    """By status, and by the words where a provider uses a status for several things."""
    assert recognise(status, {}, words, NOW).kind == kind


@pytest.mark.parametrize(
    ("headers", "words", "seconds"),
    [
        ({"retry-after": "30"}, "", 30),
        ({"retry-after-ms": "1500", "retry-after": "2"}, "", 1.5),
        ({"retry-after": format_datetime(NOW + timedelta(minutes=2), usegmt=True)}, "", 120),
        ({"retry-after": "soon"}, "", None),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-24T12:01:00Z"}, "", 60),
        ({"anthropic-ratelimit-unified-reset": str(int(NOW.timestamp()) + 3600)}, "", 3600),
        (
            {
                "anthropic-ratelimit-requests-remaining": "9",
                "anthropic-ratelimit-requests-reset": "2026-11-24T13:00:00Z",
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-24T12:00:10Z",
            },
            "",
            10,
        ),
        ({"x-ratelimit-reset-requests": "6m0s"}, "", 360),
        ({"x-ratelimit-reset-tokens": "20ms"}, "", 0.02),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, "", 3723.5),
        (
            {},
            json.dumps({"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}]}}),
            34.07,
        ),
        ({}, "", None),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": ""}, "", None),
    ],
)
def test_how_long_it_asks_us_to_stay_away(headers: Mapping[str, str], words: str, seconds: float | None) -> None:
    """Every provider has its own way to say it."""
    assert recognise(429, headers, words, NOW).trouble.retry_seconds == (None if seconds is None else pytest.approx(seconds))


def test_its_words_are_kept_short_and_on_one_line() -> None:
    """They end up in a verdict."""
    words = recognise(500, {}, "a\n  b " + "x" * 10_000, NOW).trouble.words
    assert words.startswith("a b x")
    assert len(words) == 500
