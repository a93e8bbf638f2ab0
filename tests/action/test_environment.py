"""The action's first step: an environment for exactly these sources, made once per machine, never stale."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.demo.fleet import copy_of_action
from tests.support.action import environment_step


@pytest.fixture(scope="module")
def action(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout's action."""
    return copy_of_action(tmp_path_factory.mktemp("action") / "shoal")


def environments(tool_cache: Path) -> list[str]:
    """What lies in the cache, half-made things too."""
    return sorted(path.name for path in (tool_cache / "shoal").iterdir())


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_builders_make_one_environment_that_every_later_job_finds(action: Path, tmp_path: Path) -> None:
    """Also when they start together; a change of the sources, however small, gets an environment of its own."""
    with ThreadPoolExecutor(2) as both:
        made = list(both.map(lambda _: environment_step(action, tmp_path / "tools", "work"), range(2)))
    assert [one.returncode for one in made] == [0, 0], made
    [name] = environments(tmp_path / "tools")
    again = environment_step(action, tmp_path / "tools", "work")
    assert (again.returncode, again.stdout) == (0, "")
    python = (tmp_path / "outputs").read_text().splitlines()[-1].partition("=")[2]
    assert python == str(tmp_path / "tools" / "shoal" / name / "bin" / "python")
    asked = [python, "-I", "-c", "import runner; print(runner.__file__)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.startswith(str(tmp_path / "tools"))
    with (action / "runner" / "__init__.py").open("a") as file:
        file.write("\nCHANGED = True\n")
    assert environment_step(action, tmp_path / "tools", "work").returncode == 0
    assert len(environments(tmp_path / "tools")) == 2
    newest = (tmp_path / "outputs").read_text().splitlines()[-1].partition("=")[2]
    subprocess.run([newest, "-I", "-c", "import runner; assert runner.CHANGED"], check=True)


@pytest.mark.parametrize(
    ("mode", "more", "words"),
    [
        ("wrok", {}, "input 'mode' must be work or orchestrate, it is 'wrok'"),
        ("work", {"RUNNER_OS": "Windows"}, "does not work on Windows"),
        ("work", {"SHOAL_JOB_PYTHON": "/bin/sh"}, "/bin/sh is no Python 3.11 or newer"),
        ("work", {"PATH": "{nowhere}"}, "neither Python 3.11 or newer (with venv) nor uv"),
    ],
)
def test_a_runner_that_cannot_do_it_is_told_why(action: Path, tmp_path: Path, mode: str, more: dict[str, str], words: str) -> None:
    """One annotation with the fix, nothing left in the cache."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "uname", "dirname", "sha256sum", "find", "sort", "cut", "mkdir", "touch"):
        (tools / name).symlink_to(next(Path(place) / name for place in ("/usr/bin", "/bin") if (Path(place) / name).exists()))
    filled = {name: value.replace("{nowhere}", str(tools)) for name, value in more.items()}
    done = environment_step(action, tmp_path / "tools", mode, **filled)
    assert done.returncode == 2
    assert "::error title=Shoal::" in done.stdout
    assert words in done.stdout
    assert not (tmp_path / "tools").exists() or environments(tmp_path / "tools") == []


def sleeper(job: str) -> "subprocess.Popen[bytes]":
    """Something that a job started and that does not end by itself; it is marked before its program begins."""
    path = os.environ["PATH"]
    return subprocess.Popen(["sleep", "300"], env={"PATH": path, "SHOAL_JOB": job}, start_new_session=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_last_step_ends_what_a_killed_job_left_behind(action: Path, tmp_path: Path) -> None:
    """Only what is marked as this very job's."""
    made = environment_step(action, tmp_path / "tools", "work")
    assert made.returncode == 0, made.stdout + made.stderr
    python = (tmp_path / "outputs").read_text().splitlines()[-1].partition("=")[2]
    job = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1", "RUNNER_TEMP": str(tmp_path)}
    ours, others = (sleeper(f"{run}-1-{tmp_path}") for run in (7, 8))
    try:
        environment = {**os.environ, **job, "SHOAL_JOB_INTERPRETER": python}
        subprocess.run([str(action / "scripts/action/clean.sh")], env=environment, check=True, capture_output=True)
        assert ours.wait(timeout=10) != 0
        assert others.poll() is None
    finally:
        for process in (ours, others):
            process.kill()
            process.wait()
