"""One policy for trying again: only what is transient, bounded in attempts and in time, jittered, server's wish honoured."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import stamina

from shared.errors import TransientError


def on_transient(attempts: int = 5, seconds: float = 60) -> Iterator[stamina.Attempt]:
    """Blocks of code to try: `for attempt in on_transient(): with attempt: ...`."""
    return iter(stamina.retry_context(on=_backoff, attempts=attempts, timeout=seconds, wait_initial=0.2, wait_max=10))


def on_transient_async(attempts: int = 5, seconds: float = 60) -> AsyncIterator[stamina.Attempt]:
    """The same for `async for`."""
    return aiter(stamina.retry_context(on=_backoff, attempts=attempts, timeout=seconds, wait_initial=0.2, wait_max=10))


def _backoff(error: Exception) -> bool | float | timedelta:
    if not isinstance(error, TransientError):
        return False
    return error.after if error.after is not None else True
