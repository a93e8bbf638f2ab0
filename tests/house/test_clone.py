"""The newcomer's story: an empty clone, one command."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.documents import ROOT


def copy_sources(target: Path) -> Path:
    """What a clone of the working copy holds: every file that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def bare_environment(home: Path) -> dict[str, str]:
    """A person's shell without our venv and without uv; what reaches a package registry stays."""
    venv = os.environ.get("VIRTUAL_ENV", str(ROOT / ".venv"))
    path = [part for part in os.environ["PATH"].split(":") if not part.startswith(venv) and not (Path(part) / "uv").exists()]
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.lower().endswith("_proxy")}
    certificates = {
        name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE") if name in os.environ
    }
    return {**kept, **certificates, "PATH": ":".join(path), "HOME": str(home), "LANG": "C.UTF-8"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_empty_clone_needs_one_command(tmp_path: Path) -> None:
    """`make demo` sets up, with pip, and shows the main job; a second set-up has nothing to do; nothing is installed elsewhere."""
    clone, home = copy_sources(tmp_path / "clone"), tmp_path / "home"
    home.mkdir()

    def make(target: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["make", target], cwd=clone, env=bare_environment(home), capture_output=True, text=True)

    demo = make("demo")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "All 8 expected verdicts came out" in demo.stdout
    again = make("setup")
    assert (again.returncode, "Nothing to be done" in again.stdout) == (0, True)
    # Caches of pip and of what it asks for its User-Agent may be there; programs, packages and settings must not.
    assert not {".local", ".bashrc", ".profile", ".gitconfig", "bin"} & {path.name for path in home.iterdir()}
