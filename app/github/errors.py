"""What GitHub's answers mean to a caller; TransientError stands for all that may work later."""

from datetime import datetime, timedelta

import httpx

from shared.errors import TransientError, UserError

# Soon enough where nobody tells that it is over, by a webhook or the sweep.
_SUSPENDED_AGAIN = timedelta(seconds=30)


class NotFound(UserError):
    """It is not there, or not for this App."""


class Forbidden(UserError):
    """The App may not do that; the message names the permission where GitHub says it."""


class Suspended(TransientError):
    """The account's owner has suspended the App: nothing can be done there until that is taken back."""


class Unauthorized(UserError):
    """GitHub does not accept the credential."""


class Invalid(UserError):
    """GitHub understood and said no (409, 422 and the like); `words` is what it said."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


class Unavailable(TransientError):
    """GitHub, or what stands between, did not do its work; `status` is 0 when there was no answer at all."""

    def __init__(self, status: int, message: str, after: timedelta | None = None) -> None:
        super().__init__(message, after)
        self.status = status


def check(response: httpx.Response, now: datetime) -> httpx.Response:
    """The response if all is well, else the error that it means."""
    status = response.status_code
    if response.is_success:
        return response
    call = f"`{response.request.method} {response.request.url.path}`"
    words = _words(response)
    if status >= 500:
        raise Unavailable(status, f"GitHub answered {call} with {status}", _retry_after(response))
    if (asked := limit_wait(response, now)) is not None:
        raise TransientError(f"GitHub's rate limit on {call}: {words}", asked)
    if response.is_redirect:
        raise TransientError(f"{call} has moved: the repository was renamed, its new name comes with the next event")
    if status == 401:
        raise Unauthorized(f"GitHub does not accept the credential of {call}: {words}")
    if status == 403 and "installation has been suspended" in words:
        raise Suspended(f"{call} waits: the GitHub App was suspended by the account's owner", _SUSPENDED_AGAIN)
    if status == 403:
        raise Forbidden(_forbidden(response, call, words))
    if status in {404, 410}:
        raise NotFound(f"GitHub has nothing at {call}, or the App may not see it")
    raise Invalid(f"GitHub refused {call} ({status}): {words}", words)


def limit_wait(response: httpx.Response, now: datetime) -> timedelta | None:
    """How long a rate limit asks us to wait; None when this answer is no rate limit. GitHub's own order of rules."""
    if response.status_code not in {403, 429}:
        return None
    if (asked := asked_wait(response, now)) is not None:
        return asked
    if response.status_code == 429 or "rate limit" in _words(response).lower():
        return timedelta(seconds=60)
    return None


def asked_wait(response: httpx.Response, now: datetime) -> timedelta | None:
    """The wait that the headers ask for: Retry-After first, then the end of the hour when nothing is left of it."""
    if asked := _retry_after(response):
        return asked
    if response.headers.get("x-ratelimit-remaining") == "0":
        reset = float(response.headers.get("x-ratelimit-reset") or 0)
        return timedelta(seconds=max(1.0, reset - now.timestamp()))
    return None


def _retry_after(response: httpx.Response) -> timedelta | None:
    asked = response.headers.get("retry-after", "")
    return timedelta(seconds=int(asked)) if asked.isdigit() else None


def _forbidden(response: httpx.Response, call: str, words: str) -> str:
    needed = response.headers.get("x-accepted-github-permissions", "")
    fix = f"grant it `{needed}` in its settings and let the owner accept" if needed else "check its permissions with `shoal doctor`"
    return f"the GitHub App may not {call} ({words}): {fix}"


def _words(response: httpx.Response) -> str:
    try:
        data = response.json()
    except ValueError:
        return response.text[:200]
    if not isinstance(data, dict):
        return ""
    details = [str(e.get("message") or e.get("code") or "") if isinstance(e, dict) else str(e) for e in data.get("errors") or []]
    return "; ".join(part for part in [str(data.get("message", "")), *details] if part)[:500]
