"""One run of the tests as evidence: the exit code decides, reports and output say the rest."""

from collections.abc import Mapping

from runner.suite.counts import Counts, together
from runner.suite.junit import read_junit, written_by
from runner.suite.outputs import clean, read_output
from shared.log import redact
from shared.models import TestRun
from shared.process import Ended

FAILURES_LIMIT = 20_000
_FAILING_LIMIT = 1_000
_NAME_LIMIT = 300
_TOLD_LIMIT = 100
_TAIL_LIMIT = 8_000


def as_evidence(command: str, ended: Ended, reports: Mapping[str, bytes], output: str = "") -> TestRun:
    """`reports` are the JUnit files that this run wrote, by name; `output` is its log, if there is more than the tail.

    A run that was ended by us has no exit code of its own and counts as red.
    """
    printed = output or ended.tail
    counts = _counts(reports, printed) or Counts("exit code only")
    code = ended.exit_code if ended.reason == "exited" else ended.exit_code or 1
    return TestRun(
        command=command,
        exit_code=code,
        seconds=round(ended.seconds, 3),
        source=_source(counts, code, ended),
        passed=counts.passed,
        failed=counts.failed,
        skipped=counts.skipped,
        failing=_names(counts.failing),
        tail=redact(clean(ended.tail))[-_TAIL_LIMIT:],
        failures=_failures(counts, printed) if code else "",
    )


def ran_nothing(run: TestRun) -> bool:
    """A run without a test is no evidence, whatever its exit code; unknown numbers are not zero."""
    return run.passed == 0 and run.failed == 0


def _counts(reports: Mapping[str, bytes], printed: str) -> Counts | None:
    """A report replaces what its own runner printed; another runner of the same command is still heard."""
    told = read_junit(reports)
    if told is None:
        return read_output(printed)
    runner = written_by(reports)
    others = read_output(printed, besides=runner) if runner else None
    return together(part for part in (told, others) if part)


def _source(counts: Counts, code: int, ended: Ended) -> str:
    notes = [counts.source]
    if ended.reason not in {"exited", "signalled"}:
        notes.append(f"ended by us: {ended.reason}")
    elif code != 0 and counts.failed == 0 and counts.passed:
        notes.append(f"which names no failure, but the exit code is {code}")
    elif code == 0 and counts.failed:
        notes.append(f"which counts {counts.failed} failed, but the exit code is 0")
    if counts.passed == 0 and counts.failed == 0:
        notes.append("no test ran")
    return ", ".join(notes)


def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """In an order that does not depend on the run, once some must be left out: else the same failure looks new."""
    short = tuple(dict.fromkeys(redact(clean(name))[:_NAME_LIMIT] for name in names))
    return short if len(short) <= _FAILING_LIMIT else tuple(sorted(short)[:_FAILING_LIMIT])


def _failures(counts: Counts, printed: str) -> str:
    """Their own words, else the end of the output."""
    said = {name: words for name, words in counts.words.items() if words.strip()}
    if not said:
        return redact(clean(printed[-2 * FAILURES_LIMIT :]))[-FAILURES_LIMIT:].strip("\n")
    told = list(said.items())[:_TOLD_LIMIT]
    more = f"\n\n(and {len(counts.failing) - len(told)} more failing tests)" if len(counts.failing) > len(told) else ""
    texts = [f"--- {name[:_NAME_LIMIT]}\n{words}" for name, words in told]
    shared = _divided([redact(clean(text)) for text in texts], FAILURES_LIMIT - len(more) - 2 * len(texts))
    return "\n\n".join(shared) + more


def _divided(texts: list[str], room: int) -> list[str]:
    """Each gets its share; what a short one does not need goes to the longer ones."""
    share, left = 0, room
    for index, length in enumerate(sorted(len(text) for text in texts)):
        share = left // (len(texts) - index)
        if length > share:
            break
        left -= length
        share = length
    return [_middle_cut(text, share) for text in texts]


def _middle_cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = "\n(…)\n"
    half = max(0, (limit - len(note)) // 2)
    return f"{text[:half]}{note}{text[len(text) - half :]}"[:limit]
