"""Phase 7: whether the change needs words elsewhere; decided from the diff and recorded."""

from pathlib import PurePosixPath

from runner.phase import Outcome, Work
from shared.models import FileChange, PhaseName

NAME = PhaseName.DOCUMENTATION
_DOCS = {".md", ".rst", ".adoc", ".txt"}


def run(work: Work) -> Outcome:
    outcome = decide(work.state.changes)
    work.state.documentation = outcome.reason
    return outcome


def missing(work: Work) -> str:
    return "" if work.state.documentation else "nothing was decided"


def decide(changes: tuple[FileChange, ...]) -> Outcome:
    documents = [change.path for change in changes if _is_document(change.path)]
    if documents:
        return Outcome(reason=f"documentation is part of the change: {', '.join(documents[:5])}")
    code = [change.path for change in changes if not _is_test(change.path)]
    if not code:
        return Outcome("skipped", "only tests changed")
    return Outcome("skipped", f"the change touches no documentation; look whether {', '.join(code[:3])} needs some")


def _is_document(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() in _DOCS or pure.parts[0].lower() in {"docs", "doc"}


def _is_test(path: str) -> bool:
    pure = PurePosixPath(path)
    return bool({"test", "tests"} & {part.lower() for part in pure.parts[:-1]}) or pure.name.startswith("test_")
