"""`shoal serve` where it cannot work: one line that names the thing and the fix, and an exit status."""

import os
import socket
from pathlib import Path

import pytest

from app.demo import identity
from app.demo.world import Ways, settings
from tests.support.journeys import shoal_serve


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A complete set of settings."""
    (tmp_path / "app.pem").write_text("never read before the app has looked around\n")
    return {**settings(tmp_path, Ways(), identity.new()), "SHOAL_APP_ID": "1"}


def _says(env: dict[str, str], folder: Path, status: int) -> str:
    ended = shoal_serve(env, folder)
    assert (ended.status, ended.stdout) == (status, ""), ended
    (line,) = ended.stderr.splitlines()
    assert line.startswith("shoal: ")
    return line


def test_no_webhook_secret(env: dict[str, str], tmp_path: Path) -> None:
    """Without a secret anybody could start work: nothing starts."""
    line = _says({name: value for name, value in env.items() if name != "SHOAL_WEBHOOK_SECRET"}, tmp_path, 2)
    assert "SHOAL_WEBHOOK_SECRET is missing: set it to the webhook secret of the GitHub App" in line


def test_port_in_use(env: dict[str, str], tmp_path: Path) -> None:
    """Named with its number."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = _says({**env, "SHOAL_PORT": str(port)}, tmp_path, 1)
    assert line == f"shoal: port {port} on 127.0.0.1 is in use: end the other program, or choose another SHOAL_PORT"


def test_git_is_missing(env: dict[str, str], tmp_path: Path) -> None:
    """A PATH without git."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/env").symlink_to("/usr/bin/env")
    line = _says({**env, "PATH": str(tmp_path / "bin")}, tmp_path, 1)
    assert line == "shoal: git is missing: install git 2.38 or newer"


def test_git_is_too_old(env: dict[str, str], tmp_path: Path) -> None:
    """2.30 knows no `merge-tree --write-tree`."""
    old = tmp_path / "bin/git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.30.2\n")
    old.chmod(0o755)
    line = _says({**env, "PATH": f"{old.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"}, tmp_path, 1)
    assert line == "shoal: git is too old (git version 2.30.2): shoal needs 2.38 or newer (merge-tree --write-tree)"
