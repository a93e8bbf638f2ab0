"""A program brings what it needs into the sandbox, and nothing beside it: small real ones of each kind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.programs import program_binds, python_binds, toolchain
from runner.room import Bind, Room, path_for
from runner.sandbox import Sandbox, choose
from shared.process import Ended, Limits, environment
from tests.runner.test_sandbox import BUBBLEWRAP


def run_inside(tmp_path: Path, *argv: str, binds: tuple[Bind, ...] | None = None) -> Ended:
    """In a room that holds nothing but the program's own binds."""
    sandbox: Sandbox = choose("preferred", "key", tmp_path)
    home = tmp_path / "room"
    sandbox.give(home)
    room = Room(home, home, (Bind(home, writable=True), *(program_binds(argv) if binds is None else binds)))
    return sandbox.run(argv, room, limits=Limits(seconds=20))


def write_program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


@pytest.fixture
def npm_prefix(tmp_path: Path) -> Path:
    """As `npm install --global --prefix` leaves it: a link in bin to a script in a package that needs another package."""
    prefix = tmp_path / "npm"
    modules = prefix / "lib" / "node_modules"
    write_program(modules / "words" / "index.js", "module.exports = 'from the other package'\n")
    write_program(modules / "agent" / "cli.js", "#!/usr/bin/env node\nconsole.log(require('words'), __filename)\n")
    (prefix / "bin").mkdir()
    (prefix / "bin" / "agent").symlink_to("../lib/node_modules/agent/cli.js")
    (prefix / "secret").write_text("not for agents")
    return prefix


@BUBBLEWRAP
def test_a_cli_of_npm_comes_with_its_packages(tmp_path: Path, npm_prefix: Path) -> None:
    """And without what else lies in the prefix."""
    program = str(npm_prefix / "bin" / "agent")
    ended = run_inside(tmp_path, program)
    assert ended.tail == f"from the other package {npm_prefix}/lib/node_modules/agent/cli.js"
    assert "No such file" in run_inside(tmp_path, "cat", str(npm_prefix / "secret"), binds=program_binds([program])).tail


@BUBBLEWRAP
def test_a_cli_of_npm_in_a_project_is_found_by_its_name(tmp_path: Path, npm_prefix: Path) -> None:
    """A link in node_modules/.bin; PATH inside holds its folder."""
    links = npm_prefix / "lib" / "node_modules" / ".bin"
    links.mkdir()
    (links / "agent").symlink_to("../agent/cli.js")
    binds = program_binds([str(links / "agent")])
    assert run_inside(tmp_path, "agent", binds=binds).tail.startswith("from the other package")


@BUBBLEWRAP
def test_an_interpreter_outside_usr_comes_too(tmp_path: Path) -> None:
    """A version manager's interpreter is a link in one folder to a file in another."""
    real = write_program(tmp_path / "versions" / "7" / "speak", '#!/bin/sh\necho "spoken: $(tail -n 1 "$1")"\n')
    name = tmp_path / "shims" / "speak"
    name.parent.mkdir()
    name.symlink_to(real)
    script = write_program(tmp_path / "tools" / "agent", f"#!{name}\nhello\n")
    assert run_inside(tmp_path, str(script)).tail == "spoken: hello"


@BUBBLEWRAP
def test_a_cli_in_a_venv_comes_with_its_python(tmp_path: Path) -> None:
    """As pipx leaves it: a link to a script in a venv whose Python lies elsewhere again."""
    venv = tmp_path / "venvs" / "tool"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, env=environment())
    package = next((venv / "lib").glob("python3*")) / "site-packages" / "tool.py"
    package.write_text("words = 'from the venv'\n")
    write_program(venv / "bin" / "tool", f"#!{venv}/bin/python\nimport ssl, tool, sys\nprint(tool.words, sys.prefix)\n")
    link = tmp_path / "bin" / "tool"
    link.parent.mkdir()
    link.symlink_to(venv / "bin" / "tool")
    assert run_inside(tmp_path, str(link)).tail == f"from the venv {venv}"


def test_a_plain_program_brings_only_itself(tmp_path: Path) -> None:
    """And the files that its arguments name; what is in /usr is there already."""
    program = write_program(tmp_path / "bin" / "agent", "")
    settings = tmp_path / "settings.json"
    settings.touch()
    found = program_binds((str(program), "--settings", str(settings), "/usr/bin/env", "/no/such/file"))
    assert [bind.source for bind in found] == [program, settings]
    assert path_for(found).split(":")[0] == str(program.parent)
    assert program_binds(("env", "x")) == program_binds(("no-such-program-anywhere",)) == program_binds(()) == ()


@BUBBLEWRAP
def test_our_own_python_can_be_reached_without_our_venv(tmp_path: Path) -> None:
    """The forwarder to the model runs by it."""
    binds, python = python_binds()
    assert not any(Path(sys.prefix).is_relative_to(bind.place) for bind in binds)
    seen = run_inside(tmp_path, python, "-I", "-S", "-c", "import sys, ssl, socket; print(sys.version_info[:2])", binds=binds)
    assert seen.tail == str(sys.version_info[:2])
    assert "No module named 'shared'" in run_inside(tmp_path, python, "-c", "import shared", binds=binds).tail
    assert os.access(python, os.X_OK)


def test_what_is_installed_or_removed_changes_the_toolchain(tmp_path: Path) -> None:
    """So that tests which another Python answered are run again; a folder that is not there does not hinder."""
    system, tool = tmp_path / "usr", tmp_path / "tool"
    for folder in (system, tool / "bin"):
        write_program(folder / "python3", "#!/bin/sh\n")
        os.utime(folder, ns=(1, 1))

    def now() -> tuple[int, ...]:
        return toolchain((tool,), (system, tmp_path / "none"))

    before = now()
    assert before == now() == (1, 0, 1)
    write_program(tool / "bin" / "new", "#!/bin/sh\n").replace(tool / "bin" / "python3")
    upgraded = now()
    assert upgraded[2] != before[2]
    (system / "python3").unlink()
    assert now()[0] != upgraded[0]
