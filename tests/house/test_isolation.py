"""Stories about our generic package names: nobody's `shared` is taken for ours, nor ours for theirs."""

import subprocess
import sys
from pathlib import Path

import pytest

from runner.sandbox import Bind, Room, Sandbox, choose
from shared.process import Limits

_MARK = "import pathlib; pathlib.Path(__file__).with_name('executed').touch()\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a `shared` package of its own."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text(_MARK)
    return tmp_path


def _start(*flags: str, cwd: Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, *flags, "-m", "runner"], cwd=cwd, input=b"", capture_output=True, timeout=60)


def test_a_runner_never_executes_the_checkouts_shared(checkout: Path) -> None:
    """Started as we start it in a checkout, the runner takes its own package and complains about its input only."""
    ended = _start("-I", cwd=checkout)
    assert ended.returncode == 2, ended.stderr
    assert b"no launch line" in ended.stderr
    assert not (checkout / "shared" / "executed").exists()


def test_plain_m_would_have_executed_it(checkout: Path) -> None:
    """Which is why `-I` is a border and not a habit."""
    _start(cwd=checkout)
    assert (checkout / "shared" / "executed").exists()


@pytest.mark.parametrize("isolation", ["required", "none"])
def test_an_agent_does_not_see_our_venv(tmp_path: Path, isolation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the app was started from an activated venv, an agent's python is not ours and knows no package of ours."""
    venv = Path(sys.prefix)
    monkeypatch.setenv("VIRTUAL_ENV", str(venv))
    monkeypatch.setenv("PATH", f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(venv))
    sandbox = _sandbox(isolation, tmp_path)
    folder = tmp_path / "room"
    sandbox.give(folder)
    script = 'echo "PATH=$PATH VENV=$VIRTUAL_ENV PYTHONPATH=$PYTHONPATH"; command -v shoal; python3 -c "import shared"'
    room = Room(cwd=folder, home=folder, binds=(Bind(folder, writable=True),))
    ended = sandbox.run(["sh", "-c", script], room, limits=Limits(seconds=30))
    assert "No module named 'shared'" in ended.tail, ended
    assert str(venv) not in ended.tail
    assert "VENV= PYTHONPATH=\n" in ended.tail


def _sandbox(isolation: str, folder: Path) -> Sandbox:
    if isolation == "none":
        return choose("none", "house", folder)
    sandbox = choose("required", "house", folder)
    assert sandbox.level == "bubblewrap", sandbox.why
    return sandbox
