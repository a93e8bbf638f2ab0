"""Stories about make: few targets, each of which does what its line says, and a set-up that runs once."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.documents import ROOT

_INPUTS = ("pyproject.toml", "constraints.txt", "uv.lock")


def _make(*arguments: str, cwd: Path = ROOT, path: str = "") -> "subprocess.CompletedProcess[str]":
    env = {"PATH": path or os.environ["PATH"], "HOME": str(cwd), "LC_ALL": "C"}
    return subprocess.run(
        [shutil.which("make") or "make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=60
    )


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def _links(folder: Path, *names: str) -> str:
    """A PATH with these programs and nothing else."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """What set-up reads, and nothing of the product."""
    house = tmp_path / "house"
    (house / "scripts").mkdir(parents=True)
    for name in ("Makefile", "scripts/setup.sh", *_INPUTS):
        shutil.copy(ROOT / name, house / name)
    return house


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("demo", "bin/shoal demo"),
        ("demo-ui", "bin/shoal demo --serve"),
        ("test", "-m pytest -n"),
        ("test-all", '-m "slow or not slow"'),
        ("check", "scripts/check.sh"),
        ("bench", "bin/shoal bench"),
        ("lock", "uv export --frozen"),
    ],
)
def test_each_target_runs_what_it_says(target: str, said: str) -> None:
    """As make itself tells it."""
    assert said in _make("--dry-run", target).stdout


def test_help_shows_every_target_with_a_line() -> None:
    """No target hides, and plain `make` is help."""
    declared = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert declared
    shown = dict(line.split("\t", 1) for line in _make().stdout.splitlines())
    assert {name.strip() for name in shown} == set(declared[1].split())
    assert all(shown.values())


def test_a_second_set_up_does_nothing(house: Path) -> None:
    """Until what it reads changes: then it runs again."""
    (house / ".venv").mkdir()
    (house / ".venv" / ".ready").touch()
    assert "Nothing to be done" in _make("setup", cwd=house).stdout
    stamp = (house / ".venv" / ".ready").stat().st_mtime
    os.utime(house / "uv.lock", (stamp + 10, stamp + 10))
    assert "scripts/setup.sh" in _make("--dry-run", "setup", cwd=house).stdout


def test_uv_is_used_where_it_is(house: Path) -> None:
    """One frozen sync, no pip, and nothing but .venv is written."""
    _program(house / "bin", "uv", 'echo "$@" > uv-was-told; mkdir -p .venv')
    before = {path.name for path in house.iterdir()}
    path = f"{house / 'bin'}:{_links(house.parent / 'tools', 'sh', 'dirname', 'touch', 'mkdir')}"
    ended = _make("setup", cwd=house, path=path)
    assert ended.returncode == 0, ended.stderr
    assert (house / "uv-was-told").read_text().strip() == "sync --frozen --all-extras --quiet"
    assert {path.name for path in house.iterdir()} == before | {".venv", "uv-was-told"}


def test_without_python_and_uv_one_line_names_the_fix(house: Path) -> None:
    """Nothing is half made."""
    ended = _make("setup", cwd=house, path=_links(house.parent / "tools", "sh", "dirname", "touch"))
    assert ended.returncode != 0
    assert "shoal needs Python 3.11 or newer, or uv; found: none. Install one, or name it: make setup PYTHON=" in ended.stderr
    assert not (house / ".venv").exists()


def test_a_python_that_is_too_old_is_refused_by_name(house: Path) -> None:
    """Before a venv is made with it."""
    _program(house / "bin", "python3.8", "exit 1")
    tools = _links(house.parent / "tools", "sh", "dirname", "touch")
    ended = _make("setup", "PYTHON=bin/python3.8", cwd=house, path=tools)
    assert ended.returncode != 0
    assert "found: bin/python3.8" in ended.stderr
    assert not (house / ".venv").exists()
