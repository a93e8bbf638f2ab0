"""git, with nothing of the machine or of a repository deciding what it does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import TransientError
from shared.git import GitFailed, check_git, credentials, git, identity, run_git

WHO = identity("Somebody", "somebody@example.org")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    git("init", "-q", "-b", "main", str(folder), cwd=tmp_path)
    (folder / "file").write_text("text\n")
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "First", cwd=folder, env=WHO)
    return folder


def test_hooks_and_settings_of_a_repository_start_nothing(repository: Path) -> None:
    """A hook or a file-system monitor that somebody left in a repository is not run."""
    hook = repository / ".git" / "hooks" / "post-commit"
    hook.write_text("#!/bin/sh\ntouch ran-hook\n")
    hook.chmod(0o755)
    monitor = repository / "monitor.sh"
    monitor.write_text("#!/bin/sh\ntouch ran-monitor\n")
    monitor.chmod(0o755)
    git("config", "core.fsmonitor", str(monitor), cwd=repository)
    git("commit", "-q", "--allow-empty", "-m", "Second", cwd=repository, env=WHO)
    git("status", cwd=repository)
    assert not list(repository.glob("ran-*"))


def test_git_variables_of_our_own_environment_do_not_reach_it(repository: Path) -> None:
    """A GIT_DIR that is set around us would send every command to another repository."""
    script = "from pathlib import Path; from shared.git import git; print(git('rev-parse', '--git-dir', cwd=Path('.')))"
    environment = {**os.environ, "GIT_DIR": "/nowhere", "GIT_CONFIG_PARAMETERS": "'core.bare=true'"}
    seen = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, env=environment, check=True, capture_output=True, text=True
    )
    assert seen.stdout.strip() == ".git"


def test_a_refusal_keeps_status_and_words(repository: Path) -> None:
    """Who handles it can tell what git said."""
    with pytest.raises(GitFailed, match="nowhere") as caught:
        git("rev-parse", "--verify", "nowhere^{commit}", cwd=repository)
    assert caught.value.status == 128


def test_a_status_can_be_an_answer(repository: Path) -> None:
    """`accept` turns it from an error into a value."""
    assert run_git("merge-base", "--is-ancestor", "HEAD", "HEAD", cwd=repository, accept=(0, 1))[0] == 0
    assert run_git("diff", "--quiet", "--no-index", "/dev/null", "file", cwd=repository, accept=(0, 1))[0] == 1


def test_a_server_that_is_not_there_may_be_tried_again(repository: Path) -> None:
    """The network is a reason to wait, not a verdict."""
    with pytest.raises(TransientError):
        git("fetch", "http://127.0.0.1:9/acme/words", cwd=repository)


def test_bytes_survive_in_both_directions(repository: Path) -> None:
    """File names and contents that are no UTF-8 come back as they were."""
    sha = git("hash-object", "-w", "--stdin", cwd=repository, stdin=b"\xff\xfe\0caf\xe9\r\n").strip()
    assert git("cat-file", "blob", sha, cwd=repository).encode("utf-8", "surrogateescape") == b"\xff\xfe\0caf\xe9\r\n"


def test_a_token_travels_by_environment_only() -> None:
    """Neither argv nor a configuration file ever holds it."""
    settings = credentials("https://github.example.org/acme/words.git", "s3cret")
    assert settings["GIT_CONFIG_KEY_0"] == "http.https://github.example.org/acme/words.git.extraHeader"
    assert "s3cret" not in "".join(settings.values())


def test_a_command_that_takes_too_long_is_ended(repository: Path) -> None:
    """A server that never answers does not hold us for ever."""
    with pytest.raises((GitFailed, TransientError)):
        git("-c", "alias.wait=!sleep 300", "wait", cwd=repository, timeout=0.3)


def test_the_version_is_checked_once_with_a_clear_answer() -> None:
    """What is found is told in one word."""
    assert check_git()[0].isdigit()
