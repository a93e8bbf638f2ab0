"""Phase 8: gate, permit, push, one pull request, read back; the token is given back before anything else runs."""

from runner import gate, permit, publish, report
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from shared.errors import TransientError
from shared.models import PhaseName, VerdictName

NAME = PhaseName.PULL_REQUEST
_PUSHES = 3


def run(work: Work) -> Outcome:
    _pass_gate(work)
    rejected = ""
    for _ in range(_PUSHES):
        with permit.granted(work) as grant:
            try:
                publish.push(work.folder, work.brief, work.state.head_sha, grant.expected_sha, grant.token)
            except publish.PushRejected as error:
                rejected = str(error)  # only the app can say what the branch must be now
                continue
            except TransientError as error:
                raise AttemptEnds(VerdictName.PUBLISH_FAILED, "the push did not reach GitHub", str(error)) from error
            work.state.pull_request = _open(work, grant.token)
            return Outcome(reason=f"#{work.state.pull_request}")
    reason = f"GitHub rejected the push {_PUSHES} times"
    raise AttemptEnds(VerdictName.PUBLISH_FAILED, reason, rejected)


def missing(work: Work) -> str:
    return "" if work.state.pull_request else "there is no pull request"


def _pass_gate(work: Work) -> None:
    state = work.state
    protected = work.brief.settings.protected_paths
    if refusals := gate.inspect(work.folder.publish, state.start_sha, state.head_sha, protected):
        more = f" and {len(refusals) - 1} more" if len(refusals) > 1 else ""
        detail = "\n".join(str(refusal) for refusal in refusals)
        raise AttemptEnds(VerdictName.UNSAFE_DIFF, f"{refusals[0]}{more}", detail)


def _open(work: Work, token: str) -> int:
    from runner.github import GithubRefused, Publisher

    publisher = Publisher(work.brief, token)
    try:
        return publisher.open(work.state.head_sha, report.make(work.brief, work.state))
    except (GithubRefused, TransientError) as error:
        reason = "the branch is pushed, but the pull request could not be opened"
        raise AttemptEnds(VerdictName.PUBLISH_FAILED, reason, str(error)) from error
    finally:
        publisher.close()
