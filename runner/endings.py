"""The three ways in which an attempt stops before its last phase."""

from shared.log import redact
from shared.models import Verdict, VerdictName


class AttemptEnds(Exception):
    """The attempt is over with this verdict; raised by phases, caught by the loop alone."""

    def __init__(self, name: VerdictName, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.verdict = Verdict(name=name, reason=reason, detail=redact(detail)[-8000:])


class Interrupted(Exception):
    """Somebody told us to stop: everything ends now, the work stays on disk."""


class Fenced(Exception):
    """The app answered 409: this attempt is over or somebody else's; nothing more may be done in its name."""
