"""Phase 1: the commit to start from, a checkout, the test command, and what the tests say before anything is changed."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from runner import agent, mirror, publish, tampering, testing, worktree
from runner.endings import AttemptEnds
from runner.evidence import Evidence
from runner.meter import timed
from runner.phase import Outcome, Work
from runner.programs import toolchain
from runner.suite import detect
from runner.tokens import revoke
from shared.git import git
from shared.models import PhaseName, VerdictName

NAME = PhaseName.SETUP


def run(work: Work) -> Outcome:
    brief, folder, state, step = work.brief, work.folder, work.state, work.meter.step
    with step("agent looked at") as looked:
        looked.cached = agent.must_work(work)
    with step("commits fetched") as fetched:
        fetched.cached = bring_commits(work)
        publish.open_quarantine(folder)
    with step("files looked through"):
        entries = mirror.entries(folder.mirror, brief.base_sha)
        _face_submodules(work, entries)
        _face_lfs(work)
        state.test_command, state.test_source = test_command(work)
    _check_out(work)
    state.before = _set_up_and_tested(work)
    _note_leftovers(work)
    return Outcome(reason=f"`{state.test_command}` ({state.test_source})")


def missing(work: Work) -> str:
    if not work.state.start_sha or work.state.before is None:
        return "the start commit or the baseline is not recorded"
    return "" if work.folder.gitfile.exists() and work.folder.tree.is_dir() else "the checkout is not there"


def bring_commits(work: Work) -> bool:
    """Everything that is needed of the repository; from then on its code may run, and no token of this task works.

    Whether the mirror had it already.
    """
    were_there = mirror.fetch(work.folder.mirror, work.brief, work.stop, lambda: _lent(work))
    work.state.start_sha = mirror.start_commit(work.folder.mirror, work.brief)
    return were_there


@contextmanager
def _lent(work: Work) -> Iterator[str]:
    """A token to fetch with, given back whatever became of the fetch."""
    token = work.app.fetch_token()
    try:
        yield token
    finally:
        if token and not work.brief.shared_tokens:
            revoke(work.brief.repository.api_url, token)


def make_checkout(work: Work) -> None:
    """A fresh one for the agent, with whatever the set-up command adds."""
    _check_out(work)
    _set_up(work)
    _note_leftovers(work)


def _check_out(work: Work) -> None:
    with work.meter.step("checkout for the agent") as step:
        step.cached = worktree.prepare(work)


def _set_up(work: Work) -> None:
    testing.run_setup_command(work, worktree.setup_room(work, network=testing.may_use_network(work)), "for the agent")


def _set_up_and_tested(work: Work) -> Evidence:
    """The agent's checkout is set up, and beside it the start commit is tested: neither sees anything that the other writes."""
    if work.sandbox.level != "bubblewrap" or not work.brief.settings.setup_command:
        _set_up(work)
        return _baseline(work)
    begun = time.monotonic()
    with ThreadPoolExecutor(max_workers=2) as pool:
        ready = pool.submit(timed, partial(_set_up, work))
        tested = pool.submit(timed, partial(_baseline, work))
        _, setting_up = ready.result()
        evidence, testing_it = tested.result()
    work.meter.side_by_side(time.monotonic() - begun, (setting_up, testing_it))
    return evidence


def _note_leftovers(work: Work) -> None:
    with work.meter.step("leftovers and git's state noted"):
        worktree.exclude_leftovers(work)
        tampering.remember(work)


def _face_submodules(work: Work, entries: Sequence[mirror.Entry]) -> None:
    """Their files are in other repositories, for which this task has no right: refused by name, or left out and told."""
    paths = [entry.path for entry in entries if entry.mode == "160000"]
    if not paths:
        return
    shown = ", ".join(f"`{path}`" for path in paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    if work.brief.settings.submodules == "refuse":
        reason = f"submodules are refused: {shown}; set `submodules: empty` in `.github/shoal.yml` to work without their files"
        raise AttemptEnds(VerdictName.SETUP_FAILED, reason)
    work.state.note(f"submodules were left empty: {shown}")


def _face_lfs(work: Work) -> None:
    """Refused by name, or the pointers are all that the agent and the tests see, and told."""
    names = mirror.files_with(work.folder.mirror, work.brief.base_sha, "^[^#].*filter=lfs", ":(glob)**/.gitattributes")
    if not names:
        return
    if work.brief.settings.lfs == "refuse":
        reason = f"`{names[0]}` keeps files in Git LFS; set `lfs: pointers` in `.github/shoal.yml` to work with their pointers"
        raise AttemptEnds(VerdictName.SETUP_FAILED, reason)
    work.state.note(f"files in Git LFS (`{names[0]}`) were pointers only")


def test_command(work: Work) -> detect.Command:
    """Settled before the agent spends anything, from the pinned commit: a predecessor's branch cannot choose it."""
    if line := work.brief.settings.test_command:
        return detect.Command(line, "settings")
    at, repository = work.brief.pinned_sha or work.brief.base_sha, work.folder.mirror
    entries = mirror.entries(repository, at)
    command = detect.detect(
        frozenset(entry.path for entry in entries), lambda name: git("cat-file", "blob", f"{at}:{name}", cwd=repository)
    )
    if not command.line:
        reason = "no test command was found: set `test_command` in `.github/shoal.yml`"
        raise AttemptEnds(VerdictName.SETUP_FAILED, reason)
    return command


def _baseline(work: Work) -> Evidence:
    """Run once per start commit, commands and what is installed, whoever of the sibling tasks comes first."""
    state, settings = work.state, work.brief.settings
    commands = [state.test_command, settings.setup_command, settings.checks]
    machine = [work.sandbox.level, work.brief.setup_network, toolchain(work.sandbox.tools)]
    key = json.dumps([state.start_sha, *commands, *machine])
    name = f"{work.brief.repository.id}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    kept = work.folder.work_dir / "baselines" / f"{name}.json"
    begun = time.monotonic()
    with mirror.locked(kept.with_suffix(".lock"), work.stop):
        if found := _read(kept):
            work.meter.took("tests of the start commit", time.monotonic() - begun, cached=True)
            return found
        evidence = testing.gather(work, state.start_sha)
        temporary = kept.with_suffix(".new")
        temporary.write_text(evidence.model_dump_json(), encoding="utf-8")
        temporary.replace(kept)
        return evidence


def _read(path: Path) -> Evidence | None:
    try:
        return Evidence.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
