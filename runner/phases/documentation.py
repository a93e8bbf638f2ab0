"""Phase 7: whether the change needs words elsewhere; decided from the diff, and written by a pass of the agent where it does."""

import re
from pathlib import Path, PurePosixPath

from runner import agent, gate, prompt, testing, verdict, worktree
from runner.agents.shape import Pass
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.phases import implementation
from runner.phases.testing import baseline
from runner.state import Change, commit_of
from shared.git import git, run_git
from shared.models import FileChange, Kind, PhaseName, VerdictName

NAME = PhaseName.DOCUMENTATION
_DOCS = {".md", ".rst", ".adoc", ".txt"}
_DIFF = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
# What a removed line declared: a definition in most languages, or an option of a command line.
_DECLARED = re.compile(
    r"^-\s*(?:export\s+|pub\s+|public\s+|async\s+|static\s+)*(?:def|class|function|fn|func|interface|struct|const|type)\s+(\w{4,})"
    r"|^-.*?(--[a-z][a-z0-9-]{2,})",
    re.MULTILINE,
)
_NAMES, _PLACES = 40, 20


def run(work: Work) -> Outcome:
    change = commit_of(work.state)
    outcome = decide(work.brief.kind, change.files)
    places: tuple[str, ...] = ()
    if outcome.status == "skipped" and work.brief.kind is not Kind.TESTS:  # it may need words
        with work.meter.step("documents looked through"):
            places = mentions(work.folder.publish, work.state.start_sha, change.head_sha)
    if places:
        outcome = _written(work, places)
    work.state.documentation = outcome.reason
    return outcome


def missing(work: Work) -> str:
    return "" if work.state.documentation else "nothing was decided"


def decide(kind: Kind, files: tuple[FileChange, ...]) -> Outcome:
    documents = [file.path for file in files if is_document(file.path)]
    if documents:
        return Outcome(reason=f"documentation is part of the change: {', '.join(documents[:5])}")
    if kind is Kind.TESTS:
        return Outcome("skipped", "the issue asks for tests, which need no documentation")
    if all(_is_test(file.path) for file in files):
        return Outcome("skipped", "only tests changed")
    return Outcome("skipped", "no document mentions what this change removes or renames")


def mentions(repository: Path, start: str, head: str) -> tuple[str, ...]:
    """Places ("path:line: text") in the repository's documents that name what the change took away or changed the shape of."""
    patch = git("diff-tree", "-r", "-p", *_DIFF, start, head, cwd=repository)[:2_000_000]
    names = sorted({name for found in _DECLARED.findall(patch) for name in found if name})[:_NAMES]
    if not names:
        return ()
    patterns = [part for name in names for part in ("-e", name)]
    globs = [f":(glob)**/*{suffix}" for suffix in sorted(_DOCS)]
    # The quarantine is ours and bare: nothing of the agent's is run or configured here.
    arguments = ("grep", "-n", "-I", "-w", "-F", "--no-color", *patterns, head, "--", *globs)
    _, out = run_git(*arguments, cwd=repository, accept=(0, 1))
    return tuple(line.removeprefix(f"{head}:")[:200] for line in out.splitlines()[:_PLACES])


def is_document(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() in _DOCS or pure.parts[0].lower() in {"docs", "doc"}


def _written(work: Work, places: tuple[str, ...]) -> Outcome:
    """One pass of the agent; kept only when it touched nothing but documents and the tests still say the same."""
    named = ", ".join(dict.fromkeys(place.split(":")[0] for place in places))
    old = commit_of(work.state)
    try:
        answer = agent.play(work, Pass.DOCUMENTATION, lambda told: prompt.documentation(told, places))
        if answer is None:
            return Outcome("skipped", f"look whether {named} must say something else now: this agent writes no documentation")
        new = implementation.record(work, answer.printed)
        if new.head_sha == old.head_sha:
            return Outcome("skipped", f"the agent read {named} and found nothing to change")
        new, why_not = _judged(work, old, new)
    except AttemptEnds as ends:
        if ends.verdict.name is VerdictName.PROVIDER_LIMIT:
            raise
        why_not = ends.verdict.reason
    if why_not:
        worktree.restore(work, old.snapshot_sha)
        return Outcome("failed", f"{named} may be out of date; the documentation pass was dropped: {why_not}")
    work.state.change = new
    return Outcome(reason=f"documents follow the change: {named}")


def _judged(work: Work, old: Change, new: Change) -> tuple[Change, str]:
    """The tested change, and why it must not be kept."""
    touched = gate.changed_lines(work.folder.publish, old.head_sha, new.head_sha)
    strays = [file.path for file in touched if not is_document(file.path)]
    if strays:
        return new, f"it also touched {', '.join(strays[:5])}"
    after = testing.gather(work, new.snapshot_sha, baseline(work))
    if old.after and verdict.final(baseline(work), after).name is not verdict.final(baseline(work), old.after).name:
        return new, "the tests say something else with it"
    return new.model_copy(update={"after": after}), ""


def _is_test(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool({"test", "tests"} & {part.lower() for part in pure.parts[:-1]}) or pure.name.startswith("test_")
