"""PURE: what the evidence says; nothing else decides how an attempt is called."""

import signal

from shared.models import TestRun, Verdict, VerdictName
from shared.process import Ended

_FULL_DISK = ("No space left on device", "Disk quota exceeded")
MAKE_ROOM = "the disk is full: make room on the runner"


def of_command(ended: Ended, who: str) -> Verdict | None:
    """None when the command ended well; `who` begins the sentence ("the agent's research")."""
    if ended.ok:
        return None
    limits = {
        "timeout": "reached its time limit",
        "inactive": "said nothing for too long",
        "output_limit": "printed more than it may",
        "memory_limit": "reached its memory limit",
    }
    if says_disk_full(ended.tail):
        return _verdict(VerdictName.LIMIT_REACHED, f"{who} ended because {MAKE_ROOM}", ended)
    if ended.reason in limits:
        return _verdict(VerdictName.LIMIT_REACHED, f"{who} {limits[ended.reason]} after {ended.seconds:.0f} s", ended)
    if number := killed_by(ended):
        return _verdict(VerdictName.AGENT_FAILED, f"{who} was killed by {signal.Signals(number).name}", ended)
    return _verdict(VerdictName.AGENT_FAILED, f"{who} ended with exit code {ended.exit_code}", ended)


def says_disk_full(words: str) -> bool:
    """In the system's words, whoever passed them on."""
    return any(sign in words for sign in _FULL_DISK)


def killed_by(ended: Ended) -> int:
    """The signal that ended it, also when a shell or the sandbox passed it on as 128 + n; 0 when none did."""
    if ended.reason == "signalled":
        return -ended.exit_code
    passed_on = ended.exit_code - 128
    return passed_on if passed_on in set(signal.Signals) - {signal.SIGHUP} else 0  # 129 is git's "wrong usage"


def new_failures(before: TestRun, after: TestRun) -> tuple[str, ...]:
    """Why `after` is worse than `before`, one entry each; empty when it is not."""
    if after.exit_code == 0:
        return ()
    if before.exit_code == 0:
        return after.failing or (f"the test command ended with exit code {after.exit_code}",)
    if not after.failing:
        return (
            f"the tests were failing before this change, and the output of this run ({after.source}) does not say which fail now",
        )
    return tuple(name for name in after.failing if name not in before.failing)


def final(before: TestRun, after: TestRun) -> Verdict:
    """Of an attempt that went through all phases."""
    worse = new_failures(before, after)
    if worse:
        shown = ", ".join(worse[:5]) + (f" and {len(worse) - 5} more" if len(worse) > 5 else "")
        return Verdict(name=VerdictName.TESTS_FAILED, reason=f"tests fail that did not before: {shown}", detail=after.tail[-8000:])
    if after.exit_code != 0:
        count = len(after.failing)
        reason = (
            f"{count} test{'s' * (count != 1)} failed before this change and still {'fail' if count != 1 else 'fails'}, none is new"
        )
        return Verdict(name=VerdictName.SUCCEEDED, reason=reason)
    return Verdict(name=VerdictName.SUCCEEDED, reason=f"the tests pass: {told(after)}")


def told(run: TestRun) -> str:
    """One run in a few words."""
    if run.passed is None:
        return f"exit code {run.exit_code}"
    failed = f", {run.failed} failed" if run.failed else ""
    skipped = f", {run.skipped} skipped" if run.skipped else ""
    return f"{run.passed} passed{failed}{skipped}"


def _verdict(name: VerdictName, reason: str, ended: Ended) -> Verdict:
    return Verdict(name=name, reason=reason, detail=ended.tail[-8000:])
