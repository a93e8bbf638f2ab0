"""What an attempt has proven so far, on disk after each phase, so that a restart goes on where it was."""

import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from runner.evidence import Evidence
from shared.messages import AttemptBrief
from shared.models import FileChange, Finding, PhaseName, PhaseResult, Usage, Verdict, VerdictName

# After these the old work still stands, and a new attempt goes on with it; after any other verdict it starts afresh.
_RESUMABLE = {
    VerdictName.SUCCEEDED,
    VerdictName.PUBLISH_FAILED,
    VerdictName.BRANCH_MOVED,
    VerdictName.CANCELLED,
    VerdictName.LOST,
    VerdictName.INTERNAL_ERROR,
    VerdictName.PROVIDER_LIMIT,
}


class Change(BaseModel):
    """One recorded state of the agent's checkout: its snapshot, our commit of it, and what the tests say about that commit."""

    snapshot_sha: str
    head_sha: str
    files: tuple[FileChange, ...]
    after: Evidence | None = None


class State(BaseModel):
    """Written by one process only; `done` holds the phases whose artefact was verified."""

    model_config = ConfigDict(extra="forbid")

    base_sha: str
    merge_shas: tuple[str, ...]
    issue_hash: str
    # What was asked for beyond the issue, when the change was published already.
    asked: str = ""
    done: list[PhaseResult] = []
    # Of the attempt that ended before its last phase: where it ended, and what was therefore skipped.
    ended_in: PhaseResult | None = None
    skipped: list[PhaseResult] = []
    verdict: Verdict | None = None
    start_sha: str = ""
    test_command: str = ""
    test_source: str = ""
    before: Evidence | None = None
    isolation: str = ""
    plan_text: str = ""
    # The agent's git directory when it was last looked at, in the words of tampering.py.
    traces: str = ""
    # The conversation that later passes go on with, where the agent can.
    session: str = ""
    session_usage: Usage = Usage()
    change: Change | None = None
    # The agent may have edited its checkout, but no change was recorded yet.
    edits_begun: bool = False
    repairs: int = 0
    documentation: str = ""
    # Changes that only a person may approve: the pull request is a draft because of them.
    needs_person: tuple[str, ...] = ()
    pull_request: int | None = None
    review_text: str = ""
    findings: tuple[Finding, ...] = ()
    review_posted: bool = False
    # The answer to the review: the pass has begun, its change is recorded and tested, and what is to be told.
    fix_begun: bool = False
    fix: Change | None = None
    review_answer: str = ""
    answer_posted: bool = False
    agent_seconds: float = 0
    # Of this attempt alone: limits and budgets are counted per attempt.
    usage: Usage = Usage()
    notes: list[str] = []

    def has_done(self, name: PhaseName) -> bool:
        return any(result.name == name for result in self.done)

    def note(self, words: str) -> None:
        """Once, however often it is noticed."""
        if words not in self.notes:
            self.notes.append(words)

    def fits(self, brief: AttemptBrief) -> bool:
        """Whether the recorded work answers the very same question and may be carried on."""
        question = (brief.base_sha, brief.merge_shas, brief.issue.hash, _asked(brief))
        same = (self.base_sha, self.merge_shas, self.issue_hash, self.asked) == question
        return same and (self.verdict is None or self.verdict.name in _RESUMABLE)


def commit_of(state: State) -> Change:
    """The change that phase 5 verified."""
    if state.change is None:
        raise AssertionError("implementation was verified, so a change is recorded")
    return state.change


def fresh(brief: AttemptBrief) -> State:
    return State(base_sha=brief.base_sha, merge_shas=brief.merge_shas, issue_hash=brief.issue.hash, asked=_asked(brief))


def _asked(brief: AttemptBrief) -> str:
    return brief.follow_up.text if brief.follow_up else ""


def save(state: State, path: Path) -> None:
    """Atomic and durable: after a crash the file is the old one or the new one, whole."""
    temporary = path.with_suffix(".new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(state.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path) -> State | None:
    """None when there is nothing; a file that cannot be read is set aside and counts as nothing."""
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        path.replace(path.with_name(f"state.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.json"))
        return None
