"""The ways in which an attempt stops before its last phase."""

from shared.log import redact
from shared.models import Verdict, VerdictName


class AttemptEnds(Exception):
    """The attempt is over with this verdict; raised by phases, caught by the loop alone."""

    def __init__(self, name: VerdictName, reason: str, detail: str = "", *, limit: str = "") -> None:
        super().__init__(reason)
        self.verdict = Verdict(name=name, reason=redact(reason), detail=redact(detail)[-8000:], limit=limit)

    @classmethod
    def with_verdict(cls, verdict: Verdict) -> "AttemptEnds":
        ends = cls(verdict.name, verdict.reason, verdict.detail, limit=verdict.limit)
        ends.verdict = ends.verdict.model_copy(update={"retry_seconds": verdict.retry_seconds})
        return ends


class Interrupted(Exception):
    """Somebody told us to stop: everything ends now, the work stays on disk."""


class Fenced(Exception):
    """The app answered 409: this attempt is over or somebody else's; nothing more may be done in its name."""


class OnHold(Exception):
    """The app's answer to a permit request: nothing may be written to GitHub until a person says so."""
