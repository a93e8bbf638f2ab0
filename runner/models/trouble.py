"""Recognises that a provider is busy, down, out of quota, or does not take our key."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, NamedTuple

_BUSY = {402, 408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
_QUOTA = re.compile(r"insufficient_quota|credit balance|resource_exhausted|billing_hard_limit|current quota", re.IGNORECASE)
_KEY = re.compile(r"API_KEY_INVALID|API key not valid|invalid_api_key|invalid x-api-key", re.IGNORECASE)
_RETRY_INFO = re.compile(r'"retryDelay"\s*:\s*"([0-9.]+)s"')
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")
_RESET = re.compile(r"(?:anthropic-ratelimit-(.+)-reset|x-ratelimit-reset-(.+))")


class Trouble(NamedTuple):
    """What the provider said to the last call that should have generated; `status` 0: it could not be reached at all."""

    status: int
    retry_seconds: float | None
    words: str


class Seen(NamedTuple):
    """A failed answer, told apart: `key` is the operator's to mend, `provider` passes, `request` is the agent's own affair."""

    kind: Literal["provider", "key", "request"]
    trouble: Trouble


def recognise(status: int, headers: Mapping[str, str], words: str, now: datetime) -> Seen:
    trouble = Trouble(status, _retry_seconds(headers, words, now), " ".join(words.split())[:500])
    if status in _BUSY or _QUOTA.search(words):
        return Seen("provider", trouble)
    return Seen("key" if status in {401, 403} or _KEY.search(words) else "request", trouble)


def _retry_seconds(headers: Mapping[str, str], words: str, now: datetime) -> float | None:
    """The provider's plain word first, then the latest reset of a limit that is used up, then of any."""
    if "retry-after-ms" in headers and (milliseconds := _number(headers["retry-after-ms"])) is not None:
        return milliseconds / 1000
    if "retry-after" in headers and (asked := _moment(headers["retry-after"], now)) is not None:
        return asked
    if said := _RETRY_INFO.search(words):
        return float(said[1])
    resets: list[tuple[bool, float]] = []
    for name, value in headers.items():
        if not (found := _RESET.fullmatch(name.lower())):
            continue
        left = headers.get(f"anthropic-ratelimit-{found[1]}-remaining" if found[1] else f"x-ratelimit-remaining-{found[2]}")
        if (seconds := _moment(value, now)) is not None:
            resets.append((left == "0", seconds))
    used_up = [seconds for is_used_up, seconds in resets if is_used_up]
    return max(used_up or [seconds for _, seconds in resets], default=None)


def _moment(text: str, now: datetime) -> float | None:
    """Seconds from now: of a number of seconds, an epoch, a span like 6m0s, an ISO or an HTTP date."""
    text = text.strip()
    if (plain := _number(text)) is not None:
        return max(0.0, plain - now.timestamp()) if plain > 1e9 else plain
    if text and (span := _SPAN.fullmatch(text)):
        days, hours, minutes, seconds, milliseconds = (_number(each or "0") or 0.0 for each in span.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            when = parse(text)
        except ValueError:
            continue
        return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds())
    return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e12 else None
