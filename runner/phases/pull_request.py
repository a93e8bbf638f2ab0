"""Phase 8: gate, permit, push, one pull request, read back; the token is given back before anything else runs."""

from runner import gate, hold, permit, publish, report
from runner.endings import AttemptEnds, Interrupted, OnHold
from runner.phase import Outcome, Work
from runner.state import Change, commit_of
from shared.errors import TransientError
from shared.models import PhaseName, VerdictName

NAME = PhaseName.PULL_REQUEST
# Seconds before each push: a rejected one and one that was cut off need another permit, for the branch may have moved.
_PAUSES = (0.0, 0.5, 2.0)


def run(work: Work) -> Outcome:
    work.state.needs_person = pass_gate(work, commit_of(work.state))
    if work.brief.follow_up is not None:
        _must_be_green(work)
    try:
        push_and_open(work)
    except OnHold:
        raise hold.handed_over(work) from None
    return Outcome(reason=f"#{work.state.pull_request}")


def _must_be_green(work: Work) -> None:
    """A pull request that people may be looking at gets no commit that makes it worse."""
    verdict = report.conclusion(work.state)
    if verdict is not None and verdict.name is not VerdictName.SUCCEEDED:
        raise AttemptEnds(verdict.name, f"nothing was added to the pull request: {verdict.reason}", verdict.detail)


def missing(work: Work) -> str:
    return "" if work.state.pull_request else "there is no pull request"


def pass_gate(work: Work, change: Change) -> tuple[str, ...]:
    """What only a person may approve, if the operator lets that become a draft; raises AttemptEnds for all that may not leave."""
    with work.meter.step("gate"):
        judgement = gate.inspect(work.folder.publish, work.state.start_sha, change.head_sha, work.brief.settings)
    refusals = judgement.refusals
    if work.brief.protected_changes == "refuse":
        refusals = (*refusals, *judgement.needs_person)
    if refusals:
        more = f" and {len(refusals) - 1} more" if len(refusals) > 1 else ""
        detail = "\n".join(str(refusal) for refusal in refusals)
        raise AttemptEnds(VerdictName.UNSAFE_DIFF, f"{refusals[0]}{more}", detail)
    return tuple(str(refusal) for refusal in judgement.needs_person)


def push_and_open(work: Work) -> None:
    """The change as it is now on its branch, and the one pull request from it, made, adopted or brought up to date."""
    failure = "", ""
    for pause in _PAUSES:
        if work.stop.wait(pause):
            raise Interrupted
        with permit.granted(work) as grant:
            try:
                with work.meter.step("branch pushed"):
                    publish.push(work.folder, work.brief, commit_of(work.state).head_sha, grant.expected_sha, grant.token)
            except publish.PushRejected as error:
                # Only the app can say what the branch is now.
                failure = f"GitHub rejected the push {len(_PAUSES)} times", str(error)
            except TransientError as error:
                failure = "the push did not reach GitHub", str(error)  # or it did, and the answer was lost: the next permit tells
            else:
                work.state.pull_request = _open(work, grant.token)
                return
    raise AttemptEnds(VerdictName.PUBLISH_FAILED, *failure)


def _open(work: Work, token: str) -> int:
    from runner.github import GithubRefused, Publisher

    publisher = Publisher(work.brief, token)
    try:
        with work.meter.step("pull request opened and read back"):
            return publisher.open(commit_of(work.state).head_sha, report.make(work.brief, work.state))
    except (GithubRefused, TransientError) as error:
        reason = "the branch is pushed, but the pull request could not be opened"
        raise AttemptEnds(VerdictName.PUBLISH_FAILED, reason, str(error)) from error
    finally:
        publisher.close()
