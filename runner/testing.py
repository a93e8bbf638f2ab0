"""Runs the repository's set-up, test and check commands in the sandbox, on a pristine checkout of exactly one commit."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from runner import verdict, worktree
from runner.endings import AttemptEnds
from runner.evidence import Evidence
from runner.meter import timed
from runner.phase import Work
from runner.sandbox import Room
from runner.suite.detect import report_globs
from runner.suite.evidence import as_evidence
from shared.models import TestRun, VerdictName
from shared.process import Ended

_REPORT_BYTES = 20 * 1024 * 1024
_REPORTS = 50
_OUTPUT_BYTES = 2 * 1024 * 1024
# Copied inside, because a link that tests left could lead anywhere; names are numbers, so that none can be chosen.
# What the commit itself holds is no report of this run.
_COLLECT = """
mkdir -p "$OUT/reports"; n=0
find . -type f -size -20480k -newer "$OUT/begun" \\( "$@" \\) | head -n 50 | while read -r file; do
  n=$((n + 1)); cp --no-dereference -- "$file" "$OUT/reports/$n.xml"
done
"""


def gather(work: Work, commit: str, before: Evidence | None = None) -> Evidence:
    """What tests and checks say about `commit`; new failures are run once more, because a flaky test is nobody's fault.

    Raises AttemptEnds only when they could not be started at all.
    """
    first = _once(work, commit)
    if before is None or not verdict.new_failures(before.tests, first.tests):
        return first
    again = _once(work, commit).tests
    if again.exit_code == 0 and not first.tests.failing:
        flaky: tuple[str, ...] = (f"`{first.tests.command}` (exit code {first.tests.exit_code})",)
    else:
        flaky = tuple(name for name in first.tests.failing if name not in again.failing)
    return first.model_copy(update={"tests": again.model_copy(update={"flaky": flaky})})


def run_setup_command(work: Work, room: Room, whose: str) -> None:
    """`whose` says which checkout it is for: two of them may be set up side by side."""
    command = work.brief.settings.setup_command
    if not command:
        return
    minutes = work.brief.settings.test_minutes
    with work.meter.step(f"set-up command {whose}"):
        ended = work.run(["sh", "-c", command], room, log=f"setup {whose}".replace(" ", "-"), minutes=minutes)
    if bad := verdict.of_command(ended, f"the set-up command `{command}`", "test_minutes"):
        name = VerdictName.SETUP_FAILED if bad.name is VerdictName.AGENT_FAILED else bad.name
        hint = "" if room.network else "; it has no network: an operator may allow it with SHOAL_SETUP_NETWORK=true"
        raise AttemptEnds(name, bad.reason + (hint if name is VerdictName.SETUP_FAILED else ""), bad.detail, limit=bad.limit)


def may_use_network(work: Work) -> bool:
    """Set-up commands install dependencies, if the operator lets them."""
    return work.brief.setup_network


def _once(work: Work, commit: str) -> Evidence:
    """The tests, and beside them the checks, which see the same checkout without being able to change it."""
    with work.meter.step("checkout for the tests") as step:
        step.cached = worktree.check_out_for_tests(work, commit)
    run_setup_command(work, worktree.check_room(work, network=may_use_network(work)), "for the tests")
    worktree.empty(work, work.folder.out)
    (work.folder.out / "begun").touch()
    commands = work.brief.settings.checks
    # Without bubblewrap nothing keeps them from writing into each other's work.
    beside = len(commands) if work.sandbox.level == "bubblewrap" else 0
    begun = time.monotonic()
    with work.meter.step("tests and checks" if commands else "tests"), ThreadPoolExecutor(max_workers=beside + 1) as pool:
        tests = pool.submit(timed, partial(_run_tests, work))
        checks = [pool.submit(timed, partial(_run_check, work, index, command)) for index, command in enumerate(commands)]
        runs = [tests.result(), *(check.result() for check in checks)]
    if beside:
        work.meter.side_by_side(time.monotonic() - begun, (seconds for _, seconds in runs))
    return Evidence(tests=runs[0][0], checks=tuple(run for run, _ in runs[1:]))


def _run_tests(work: Work) -> TestRun:
    junit = work.folder.out / "junit.xml"
    # Any pytest below the command heeds this, whoever calls it.
    room = worktree.check_room(work, network=False, env={"PYTEST_ADDOPTS": f"-p no:cacheprovider --junitxml={junit}"})
    command = work.state.test_command
    ended, printed = _run(work, command, room, "testing")
    return as_evidence(command, ended, _reports(work, command, junit), printed)


def _run_check(work: Work, index: int, command: str) -> TestRun:
    room = worktree.check_room(work, network=False)
    if work.sandbox.level == "bubblewrap":
        writable = tuple(bind._replace(writable=False) if bind.source == work.folder.check else bind for bind in room.binds)
        room = room._replace(binds=writable, home=Path("/tmp"))  # noqa: S108 a private one, inside
    ended, printed = _run(work, command, room, f"check-{index + 1}")
    return as_evidence(command, ended, {}, printed)


def _run(work: Work, command: str, room: Room, log: str) -> tuple[Ended, str]:
    """How it ended, and the end of what it printed."""
    path = work.folder.log(log)
    begin = path.stat().st_size if path.exists() else 0
    ended = work.run(["sh", "-c", command], room, log=log, minutes=work.brief.settings.test_minutes)
    if ended.exit_code == 127 and ended.reason == "exited":
        raise AttemptEnds(VerdictName.SETUP_FAILED, f"the command `{command}` could not be started", ended.tail)
    if ended.reason in {"memory_limit", "disk_limit"} and (bad := verdict.of_command(ended, f"the command `{command}`")):
        raise AttemptEnds.with_verdict(bad)
    return ended, _printed(path, begin)


def _printed(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(begin, size - _OUTPUT_BYTES))
        return file.read().decode(errors="replace")


def _reports(work: Work, command: str, junit: Path) -> dict[str, bytes]:
    """JUnit files by name: where we asked for one, else where the tool leaves its own."""
    if found := worktree.read_left_file(junit, _REPORT_BYTES):
        return {junit.name: found}
    globs = report_globs(command)
    if not globs:
        return {}
    tests = [part for glob in globs for part in ("-o", "-path", f"./{glob}")][1:]
    room = worktree.check_room(work, network=False, env={"OUT": str(work.folder.out)})
    work.run(["sh", "-ec", _COLLECT, "collect", *tests], room, log="reports", minutes=1)
    names = [f"{number}.xml" for number in range(1, _REPORTS + 1)]
    contents = {name: worktree.read_left_file(work.folder.out / "reports" / name, _REPORT_BYTES) for name in names}
    return {name: content for name, content in contents.items() if content}
