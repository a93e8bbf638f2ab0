"""Phase 9: a separate pass of the agent reads the diff; its words are posted as a comment, never as an approval."""

from runner import agent, permit, prompt
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from shared.errors import TransientError
from shared.git import git
from shared.log import redact
from shared.models import PhaseName, VerdictName

NAME = PhaseName.REVIEW


def run(work: Work) -> Outcome:
    """A review that fails does not undo a pull request: it is shown, the verdict stands."""
    state = work.state
    try:
        if not state.review_text:
            told = prompt.review(prompt.request_of(work.brief, state.test_command), _diff(work))
            answer = agent.play(work, Pass.REVIEW, told)
            state.review_text = redact(answer.text if answer else "")
        if not state.review_text:
            return Outcome("skipped", "the agent gave no review")
        with permit.granted(work) as grant:
            _post(work, grant.token)
    except AttemptEnds as ends:
        return Outcome("failed", ends.verdict.reason)
    return Outcome()


def missing(work: Work) -> str:
    return ""  # the pull request stands with or without it; `review_posted` is part of the report


def _diff(work: Work) -> str:
    options = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    return git("diff-tree", "-r", "-p", *options, work.state.start_sha, work.state.head_sha, cwd=work.folder.publish)


def _post(work: Work, token: str) -> None:
    from runner.github import GithubRefused, Publisher

    if work.state.pull_request is None:
        raise AssertionError("phase 8 was verified, so there is a pull request")
    publisher = Publisher(work.brief, token)
    try:
        publisher.review(work.state.pull_request, work.state.head_sha, work.state.review_text)
        work.state.review_posted = True
    except (GithubRefused, TransientError) as error:
        raise AttemptEnds(VerdictName.PUBLISH_FAILED, f"the review could not be posted: {error}") from error
    finally:
        publisher.close()
