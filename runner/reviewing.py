"""The reading half of a review: another pass of the agent, with another prompt, looks at the diff of the change that was tested."""

from runner import agent, prompt, worktree
from runner.agents.shape import Pass
from runner.findings import read_review
from runner.phase import Work
from runner.state import commit_of
from shared.git import git
from shared.log import redact


def read_by_another(work: Work) -> None:
    """What it says and finds is on disk afterwards; nothing when the agent gives no review."""
    with work.meter.step("checkout for the review") as step:
        step.cached = worktree.check_out_for_tests(work, commit_of(work.state).snapshot_sha)
    answer = agent.play(work, Pass.REVIEW, lambda told: prompt.review(told, diff(work)))
    paths = {file.path for file in commit_of(work.state).files}
    text, found = read_review(answer.text if answer else "", paths)
    work.state.review_text = redact(text) or ("The findings say it all." if found else "")
    work.state.findings = tuple(finding.model_copy(update={"text": redact(finding.text)}) for finding in found)
    work.save()


def diff(work: Work) -> str:
    """Of the whole change, as git has it and no attribute of the repository can bend it."""
    options = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    head = commit_of(work.state).head_sha
    return git("diff-tree", "-r", "-p", *options, work.state.start_sha, head, cwd=work.folder.publish)
