"""One policy for trying again: only what is transient, bounded in attempts and in time, jittered, server's wish honoured."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial

import stamina

from shared.errors import TransientError


def on_transient(attempts: int = 5, seconds: float = 60) -> Iterator[stamina.Attempt]:
    """Blocks of code to try: `for attempt in on_transient(): with attempt: ...`."""
    on = partial(_backoff, timedelta(seconds=seconds))
    return iter(stamina.retry_context(on=on, attempts=attempts, timeout=seconds, wait_initial=0.2, wait_max=10))


def on_transient_async(attempts: int = 5, seconds: float = 60) -> AsyncIterator[stamina.Attempt]:
    """The same for `async for`."""
    on = partial(_backoff, timedelta(seconds=seconds))
    return aiter(stamina.retry_context(on=on, attempts=attempts, timeout=seconds, wait_initial=0.2, wait_max=10))


def _backoff(longest: timedelta, error: Exception) -> bool | float | timedelta:
    if not isinstance(error, TransientError):
        return False
    if error.after is None:
        return True
    # A server that asks for more time than we have is told to the caller, who can put the work back.
    return error.after if error.after < longest else False
