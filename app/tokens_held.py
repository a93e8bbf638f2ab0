"""The write tokens that this process has handed to runners: in memory only, so that they can be revoked and never be read."""

from collections import defaultdict
from collections.abc import Collection

from shared.github import fingerprint


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

    def all_among(self, attempt: str, fingerprints: Collection[str]) -> bool:
        """Whether every token of the attempt is one of these: one whose hand-over was cut off is known to nobody but us."""
        held = self.of(attempt)
        return bool(held) and all(fingerprint(token) in fingerprints for token in held)

    def forget(self, attempt: str, fingerprints: Collection[str] | None = None) -> None:
        """After revocation: all of an attempt, or those among `fingerprints`."""
        left = [] if fingerprints is None else [token for token in self.of(attempt) if fingerprint(token) not in fingerprints]
        self._tokens.pop(attempt, None)
        if left:
            self._tokens[attempt] = left
