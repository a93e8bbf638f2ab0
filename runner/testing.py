"""Runs the repository's set-up and test commands in the sandbox, on a fresh checkout of exactly one commit."""

from runner import verdict, worktree
from runner.endings import AttemptEnds
from runner.phase import Work
from runner.sandbox import Room
from runner.suite.evidence import as_evidence
from shared.models import TestRun, VerdictName
from shared.process import Limits

_JUNIT_LIMIT = 20 * 1024 * 1024


def run_tests(work: Work, commit: str) -> TestRun:
    """What the tests say about `commit`; raises AttemptEnds only when they could not be started at all."""
    worktree.check_out_for_tests(work, commit)
    run_setup_command(work, worktree.check_room(work, network=may_use_network(work)))
    worktree.empty(work, work.folder.out)
    junit = work.folder.out / "junit.xml"
    # Any pytest below the command heeds this, whoever calls it.
    room = worktree.check_room(work, network=False, env={"PYTEST_ADDOPTS": f"-p no:cacheprovider --junitxml={junit}"})
    limits = Limits(seconds=work.brief.settings.test_minutes * 60)
    command = work.state.test_command
    ended = work.run(["sh", "-c", command], room, log="testing", limits=limits)
    if ended.exit_code == 127 and ended.reason == "exited":
        raise AttemptEnds(VerdictName.SETUP_FAILED, f"the test command `{command}` could not be started", ended.tail)
    return as_evidence(command, ended, {"junit.xml": worktree.read_left_file(junit, _JUNIT_LIMIT)})


def run_setup_command(work: Work, room: Room) -> None:
    command = work.brief.settings.setup_command
    if not command:
        return
    limits = Limits(seconds=work.brief.settings.test_minutes * 60)
    ended = work.run(["sh", "-c", command], room, log="setup", limits=limits)
    if bad := verdict.of_command(ended, f"the set-up command `{command}`"):
        name = VerdictName.SETUP_FAILED if bad.name is VerdictName.AGENT_FAILED else bad.name
        raise AttemptEnds(name, bad.reason, bad.detail)


def may_use_network(work: Work) -> bool:
    """Set-up commands install dependencies; under `required` isolation nothing inside has a network."""
    return work.brief.isolation != "required"
