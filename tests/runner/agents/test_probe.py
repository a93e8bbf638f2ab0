"""Programs of agents as they are on machines: what is wrong is one line with the agent, what was found and the fix."""

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.agents.registry import AGENTS, PROGRAMS
from runner.agents.shape import Probe
from runner.probe import probe, probe_once
from shared.models import AgentName, AgentSettings, VerdictName
from tests.runner.conftest import MakeStage
from tests.support.agents import script, stand_in
from tests.support.scripted_app import serving


class Asked(NamedTuple):
    agent: AgentSettings


def asked(name: AgentName, program: Path | str) -> Asked:
    return Asked(AgentSettings(name=name, command=(str(program),)))


def problem(name: AgentName, program: Path | str) -> str:
    found = AGENTS[name].probe(asked(name, program)).problem
    assert "\n" not in found
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_sound_program_is_known_by_its_version(name: AgentName, tmp_path: Path) -> None:
    """Whatever words stand around it."""
    program = stand_in(tmp_path / "program", name, "exit 9", version="v7.8.9-rc.1")
    assert AGENTS[name].probe(asked(name, program)) == Probe("7.8.9-rc.1")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_missing_program_comes_with_the_way_to_install_it(name: AgentName) -> None:
    """Bad input: agent missing."""
    found = problem(name, "no-such-program")
    assert found.startswith("`no-such-program` is not on the runner's PATH: install it (")
    assert PROGRAMS[name].install in found


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_flag_that_is_gone_is_named(name: AgentName, tmp_path: Path) -> None:
    """Bad input: wrong version. A longer flag that begins like it does not stand for it."""
    gone = PROGRAMS[name].helps[0].flags[0]
    program = stand_in(tmp_path / "program", name, "exit 9", version=f"0.0.1 {gone}-else", without=gone)
    found = problem(name, program)
    assert found.startswith(f"{PROGRAMS[name].name} 0.0.1 does not know {gone}, which Shoal needs: install ")
    assert f">= {PROGRAMS[name].tried} ({PROGRAMS[name].install})" in found


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(
            "echo 'needs Node 22' >&2; exit 1", "--version` failed (exit code 1: needs Node 22): install claude", id="fails"
        ),
        pytest.param("kill -9 $$", "--version` failed (signalled: it said nothing): install claude", id="dies"),
        pytest.param("echo hello; echo there", "names no version, it says `hello there`: is it claude?", id="another program"),
    ],
)
def test_a_program_that_does_not_answer_is_shown_in_its_own_words(tmp_path: Path, body: str, words: str) -> None:
    """One that is something else, or that cannot start on this machine."""
    assert words in problem("claude", script(tmp_path / "claude", body))


def test_a_script_without_its_interpreter_is_named(tmp_path: Path) -> None:
    """As when Node was removed after npm had installed the agent."""
    program = tmp_path / "claude"
    program.write_text("#!/no/such/node\n")
    program.chmod(0o755)
    assert "not found" in problem("claude", program).replace("No such file or directory", "not found")


def counting(folder: Path, version: str) -> Path:
    """A program that notes each time that it was asked for its version."""
    program = stand_in(folder / "claude", "claude", "exit 9", version=version)
    program.write_text(program.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\necho $1 >> {folder}/asked\n"))
    return program


def test_it_is_asked_once_until_it_changes(tmp_path: Path) -> None:
    """By path, time and size of the file; tasks that start together wait for the first one's answer."""
    program = counting(tmp_path, "2.0.0")
    with ThreadPoolExecutor(4) as tasks:
        found = list(tasks.map(lambda _: probe_once(asked("claude", program), tmp_path, threading.Event()), range(4)))
    assert {one.version for one in found} == {"2.0.0"}
    assert sorted(one.remembered for one in found) == [False, True, True, True]
    assert (tmp_path / "asked").read_text().split().count("--version") == 1
    counting(tmp_path, "2.0.1-new")
    assert probe(asked("claude", program), tmp_path) == Probe("2.0.1-new")
    counting(tmp_path, "2.0.2-old")
    os.utime(program, ns=(1, 1))
    assert probe(asked("claude", program), tmp_path) == Probe("2.0.2-old")


def test_a_problem_is_looked_at_again(tmp_path: Path) -> None:
    """Whoever mended it by another file, or by installing what it needs, is not told of the past."""
    broken = stand_in(tmp_path / "claude", "claude", "", without="--bare")
    assert "--bare" in probe(asked("claude", broken), tmp_path).problem
    stand_in(tmp_path / "claude", "claude", "")
    assert not probe(asked("claude", broken), tmp_path).problem


@pytest.mark.parametrize(
    ("without", "keys", "words"),
    [
        pytest.param("--bare", True, "the agent claude cannot work here: claude 2.1.197 does not know --bare", id="drifted"),
        pytest.param("", False, "there is no model key for anthropic", id="not logged in", marks=pytest.mark.slow),
    ],
)
def test_an_attempt_ends_before_anything_is_spent(make_stage: MakeStage, without: str, keys: bool, words: str) -> None:
    """No commit is fetched, no test is run, no agent started; the verdict says who, what and the fix."""
    stage = make_stage()
    program = stand_in(stage.root / "claude", "claude", f"touch {stage.root}/started", without=without)
    file = stage.root / "keys.toml"
    file.write_text('[anthropic]\nkey = "sk-nobody-0123456789"\nurl = "http://127.0.0.1:9"\n' if keys else "")
    file.chmod(0o600)
    app = stage.scripted_app(stage.brief(agent=AgentSettings(name="claude", command=(str(program),))))
    with serving(app):
        launch = app.launch(stage.work_dir).model_copy(update={"model_keys": str(file)})
        code, log = stage.wait(stage.start_with(launch.model_dump_json()))
    assert code == 0, log
    verdict = app.report.verdict
    assert (verdict.name, "\n" in verdict.reason) == (VerdictName.AGENT_FAILED, False)
    assert words in verdict.reason
    assert not (stage.work_dir / "mirrors").exists()
    assert not (stage.work_dir / "baselines").exists()
    assert not (stage.root / "started").exists()
    assert {json.loads(line)["phase"] for line in log.splitlines() if '"event": "phase"' in line} == {"setup"}
    assert stage.pull_requests() == []
