"""PURE: what the evidence says; nothing else decides how an attempt is called."""

import errno
import signal
import traceback
from collections.abc import Sequence

from runner.evidence import Evidence
from runner.suite.evidence import ran_nothing
from shared.log import redact
from shared.models import TestRun, Verdict, VerdictName
from shared.process import Ended, EndReason

DISK = "disk_free_mib"
_FULL_DISK = ("No space left on device", "Disk quota exceeded")


# How a command of ours is ended, in words, and the limit's name in AttemptLimits ("" where the caller knows it).
_LIMITS: dict[EndReason, tuple[str, str]] = {
    "timeout": ("reached its time limit", ""),
    "inactive": ("said nothing for too long", "inactive_minutes"),
    "output_limit": ("printed more than it may", "output_mib"),
    "memory_limit": ("ran out of the memory that it may use", "memory_mib"),
    "disk_limit": ("left too little free disk: make room on the runner", DISK),
}


def of_command(ended: Ended, who: str, time_limit: str = "") -> Verdict | None:
    """None when the command ended well; `who` begins the sentence ("the agent's research"), `time_limit` names its own limit."""
    if ended.ok:
        return None
    detail = ended.tail[-8000:]
    if is_full_disk(ended.tail):
        reason = f"{who} ended because the disk is full: make room on the runner"
        return Verdict(name=VerdictName.LIMIT_REACHED, reason=reason, detail=detail, limit=DISK)
    if ended.reason in _LIMITS:
        words, limit = _LIMITS[ended.reason]
        reason = f"{who} {words}, after {ended.seconds:.0f} s"
        return Verdict(name=VerdictName.LIMIT_REACHED, reason=reason, detail=detail, limit=limit or time_limit)
    if number := killed_by(ended):
        return Verdict(name=VerdictName.AGENT_FAILED, reason=f"{who} was killed by {signal.Signals(number).name}", detail=detail)
    return Verdict(name=VerdictName.AGENT_FAILED, reason=f"{who} ended with exit code {ended.exit_code}", detail=detail)


def of_error(error: Exception, where: str) -> Verdict:
    """What nobody foresaw; a full disk is the one cause that people can mend."""
    words = redact("".join(traceback.format_exception(error)))[-8000:]
    if (isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}) or is_full_disk(str(error)):
        reason = f"the disk is full in {where}: make room on the runner"
        return Verdict(name=VerdictName.LIMIT_REACHED, reason=reason, detail=words, limit=DISK)
    return Verdict(name=VerdictName.INTERNAL_ERROR, reason=f"the runner broke in {where}: {type(error).__name__}", detail=words)


def is_full_disk(text: str) -> bool:
    return any(words in text for words in _FULL_DISK)


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


def red_checks(before: Sequence[TestRun], after: Sequence[TestRun]) -> tuple[str, ...]:
    """Commands of the repository's other checks that fail now and did not before."""
    green = {run.command for run in before if run.exit_code == 0}
    return tuple(run.command for run in after if run.exit_code != 0 and (run.command in green or not before))


def final(before: Evidence, after: Evidence) -> Verdict:
    """Of an attempt that went through all phases."""
    run = after.tests
    if worse := new_failures(before.tests, run):
        shown = ", ".join(worse[:5]) + (f" and {len(worse) - 5} more" if len(worse) > 5 else "")
        return Verdict(name=VerdictName.TESTS_FAILED, reason=f"tests fail that did not before: {shown}", detail=run.tail[-8000:])
    if red := red_checks(before.checks, after.checks):
        tail = next(check.tail for check in after.checks if check.command in red)
        reason = f"a check fails that did not before: {', '.join(red)}"
        return Verdict(name=VerdictName.TESTS_FAILED, reason=reason, detail=tail[-8000:])
    if ran_nothing(run):
        reason = "no test ran, so nothing shows that the change works: mend `test_command` in `.github/shoal.yml`"
        return Verdict(name=VerdictName.TESTS_FAILED, reason=reason, detail=run.tail[-8000:])
    flaky = f"; flaky, green when run again: {', '.join(run.flaky[:5])}" if run.flaky else ""
    if run.exit_code != 0:
        count = len(run.failing)
        failing = f"{count} test{'s' * (count != 1)} failed before this change and still {'fail' if count != 1 else 'fails'}"
        return Verdict(name=VerdictName.SUCCEEDED, reason=f"{failing}, none is new{flaky}")
    return Verdict(name=VerdictName.SUCCEEDED, reason=f"the tests pass: {told(run)}{flaky}")


def told(run: TestRun) -> str:
    """One run in a few words."""
    if run.passed is None:
        return f"exit code {run.exit_code}"
    failed = f", {run.failed} failed" if run.failed else ""
    skipped = f", {run.skipped} skipped" if run.skipped else ""
    return f"{run.passed} passed{failed}{skipped}"
