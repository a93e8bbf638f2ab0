"""Agents that lie, flood, escape or attack: nothing of theirs leaves this machine unseen or runs outside."""

import shutil
from pathlib import Path

import pytest

from shared.messages import Published
from shared.models import AttemptReport
from shared.process import started_at
from shared.repository_settings import RepositorySettings
from tests.runner.conftest import MakeStage
from tests.runner.stage import Stage
from tests.support.scripted_app import ScriptedApp, serving

KEY = "-----BEGIN RSA PRIVATE KEY-----"
NESTED = "git init -q inner; cd inner; git -c user.name=a -c user.email=b commit -q --allow-empty -m x"


def after(stage: Stage, script: str, **more: object) -> AttemptReport:
    """What the attempt says when the agent's implementation pass was this shell script."""
    brief = stage.brief(agent=stage.script(script), **more)  # type: ignore[arg-type]
    app = ScriptedApp(brief, permit=stage.grant)
    with serving(app):
        code, log = stage.run(app)
    assert code == 0, log
    assert stage.branch_sha() == (app.report.head_sha if app.report.pull_request else "")
    return app.report


@pytest.mark.parametrize(
    ("script", "path", "rule"),
    [
        ("mkdir -p .github/workflows; echo 'on: push' > .github/workflows/ci.yml", ".github/workflows/ci.yml", "protected"),
        pytest.param("ln -s /etc/passwd users.py", "users.py", "symbolic link", marks=pytest.mark.slow),
        pytest.param(f"echo '{KEY}' >> words.py", "words.py", "a private key", marks=pytest.mark.slow),
        pytest.param(NESTED, "inner", "nested", marks=pytest.mark.slow),
        pytest.param("head -c 6000000 /dev/urandom > blob.bin", "blob.bin", "bytes", marks=pytest.mark.slow),
        pytest.param("truncate -s 200M huge.bin", "huge.bin", "max_file_mib", marks=pytest.mark.slow),
        pytest.param("head -c 209715200 /dev/urandom > huge.bin", "huge.bin", "max_file_mib", marks=pytest.mark.slow),
        pytest.param("ln -s .git/hooks hooks", "hooks", "symbolic link", marks=pytest.mark.slow),
        pytest.param("mkdir .husky; echo evil > .husky/pre-commit", ".husky/pre-commit", "protected", marks=pytest.mark.slow),
        pytest.param("cp words.py CODEOWNERS", "CODEOWNERS", "protected_changes", marks=pytest.mark.slow),
        pytest.param("echo 'x = 1' > WORDS.py", "WORDS.py", "letter case", marks=pytest.mark.slow),
        pytest.param("echo 'x = 1' > secret.py", "secret.py", "protected", marks=pytest.mark.slow),
    ],
)
def test_a_change_that_must_not_leave_is_named_with_its_rule(make_stage: MakeStage, script: str, path: str, rule: str) -> None:
    """File and rule in the verdict; no permit is asked for and nothing is pushed."""
    report = after(make_stage(), script, settings=RepositorySettings(protected_paths=("secret.*",)))
    assert report.verdict.name == "unsafe_diff"
    assert report.verdict.reason.startswith(f"{path}:")
    assert rule in report.verdict.reason


def test_files_that_are_too_large_together_are_named_before_they_are_packed(make_stage: MakeStage) -> None:
    """Random bytes, which no packing makes small: each file that is too large by itself, else the largest; and the setting."""
    small = RepositorySettings(max_file_mib=1, max_change_mib=2)
    report = after(make_stage(), "for n in 1 2; do head -c 1500000 /dev/urandom > big$n.bin; done", settings=small)
    assert report.verdict.name == "unsafe_diff"
    assert report.verdict.reason == "big1.bin: 1,500,000 bytes, more than 1,048,576 (setting: max_file_mib) and 1 more"
    assert "big2.bin: 1,500,000 bytes" in report.verdict.detail
    assert not report.changes, "it was not even taken in"


def test_files_that_are_too_large_only_together_are_named_by_the_largest(make_stage: MakeStage) -> None:
    """Also before they are packed."""
    together = 'for n in 1 2 3; do head -c 90000$n /dev/urandom > "big $n.bin"; done'
    report = after(make_stage(), together, settings=RepositorySettings(max_file_mib=1, max_change_mib=2))
    words = "the changed files hold 2,700,006 bytes, more than 2,097,152; this is the largest (setting: max_change_mib)"
    assert report.verdict.reason == f"big 3.bin: {words}"


@pytest.mark.parametrize(
    ("script", "path", "rule"),
    [
        (r"""printf '[submodule "x"]\n\tpath = x\n\turl = -uevil\n' > .gitmodules""", ".gitmodules", "gitmodulesUrl"),
        ("mkdir sub; head -c 3000 /dev/zero | tr '\\0' a > sub/.gitattributes", "sub/.gitattributes", "gitattributesLineLength"),
    ],
)
def test_what_gits_own_checks_refuse_is_named(make_stage: MakeStage, script: str, path: str, rule: str) -> None:
    """File, git's name for its rule, its words, and what to do: there is no setting for it."""
    report = after(make_stage(), script)
    assert report.verdict.name == "unsafe_diff"
    assert report.verdict.reason.startswith(f"{path}: git's check `{rule}` refuses it (")
    assert "`/shoal retry`" in report.verdict.reason


@pytest.mark.slow
def test_a_protected_change_may_be_shown_as_a_draft_and_stays_one(make_stage: MakeStage) -> None:
    """Where the operator chose so: a marked draft; whoever takes over for the review, on another machine, keeps the mark."""
    stage = make_stage()
    first = after(stage, "cp words.py CODEOWNERS", protected_changes="draft")
    [pull_request] = stage.pull_requests()
    assert pull_request["draft"]
    assert first.verdict.name == "unsafe_diff"
    assert "CODEOWNERS" in first.verdict.reason
    shutil.rmtree(stage.work_dir)
    unreviewed = first.model_copy(update={"review_text": "", "review_posted": False})
    published = Published(pull_request=pull_request["number"], report=unreviewed)
    second = after(stage, "exit 1", protected_changes="draft", attempt=2, published=published)
    assert second.verdict == first.verdict
    assert second.draft


@pytest.mark.slow
def test_a_report_that_was_committed_is_no_evidence(make_stage: MakeStage) -> None:
    """The numbers are those that the run printed, not those of a file that the agent wrote."""
    forged = '<testsuite tests="99"><testcase name="a"/><testcase name="b"/></testsuite>'
    lines = f"mkdir -p target/surefire-reports; echo '{forged}' > target/surefire-reports/TEST-a.xml; echo 'x = 1' >> words.py"
    report = after(make_stage(), lines)
    assert "target/surefire-reports/TEST-a.xml" in {change.path for change in report.changes}
    assert report.tests_after is not None
    assert (report.tests_after.passed, report.tests_after.failed) == (1, 0)
    assert "JUnit" not in report.tests_after.source


def test_hooks_filters_and_monitors_of_the_agent_never_run_outside(make_stage: MakeStage, tmp_path: Path) -> None:
    """It may write any git configuration: our git never reads it, and its own commits are only content."""
    mark = tmp_path / "ran-outside"
    attack = f"""
      printf '#!/bin/sh\\ntouch {mark}\\n' > evil; chmod 755 evil
      git config core.fsmonitor "$PWD/evil"; git config core.hooksPath "$PWD"; git config filter.x.clean "$PWD/evil"
      cp evil pre-commit; cp evil post-checkout
      git config alias.add "!$PWD/evil" ; git config uploadpack.packObjectsHook "$PWD/evil"
      echo 'x = 1' >> words.py; git add -A >/dev/null 2>&1 || true
    """
    report = after(make_stage(), attack)
    assert report.verdict.name == "succeeded", report.verdict
    assert not mark.exists()


@pytest.mark.slow
def test_what_an_agent_does_to_history_and_branches_is_lost_but_for_its_files(make_stage: MakeStage) -> None:
    """Rewritten history, commits on other branches, tags and hooks: only the tree is taken, as one commit of ours on the start."""
    stage = make_stage()
    rewrite = """
      git config user.name Evil; git config user.email evil@example.org; git config core.hooksPath "$PWD/.git/hooks"
      printf '#!/bin/sh\\necho hooked >> words.py\\n' > .git/hooks/pre-commit 2>/dev/null || true
      chmod 755 .git/hooks/pre-commit 2>/dev/null || true
      git checkout -q --orphan elsewhere; echo 'x = 1' >> words.py; git add -A; git commit -q --no-verify -m 'Evil'
      git branch -f main HEAD; git tag -f v1
    """
    report = after(stage, rewrite)
    assert report.verdict.name == "succeeded", report.verdict
    assert [change.path for change in report.changes] == ["words.py"]
    made = stage.person.get(f"/repos/{stage.full_name}/commits/{report.head_sha}")
    assert [parent["sha"] for parent in made["parents"]] == [stage.base_sha]
    assert made["commit"]["author"]["name"] != "Evil"
    assert [ref["ref"] for ref in stage.person.get(f"/repos/{stage.full_name}/git/matching-refs/tags")] == []


@pytest.mark.slow
def test_an_agent_that_destroys_its_git_directory_loses_nothing_but_that(make_stage: MakeStage) -> None:
    """The snapshot is made by a git directory that no agent ever saw."""
    report = after(make_stage(), "rm -rf .git 2>/dev/null || true; rm -rf ../git/* 2>/dev/null; echo 'x = 1' >> words.py")
    assert report.verdict.name == "succeeded", report.verdict
    assert [change.path for change in report.changes] == ["words.py"]


@pytest.mark.slow
def test_an_agent_that_fails_is_called_so_with_its_last_words(make_stage: MakeStage) -> None:
    """Even when it had changed something."""
    report = after(make_stage(), "echo 'x = 1' >> words.py; echo the model is overloaded; exit 1")
    assert report.verdict.name == "agent_failed"
    assert "exit code 1" in report.verdict.reason
    assert "the model is overloaded" in report.verdict.detail


@pytest.mark.slow
def test_an_agent_that_was_killed_names_the_signal(make_stage: MakeStage) -> None:
    """Such as by the kernel, for want of memory."""
    report = after(make_stage(), "kill -KILL $$")
    assert report.verdict.name == "agent_failed"
    assert "SIGKILL" in report.verdict.reason


@pytest.mark.slow
def test_a_flood_of_output_is_a_limit_that_was_reached(make_stage: MakeStage) -> None:
    """The log keeps to its limit; the attempt ends with a name for it."""
    stage = make_stage()
    report = after(stage, "yes 0123456789012345678901234567890123456789 | head -c 300000000")
    assert report.verdict.name == "limit_reached"
    assert "printed more" in report.verdict.reason
    assert (stage.task_folder() / "logs" / "implementation.log").stat().st_size <= 65 * 2**20


def test_an_agent_cannot_make_the_tests_green_from_its_home(make_stage: MakeStage) -> None:
    """Evidence comes from a fresh checkout with a fresh HOME: user site-packages and ignored leftovers decide nothing."""
    lie = """
      [ "$PASS" != repair ] || exit 0
      site=$(python3 -c 'import site; print(site.getusersitepackages())'); mkdir -p "$site"
      echo 'import os; os._exit(0)' > "$site/usercustomize.py"
      echo 'raise SystemError' >> words.py
    """
    report = after(make_stage(), lie)
    assert report.verdict.name == "tests_failed"


def test_an_agent_sees_neither_secrets_nor_other_tasks(make_stage: MakeStage) -> None:
    """No environment of ours, no process of ours, no folder but its own; nothing is writable but its own."""
    stage = make_stage()
    (stage.root / "other-task").mkdir()
    look = f"""
      {{ env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; }} | grep -i -e token -e secret -e virtual_env && exit 11
      [ -e {stage.root}/other-task ] && exit 12
      [ -e {stage.task_folder()}/publish.git ] && exit 13
      [ -e {stage.task_folder()}/state.json ] && exit 14
      touch /usr/x {stage.work_dir}/mirrors/x 2>/dev/null && exit 15
      [ "$(ls /proc | grep -c '^[0-9]')" -gt 9 ] && exit 16
      echo 'x = 1' >> words.py
    """
    report = after(stage, look)
    assert report.isolation.startswith("bubblewrap")
    assert report.verdict.name == "succeeded", report.verdict


@pytest.mark.slow
def test_under_required_isolation_an_agent_reaches_no_network(make_stage: MakeStage) -> None:
    """Not even a server on loopback."""
    stage = make_stage()
    ask = f"""
      python3 -c 'import socket; socket.create_connection(("127.0.0.1", {stage.hub.url.rsplit(":", 1)[1]}))' 2>/dev/null && exit 11
      echo 'x = 1' >> words.py
    """
    assert after(stage, ask, isolation="required").verdict.name == "succeeded"


@pytest.mark.slow
def test_what_escapes_its_session_dies_with_the_pass(make_stage: MakeStage) -> None:
    """Without a sandbox too: orphans come back to the runner, which ends them."""
    stage = make_stage()
    mark = stage.root / "escaped"
    report = after(stage, f"setsid sh -c 'echo $$ > {mark}; sleep 300' & sleep 0.3; echo 'x = 1' >> words.py", isolation="none")
    assert report.isolation.startswith("process")
    assert report.verdict.name == "succeeded"
    assert started_at(int(mark.read_text())) is None


def test_an_agent_cannot_start_a_runner(make_stage: MakeStage) -> None:
    """The recursion guard: a fork bomb of agents once took a machine down."""
    stage = make_stage()
    app = stage.scripted_app()
    with serving(app):
        code, log = stage.run(app, SHOAL_ATTEMPT="1")
    assert code == 2
    assert "inside an attempt" in log
    assert app.calls == []
