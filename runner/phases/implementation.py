"""Phase 5: the agent edits; what it leaves becomes one commit in the quarantine, or there is no change."""

import re
from pathlib import PurePosixPath

from runner import agent, gate, prompt, publish, pull_request_text, rescue, worktree
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.phases import setup
from runner.rules.entries import Refusal, shown
from runner.state import Change
from shared.git import GitFailed
from shared.messages import FollowUp
from shared.models import FileChange, Kind, PhaseName, VerdictName

NAME = PhaseName.IMPLEMENTATION
# As `git fetch` with fsckObjects says it: the object, the rule, the words.
_FSCK = re.compile(r"object ([0-9a-f]{40,64}): (\w+): ([^\n]*)")
_NOTES = {".md", ".rst", ".txt", ".adoc"}


def run(work: Work) -> Outcome:
    state = work.state
    if state.edits_begun:  # by a process that was killed: the agent begins again from the same files, and what it had is kept
        rescue.keep(work)
        setup.make_checkout(work)
        state.session = ""
    state.edits_begun = True
    work.save()
    if work.brief.follow_up is not None:
        return _follow_up(work, work.brief.follow_up)
    answer = agent.play(work, Pass.IMPLEMENTATION, lambda told: prompt.implementation(told, state.plan_text))
    state.change = _asked_for(work, record(work, answer.printed if answer else ""), answer.printed if answer else "")
    count = len(state.change.files)
    return Outcome(reason=f"{count} file{'s' * (count != 1)} changed")


def _follow_up(work: Work, wanted: FollowUp) -> Outcome:
    """One pass on top of what is published; notes alone may be just what was asked for."""
    answer = agent.play(work, Pass.FOLLOW_UP, lambda told: prompt.follow_up(told, wanted))
    if answer is None:
        raise AttemptEnds(VerdictName.AGENT_FAILED, f"the agent {work.brief.agent.name} does not take up published work")
    message = pull_request_text.follow_up_message(work.brief, wanted)
    work.state.change = record(work, answer.printed, message=message)
    return Outcome(reason=f"{len(work.state.change.files)} files changed on top of {wanted.head_sha[:12]}")


def missing(work: Work) -> str:
    change = work.state.change
    there = change is not None and publish.holds(work.folder, change.head_sha)
    return "" if there else "the commit is not in the quarantine"


def record(work: Work, printed: str, parent: str = "", message: str = "") -> Change:
    """Takes the agent's checkout as it is now into the quarantine, as one commit of ours on `parent` (the start commit).

    Raises AttemptEnds when nothing differs from the start commit; `files` is the whole difference to it.
    """
    words = message or pull_request_text.commit_message(work.brief)
    with work.meter.step("change taken in"):
        change = _taken_in(work, parent or work.state.start_sha, words)
    if not change.files:
        raise AttemptEnds(VerdictName.NO_CHANGE, "the agent ended well, but changed nothing", printed)
    return change


def _taken_in(work: Work, parent: str, message: str) -> Change:
    folder, start = work.folder, work.state.start_sha
    bundle = worktree.take_snapshot(work)
    try:
        snapshot = publish.take_in(folder, bundle)
    except GitFailed as error:
        raise AttemptEnds(VerdictName.UNSAFE_DIFF, _unsound(work, error.stderr), str(error)) from error
    head = publish.make_commit(folder, work.brief, parent, snapshot, message)
    return Change(snapshot_sha=snapshot, head_sha=head, files=gate.changed_lines(folder.publish, start, head))


def _unsound(work: Work, said: str) -> str:
    """Which file it is, where git names its object; by git's own name for the rule, and what to do."""
    found = _FSCK.search(said)
    if found is None:
        return (
            "the change holds objects that git's checks refuse, and it does not say which: look at the detail, then `/shoal retry`"
        )
    sha, rule, words = found.groups()
    path = next((entry.path for entry in worktree.changed_files(work.folder) if entry.blob == sha), f"object {sha}")
    why = f"git's check `{rule}` refuses it ({shown(words.strip())})"
    return str(Refusal(path, f"{why}: no setting lets it through; say in the issue what shall be there, then `/shoal retry`"))


def only_notes(files: tuple[FileChange, ...]) -> bool:
    return all(PurePosixPath(file.path).suffix.lower() in _NOTES for file in files)


def _asked_for(work: Work, change: Change, printed: str) -> Change:
    if work.brief.kind is not Kind.DOCS and only_notes(change.files):
        names = ", ".join(file.path for file in change.files[:5])
        raise AttemptEnds(VerdictName.NO_CHANGE, f"code was asked for, but only notes were changed: {names}", printed)
    return change
