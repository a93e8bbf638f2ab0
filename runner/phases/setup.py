"""Phase 1: the commit to start from, a checkout, the test command, and what the tests say before anything is changed."""

import hashlib
import json
from pathlib import Path

from runner import mirror, publish, testing, worktree
from runner.endings import AttemptEnds
from runner.phase import Outcome, Work
from runner.suite import detect
from runner.tokens import revoke
from shared.git import git
from shared.models import PhaseName, TestRun, VerdictName

NAME = PhaseName.SETUP


def run(work: Work) -> Outcome:
    brief, folder, state = work.brief, work.folder, work.state
    if brief.isolation == "required" and work.sandbox.level != "bubblewrap":
        reason = f"isolation is required, but {work.sandbox.why}; install the package `bubblewrap` or choose `isolation: preferred`"
        raise AttemptEnds(VerdictName.SETUP_FAILED, reason)
    mirror.fetch(folder.mirror, brief, work.stop)
    if brief.read_token:
        # All that is needed is here: from now on repository code runs, and no token of this task works.
        revoke(brief.repository.api_url, brief.read_token)
    state.start_sha = mirror.start_commit(folder.mirror, brief)
    publish.open_quarantine(folder)
    command = _test_command(work)
    state.test_command, state.test_source = command.line, command.source
    make_checkout(work)
    state.tests_before = _baseline(work)
    return Outcome(reason=f"`{command.line}` ({command.source})")


def missing(work: Work) -> str:
    if not work.state.start_sha or work.state.tests_before is None:
        return "the start commit or the baseline is not recorded"
    return "" if work.folder.gitfile.exists() and work.folder.tree.is_dir() else "the checkout is not there"


def make_checkout(work: Work) -> None:
    """A fresh one for the agent, with whatever the set-up command adds."""
    worktree.prepare(work)
    testing.run_setup_command(work, worktree.agent_room(work, network=testing.may_use_network(work)))
    worktree.exclude_leftovers(work)


def _test_command(work: Work) -> detect.Command:
    """Settled before the agent spends anything."""
    if line := work.brief.settings.test_command:
        return detect.Command(line, "settings")
    at, repository = work.brief.base_sha, work.folder.mirror
    files = git("ls-tree", "-r", "-z", "--name-only", at, cwd=repository).split("\0")
    command = detect.detect(frozenset(files), lambda name: git("cat-file", "blob", f"{at}:{name}", cwd=repository))
    if not command.line:
        reason = "no test command was found: set `test_command` in `.github/shoal.yml`"
        raise AttemptEnds(VerdictName.SETUP_FAILED, reason)
    return command


def _baseline(work: Work) -> TestRun:
    """Run once per start commit and command, whoever of the sibling tasks comes first."""
    state, settings = work.state, work.brief.settings
    key = json.dumps([state.start_sha, state.test_command, settings.setup_command, work.sandbox.level])
    name = f"{work.brief.repository.id}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    kept = work.folder.work_dir / "baselines" / f"{name}.json"
    with mirror.locked(kept.with_suffix(".lock"), work.stop):
        if found := _read(kept):
            return found
        run = testing.run_tests(work, state.start_sha)
        temporary = kept.with_suffix(".new")
        temporary.write_text(run.model_dump_json(), encoding="utf-8")
        temporary.replace(kept)
        return run


def _read(path: Path) -> TestRun | None:
    try:
        return TestRun.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
