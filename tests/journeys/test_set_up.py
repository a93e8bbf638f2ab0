"""The README's set-up, followed line by line: from an empty folder to an accepted label, as far as that goes offline."""

import json
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shared.process import environment
from tests.house.documents import ROOT, blocks_of
from tests.support.browser import Browser
from tests.support.localhub import Hub
from tests.support.serving_program import ServingProgram, installed, registered

_SECTION = "GitHub set-up in under five minutes"
_SHOAL = str(Path(sys.executable).parent / "shoal")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.slow
def test_the_set_up_of_the_readme_leads_to_an_accepted_label(hub: Hub, tmp_path: Path) -> None:
    """Every block of the section in its order, nothing else; only addresses, and who sits at the browser, are put in."""
    found = blocks_of(ROOT / "README.md", _SECTION)
    assert [block.language for block in found] == ["ini", "sh", "sh", "sh", "sh"]
    env_file, serve, init, push, doctor = (block.body for block in found)
    app, widgets = tmp_path / "app", tmp_path / "widgets"
    app.mkdir()
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "README.md").write_text("# Widgets\n")
    hub.repository("acme/widgets", tmp_path / "first", private=True)
    hub.guard("acme/widgets", "non_fast_forward")
    maintainer = hub.person("mona", {"acme/widgets": "maintain"})
    clone = f"{hub.url.replace('://', f'://x:{maintainer.token}@')}/acme/widgets.git"
    subprocess.run(["git", "clone", "-q", clone, str(widgets)], check=True)
    port = _free_port()
    (app / ".env").write_text(env_file.replace("https://YOUR-HOST", f"http://127.0.0.1:{port}") + "\n")
    machine = {"SHOAL_PORT": str(port), "SHOAL_GITHUB_URL": hub.url, "SHOAL_INTAKE_SECONDS": "0.3", "SHOAL_TASK_MEMORY_MIB": "1"}

    assert serve == ".venv/bin/shoal serve"
    running = ServingProgram(app, machine)
    try:
        with Browser() as browser:
            done = registered(browser, running.says()["setup"]["url"])
            installed(browser, done, "acme/widgets")
        assert running.says()["listening"]["port"] == port

        _typed(init.replace("YOUR-ORG/shoal@COMMIT", f"acme/shoal@{'0' * 40}"), app, machine)
        who = {"GIT_AUTHOR_NAME": "Mona", "GIT_AUTHOR_EMAIL": "mona@example.com"}
        committer = {"GIT_COMMITTER_NAME": "Mona", "GIT_COMMITTER_EMAIL": "mona@example.com"}
        for line in push.splitlines():
            _typed(line, app, {**who, **committer})
        hub.runner("acme/widgets", "one", environment={})
        said = json.loads(_typed(f"{doctor} --json", app, machine))
        assert [finding for finding in said["findings"] if finding["fix"]] == []
        hub.pull_runner("acme/widgets", "one")  # it would have to work now; tests/journeys/test_actions.py goes on from here

        issue = maintainer.open_issue("acme/widgets", "Mend the widget", labels=["shoal"])
        hub.wait_for(lambda: [row for row in hub.deliveries("issues", "labeled") if row["status_code"] == 202])
        path = f"/repos/acme/widgets/issues/{issue['number']}/comments"
        comment = hub.wait_for(lambda: maintainer.get(path), seconds=60)[0]
        assert comment["user"]["type"] == "Bot"
    finally:
        assert running.end() == 0


def _typed(line: str, folder: Path, variables: dict[str, str]) -> str:
    program, *arguments = shlex.split(line)
    argv = [_SHOAL if program == ".venv/bin/shoal" else program, *arguments]
    ended = subprocess.run(argv, cwd=folder, env=environment(variables), capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
    return ended.stdout
