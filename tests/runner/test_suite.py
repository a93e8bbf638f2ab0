"""Which command runs a repository's tests, and what their output is taken to say."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from runner.suite import Counts, as_evidence, detect, read_junit, read_output
from shared.process import environment, run


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({"tests/test_a.py": ""}, "python3 -m unittest discover -s tests"),
        ({"tests/test_a.py": "", "tests/__init__.py": ""}, "python3 -m unittest discover -s tests -t ."),
        ({"test_a.py": ""}, "python3 -m unittest discover"),
        ({"tests/test_a.py": "", "pyproject.toml": "[tool.pytest.ini_options]\n"}, "python3 -m pytest"),
        ({"tests/test_a.py": "", "tests/conftest.py": ""}, "python3 -m pytest"),
        ({"tests/test_a.py": "", "pyproject.toml": "not toml ["}, "python3 -m unittest discover -s tests"),
        ({"setup.cfg": "[tool:pytest]\n"}, "python3 -m pytest"),
        ({"package.json": json.dumps({"scripts": {"test": "node --test"}})}, "npm test"),
        ({"package.json": json.dumps({"scripts": {"test": "echo 'Error: no test specified'"}})}, ""),
        ({"package.json": "{"}, ""),
        ({"go.mod": "module x"}, "go test ./..."),
        ({"Cargo.toml": "[package]"}, "cargo test"),
        ({"Makefile": "all:\n\techo\ntest: all\n\techo\n"}, "make test"),
        ({"Makefile": "testing:\n\techo\n"}, ""),
        ({"src/latest_a.py": ""}, ""),
    ],
)
def test_the_command_is_found_from_the_files(files: dict[str, str], line: str) -> None:
    """Nothing found is an answer too, and whatever is found says why."""
    command = detect(files, files.__getitem__)
    assert command.line == line
    assert bool(command.source) == bool(line)


FAILING = (
    "import unittest\nclass Case(unittest.TestCase):\n    def test_good(self): pass\n    def test_bad(self): self.fail()\n"
    "    def test_broken(self): raise KeyError\n    @unittest.skip('')\n    def test_later(self): pass\n"
)


def test_unittests_output_is_read_as_this_python_writes_it(tmp_path: Path) -> None:
    """Names without their own repetition, failures and errors together."""
    (tmp_path / "test_it.py").write_text(FAILING)
    ended = run([sys.executable, "-m", "unittest"], cwd=tmp_path, env=environment())
    counts = read_output(ended.tail)
    assert (counts.source, counts.passed, counts.failed, counts.skipped) == ("unittest output", 1, 2, 1)
    assert set(counts.failing) == {"test_it.Case.test_bad", "test_it.Case.test_broken"}


def test_pytests_junit_file_is_read_as_pytest_writes_it(tmp_path: Path) -> None:
    """The file outranks the output."""
    (tmp_path / "test_it.py").write_text(FAILING)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "--junitxml=junit.xml"]
    ended = run(command, cwd=tmp_path, env=environment())
    found = as_evidence("pytest", ended, (tmp_path / "junit.xml").read_bytes())
    assert (found.source, found.passed, found.failed, found.skipped) == ("JUnit XML", 1, 2, 1)
    assert set(found.failing) == {"test_it.Case.test_bad", "test_it.Case.test_broken"}
    assert read_output(ended.tail)[1:4] == (1, 2, 1)


@pytest.mark.skipif(not shutil.which("node"), reason="no node here")
def test_nodes_output_is_read_as_node_writes_it(tmp_path: Path) -> None:
    """The built-in test runner's summary."""
    (tmp_path / "it.test.js").write_text("const t = require('node:test'); t('good', () => {}); t('bad one', () => { throw 1 });")
    ended = run(["node", "--test"], cwd=tmp_path, env=environment())
    found = read_output(ended.tail)
    assert (found.passed, found.failed) == (1, 1)
    assert "bad one" in found.failing


def test_cargo_and_go_are_read() -> None:
    """From their documented summaries."""
    cargo = "test tests::one ... ok\ntest tests::two ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured"
    assert read_output(cargo) == Counts("cargo output", 1, 1, 0, ("tests::two",))
    go = "--- FAIL: TestTwo (0.00s)\nFAIL\nFAIL\texample.org/x\t0.003s\nok  \texample.org/y\t0.002s"
    assert read_output(go) == Counts("go test output", failing=("TestTwo",))


def test_what_cannot_be_read_counts_by_its_exit_code_only() -> None:
    """And says so; nothing is guessed."""
    assert read_output("all good, trust me") == Counts("exit code only")


@pytest.mark.parametrize(
    "data", [b"", b"no xml", b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', b'<?xml version="1.0"?><!DOCTYPE testsuite SYSTEM "x">']
)
def test_a_report_with_a_document_type_is_no_report(data: bytes) -> None:
    """Entities can read files and fill memory."""
    assert read_junit(data) is None
