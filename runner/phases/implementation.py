"""Phase 5: the agent edits; what it leaves becomes one commit in the quarantine, or there is no change."""

from pathlib import PurePosixPath

from runner import agent, gate, prompt, publish, rescue, worktree
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.phases import setup
from shared.git import GitFailed
from shared.models import FileChange, Kind, PhaseName, VerdictName

NAME = PhaseName.IMPLEMENTATION
_NOTES = {".md", ".rst", ".txt", ".adoc"}


def run(work: Work) -> Outcome:
    state = work.state
    if state.edits_begun:  # by a process that was killed: the agent begins again from the same files, and what it had is kept
        rescue.keep(work, state)
        setup.make_checkout(work)
    state.edits_begun = True
    work.save()
    text = prompt.implementation(prompt.request_of(work.brief, state.test_command), state.plan_text)
    answer = agent.play(work, Pass.IMPLEMENTATION, text)
    record(work, answer.printed if answer else "")
    return Outcome(reason=f"{len(state.changes)} file{'s' * (len(state.changes) != 1)} changed")


def missing(work: Work) -> str:
    state = work.state
    there = state.head_sha and publish.holds(work.folder, state.head_sha)
    return "" if there and state.changes else "the commit is not in the quarantine"


def record(work: Work, printed: str) -> None:
    """Takes the agent's checkout as it is now into the quarantine, as one commit of ours."""
    folder, state, brief = work.folder, work.state, work.brief
    bundle = worktree.take_snapshot(work)
    try:
        snapshot = publish.take_in(folder, bundle)
    except GitFailed as error:
        raise AttemptEnds(VerdictName.UNSAFE_DIFF, "the change holds objects that git's checks refuse", str(error)) from error
    head = publish.make_commit(folder, brief, state.start_sha, snapshot)
    changes = gate.changed_lines(folder.publish, state.start_sha, head)
    if not changes:
        raise AttemptEnds(VerdictName.NO_CHANGE, "the agent ended well, but changed nothing", printed)
    if brief.kind is not Kind.DOCS and only_notes(changes):
        names = ", ".join(change.path for change in changes[:5])
        raise AttemptEnds(VerdictName.NO_CHANGE, f"code was asked for, but only notes were changed: {names}", printed)
    state.snapshot_sha, state.head_sha, state.changes = snapshot, head, changes


def only_notes(changes: tuple[FileChange, ...]) -> bool:
    return all(PurePosixPath(change.path).suffix.lower() in _NOTES for change in changes)
