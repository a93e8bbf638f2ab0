"""The write tokens that this process has handed to runners: in memory only, so that they can be revoked and never be read."""

from collections import defaultdict


class TokensHeld:
    """By attempt; gone with the process, after which only their stored expiry ends them."""

    def __init__(self) -> None:
        self._tokens: dict[str, list[str]] = defaultdict(list)

    def hold(self, attempt: str, token: str) -> None:
        """Remembers a token that is about to be handed out."""
        self._tokens[attempt].append(token)

    def of(self, attempt: str) -> tuple[str, ...]:
        """What was handed to an attempt and not revoked."""
        return tuple(self._tokens.get(attempt, ()))

    def forget(self, attempt: str) -> None:
        """After revocation."""
        self._tokens.pop(attempt, None)
