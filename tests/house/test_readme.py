"""Stories about the README and its neighbours: what they tell people to type works, what they show is what comes out."""

import ast
import itertools
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app.facts.settings_file import parse
from app.github.registration import EVENTS, PERMISSIONS
from app.report.words import MEANINGS
from app.settings import PREFIX, Settings
from shared.models import VerdictName
from tests.house.documents import ROOT, blocks, commands

README = ROOT / "README.md"
# Run right here.
FAST = {
    ".venv/bin/shoal plan --issues docs/examples/issues.json --tree app/sample/project",
    ".venv/bin/shoal simulate docs/examples/tasks.json",
}
_RESTART = "tests/journeys/test_operator.py::test_a_restart_in_the_middle_of_work"
_SET_UP = "tests/journeys/test_set_up.py::test_the_set_up_of_the_readme_leads_to_an_accepted_label"
# Run by the named test.
COVERED = {
    "make demo": "tests/house/test_clone.py::test_an_empty_clone_needs_one_command",
    "make setup": "tests/house/test_clone.py::test_an_empty_clone_needs_one_command",
    "make test": "tests/house/test_make.py::test_each_target_runs_what_it_says",
    "make check": "tests/house/test_make.py::test_each_target_runs_what_it_says",
    ".venv/bin/shoal init ../widgets --action YOUR-ORG/shoal@COMMIT": _SET_UP,
    "git -C ../widgets add .github": _SET_UP,
    "git -C ../widgets commit -m 'Let Shoal work here'": _SET_UP,
    "git -C ../widgets push": _SET_UP,
    'curl -H "Authorization: Bearer $SHOAL_OPERATOR_TOKEN" http://127.0.0.1:8080/held/ATTEMPT.diff': (
        "tests/journeys/test_hold.py::test_from_label_to_hold_to_pull_request"
    ),
    "make bench": "tests/commands/test_bench.py::test_the_reference_scenarios_come_out_as_promised",
    ".venv/bin/shoal demo --slots 2 --compare": "tests/demo/test_rehearsal.py::test_a_comparison_measures_the_speed_up",
    ".venv/bin/shoal demo --keep --serve": "tests/house/test_demo.py::test_the_pages_stay_open_until_somebody_ends_it",
    ".venv/bin/shoal demo --agent 'my-agent --prompt {prompt_file}'": "tests/house/test_demo.py::test_any_command_can_be_the_agent",
    ".venv/bin/shoal demo --backend actions": "tests/demo/test_rehearsal.py::test_jobs_of_our_own_action_come_to_the_same_end",
    ".venv/bin/shoal doctor": "tests/commands/test_doctor.py::test_a_sound_deployment_is_well",
    **{f".venv/bin/shoal operator {word}": _RESTART for word in ("pause", "drain", "resume")},
    ".venv/bin/shoal serve": "tests/demo/test_world.py::test_an_app_that_was_killed_comes_back_at_its_place",
    "python3 -c \"import sqlite3; sqlite3.connect('.shoal/shoal.db').backup(sqlite3.connect('backup.db'))\"": (
        "tests/house/test_readme.py::test_the_backup_that_is_recommended_holds_the_newest_commit"
    ),
}


def _words(line: str) -> str:
    """A line of a table without its frame."""
    return " ".join(re.sub("[│┃|]", " ", line).split())


def _output(command: str, *, cwd: Path = ROOT) -> str:
    program, *arguments = shlex.split(command)
    argv = [str(Path(sys.executable).parent / "shoal") if program.endswith("shoal") else program, *arguments]
    ended = subprocess.run(argv, cwd=cwd, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/operating.md"])
def test_every_command_is_executed_by_a_test(name: str) -> None:
    """What a reader is told to type is run here, or by a test that exists."""
    typed = set(commands(ROOT / name))
    assert typed
    assert typed <= FAST | set(COVERED)


@pytest.mark.parametrize("place", sorted(set(COVERED.values())))
def test_the_covering_test_exists(place: str) -> None:
    """The list above names real tests."""
    file, _, name = place.partition("::")
    functions = [
        node.name
        for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert name in functions


def test_commands_print_what_the_readme_shows() -> None:
    """Each block of output after a fast command holds lines that the command really prints."""
    found = blocks(README)
    checked = 0
    for typed, shown in itertools.pairwise(found):
        if typed.body in FAST:
            printed = [_words(line) for line in _output(typed.body).splitlines()]
            assert [line for line in shown.body.splitlines() if line != "..." and _words(line) not in printed] == []
            checked += 1
    assert checked == len(FAST)


def test_the_demos_table_is_what_is_expected_of_it() -> None:
    """Issue, verdict, draft and reason in the README are those that `shoal demo` insists on."""
    shown = next(block.body for block in blocks(README) if "expected verdicts came out" in block.body)
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]] for line in shown.splitlines() if len(cells := line.split("│")) > 5
    }
    expected = json.loads((ROOT / "app/sample/expected.json").read_text("utf-8"))
    assert set(rows) == {f"#{number}" for number in expected}
    for number, wanted in expected.items():
        verdict, pull, _, why = rows[f"#{number}"]
        assert (verdict, why) == (MEANINGS[VerdictName(wanted["verdict"])].label.lower(), wanted["why"])
        assert (pull.endswith("draft"), pull != "–") == (wanted["draft"], wanted["pull_request"])


def test_permissions_and_events_are_those_the_app_asks_for() -> None:
    """The table for registering by hand names each permission with its level, and every event."""
    section = README.read_text("utf-8").partition("permissions:begin")[2].partition("permissions:end")[0]
    rows = re.findall(r"^ *\| ([A-Z][\w ]+) \| (\w+) \|", section, re.MULTILINE)
    assert {name.lower().replace(" ", "_"): level for name, level in rows} == PERMISSIONS
    assert tuple(re.findall(r"`(\w+)`", section)) == EVENTS


def test_the_examples_of_settings_are_settings() -> None:
    """The `.env` names known variables, and the `.github/shoal.yml` is one that the app takes."""
    found = {block.language: block.body for block in blocks(README)}
    names = {line.partition("=")[0].removeprefix(PREFIX).lower() for line in found["ini"].splitlines()}
    assert names <= set(Settings.model_fields)
    assert parse(found["yaml"]).protected_paths == ("migrations/**",)


def test_the_backup_that_is_recommended_holds_the_newest_commit(tmp_path: Path) -> None:
    """Also when that commit is still in the WAL file and the database is open."""
    (tmp_path / ".shoal").mkdir()
    database = sqlite3.connect(tmp_path / ".shoal" / "shoal.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA wal_autocheckpoint=0")
    with database:
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (42)")
    _output(next(line for line in commands(ROOT / "docs/operating.md") if line.startswith("python3")), cwd=tmp_path)
    copy = sqlite3.connect(tmp_path / "backup.db")
    assert copy.execute("SELECT x FROM t").fetchall() == [(42,)]
    copy.close()
    database.close()
