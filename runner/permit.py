"""The right to write, once: asked of the app with the whole report, given back when the block ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from runner import report
from runner.endings import AttemptEnds, OnHold
from runner.phase import Work
from runner.state import commit_of
from runner.tokens import revoke
from shared.github import fingerprint
from shared.messages import PermitReply
from shared.models import VerdictName


@contextmanager
def granted(work: Work) -> Iterator[PermitReply]:
    """Raises AttemptEnds with the app's own verdict when it refuses, OnHold when a person must speak first."""
    work.permits += 1
    with work.meter.step("permit asked for"):
        reply = work.app.permit(work.permits, commit_of(work.state).head_sha, report.make(work.brief, work.state))
    if reply.status == "held":
        raise OnHold
    if reply.status == "refused":
        if reply.verdict is None:
            raise AttemptEnds(VerdictName.PUBLISH_FAILED, "the app refused the right to publish and did not say why")
        raise AttemptEnds.with_verdict(reply.verdict)
    try:
        yield reply
    finally:
        if not work.brief.shared_tokens:
            with work.meter.step("token given back"):
                if revoke(work.brief.repository.api_url, reply.token):
                    work.tokens_revoked.append(fingerprint(reply.token))
