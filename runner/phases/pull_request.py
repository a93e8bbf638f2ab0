"""Phase 8: gate, permit, push, one pull request, read back; the token is given back before anything else runs."""

from runner import gate, permit, publish, report
from runner.endings import AttemptEnds, Interrupted
from runner.phase import Outcome, Work
from shared.errors import TransientError
from shared.models import PhaseName, VerdictName

NAME = PhaseName.PULL_REQUEST
# Seconds before each push: a rejected one and one that was cut off need another permit, for the branch may have moved.
_PAUSES = (0.0, 0.5, 2.0)


def run(work: Work) -> Outcome:
    _pass_gate(work)
    failure = "", ""
    for pause in _PAUSES:
        if work.stop.wait(pause):
            raise Interrupted
        with permit.granted(work) as grant:
            try:
                publish.push(work.folder, work.brief, work.state.head_sha, grant.expected_sha, grant.token)
            except publish.PushRejected as error:
                failure = (
                    f"GitHub rejected the push {len(_PAUSES)} times",
                    str(error),
                )  # only the app can say what the branch is now
            except TransientError as error:
                failure = "the push did not reach GitHub", str(error)  # or it did, and the answer was lost: the next permit tells
            else:
                work.state.pull_request = _open(work, grant.token)
                return Outcome(reason=f"#{work.state.pull_request}")
    raise AttemptEnds(VerdictName.PUBLISH_FAILED, *failure)


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
