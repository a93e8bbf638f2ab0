"""Phase 9: a separate pass of the agent reads the diff and its words are posted; what must be fixed is fixed once, or shown.

Never an approval. Every step is on disk before the next begins, so that a killed runner's successor repeats no outside effect.
"""

from runner import agent, permit, prompt, reviewing, testing, verdict, worktree
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.phases import implementation, pull_request
from runner.phases.testing import baseline
from runner.state import Change, commit_of
from shared.errors import TransientError
from shared.log import redact
from shared.models import Finding, PhaseName, VerdictName

NAME = PhaseName.REVIEW


def run(work: Work) -> Outcome:
    """A review that fails does not undo a pull request: it is shown, the verdict stands. One that is turned away comes later."""
    state = work.state
    try:
        if not state.review_text and work.brief.held is None:
            reviewing.read_by_another(work)
        if not state.review_text:
            return Outcome("skipped", "the agent gave no review")
        if not state.review_posted:
            _post(work)
        must = [finding for finding in state.findings if finding.must_fix]
        if not must or work.brief.held is not None:  # who published it has seen what was found
            return Outcome(reason=_count(state.findings))
        _answer(work, must)
    except AttemptEnds as ends:
        if ends.verdict.name is VerdictName.PROVIDER_LIMIT:  # the task pauses, and its next attempt has only this left to do
            raise
        return Outcome("failed", ends.verdict.reason)
    return Outcome(reason=f"{_count(state.findings)}; {state.review_answer.splitlines()[0]}")


def missing(work: Work) -> str:
    return ""  # the pull request stands with or without it; `review_posted` is part of the report


def _answer(work: Work, must: list[Finding]) -> None:
    """One pass that answers the findings: its change goes the way of phases 6 to 8 again, or is dropped and that is said."""
    state = work.state
    if not state.review_answer:
        state.review_answer = _fixed(work, must)
        work.save()
    if state.fix is not None and state.fix.head_sha != commit_of(state).head_sha:
        state.change = state.fix
        work.save()
    if state.fix is not None:
        pull_request.push_and_open(work)  # finds what a predecessor pushed already
    if not state.answer_posted:
        _post(work, state.review_answer)


def _fixed(work: Work, must: list[Finding]) -> str:
    """What is to be told; `state.fix` is the change that may be pushed."""
    state = work.state
    if state.fix_begun:
        return "The pass that should answer this review was interrupted: the findings are left to you."
    state.fix_begun = True
    work.save()
    reviewed = commit_of(state)
    try:
        answer = agent.play(work, Pass.FIX, lambda told: prompt.fix(told, must))
        if answer is None:
            return "This agent does not answer reviews: the findings are left to you."
        message = f"Answer the review of #{work.brief.issue.number}\n"
        fix = implementation.record(work, answer.printed, reviewed.head_sha, message)
        if fix.head_sha == reviewed.head_sha:
            return f"Nothing was changed; the agent says:\n\n{redact(answer.text)}"
        why_not, fix = _judged(work, reviewed, fix)
        if not why_not:
            state.fix = fix
            return f"Answered by {fix.head_sha[:12]}; the agent says:\n\n{redact(answer.text)}"
    except AttemptEnds as ends:
        if ends.verdict.name is VerdictName.PROVIDER_LIMIT:  # nothing was tried: the next attempt does it, from the same files
            worktree.restore(work, reviewed.snapshot_sha)
            state.fix_begun = False
            work.save()
            raise
        why_not = ends.verdict.reason
    worktree.restore(work, reviewed.snapshot_sha)
    return f"A fix was tried and dropped: {why_not}. The findings are left to you."


def _judged(work: Work, reviewed: Change, fix: Change) -> tuple[str, Change]:
    """Why the fix must be dropped ("": it need not be), and the fix with its evidence."""
    after = testing.gather(work, fix.snapshot_sha, baseline(work))
    now = verdict.final(baseline(work), after)
    if now.name is not VerdictName.SUCCEEDED and reviewed.after and now != verdict.final(baseline(work), reviewed.after):
        return now.reason, fix
    pull_request.pass_gate(work, fix)
    return "", fix.model_copy(update={"after": after})


def _post(work: Work, answer: str = "") -> None:
    """The review, or the answer to it."""
    from runner.github import GithubRefused, Publisher

    state = work.state
    if state.pull_request is None:
        raise AssertionError("phase 8 was verified, so there is a pull request")
    with permit.granted(work) as grant:
        publisher = Publisher(work.brief, grant.token)
        try:
            with work.meter.step("answer posted" if answer else "review posted"):
                head = commit_of(state).head_sha
                publisher.review(state.pull_request, head, state.review_text, state.findings, answer=answer)
        except (GithubRefused, TransientError) as error:
            what = "answer to the review" if answer else "review"
            raise AttemptEnds(VerdictName.PUBLISH_FAILED, f"the {what} could not be posted: {error}") from error
        finally:
            publisher.close()
    state.review_posted = True
    state.answer_posted = bool(answer)
    work.save()


def _count(findings: tuple[Finding, ...]) -> str:
    must = sum(finding.must_fix for finding in findings)
    return f"{len(findings)} finding{'s' * (len(findings) != 1)}, {must} to be fixed"
