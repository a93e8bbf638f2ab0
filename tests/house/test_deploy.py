"""What lies in deploy/, as far as it can be tried without a container engine: shape, commands, and the app as process 1."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from app.demo import world
from app.settings import PREFIX, Settings
from shared.process import environment
from tests.house.documents import ROOT
from tests.support import journeys
from tests.support.journeys import running_harbour

DEPLOY = ROOT / "deploy"
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of one stage of the Dockerfile, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    found = [(name, " ".join(rest.split())) for name, rest in lines]
    starts = [number for number, (name, _) in enumerate(found) if name == "FROM"]
    return found[starts[stage] : (*starts, len(found))[stage + 1]]


def test_the_image_runs_as_nobody_special_and_says_when_it_is_ill() -> None:
    """A pinned base, one unprivileged user, a health check, and no secret that a layer would keep."""
    last = dict(instructions(1))
    assert {instructions(0)[0][1].split()[0], instructions(1)[0][1]} == {"python:3.11.14-slim-bookworm"}
    assert last["USER"] == "10001:10001"
    assert "/healthz" in last["HEALTHCHECK"]
    assert last["ENTRYPOINT"] == '["/opt/shoal/bin/python", "-I", "-m", "app"]'
    assert "ARG" not in dict(instructions(0)) | last
    named = {word.partition("=")[0] for word in last["ENV"].split()} - {"PYTHONDONTWRITEBYTECODE"}
    assert named <= SETTINGS


def test_only_what_the_image_needs_is_sent_to_the_builder() -> None:
    """Everything is left out but the very paths that are copied."""
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split("\n")
    sent = {line[1:] for line in ignore if line.startswith("!")}
    copied = {name for verb, words in instructions(0) if verb == "COPY" for name in words.split()[:-1]}
    assert ignore[1] == "*"
    assert sent == copied


def test_compose_takes_every_right_away() -> None:
    """Read-only, no capability, the same user; the key is a secret and the port is the proxy's."""
    app = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]["app"]
    assert (app["read_only"], app["cap_drop"], app["user"]) == (True, ["ALL"], "10001:10001")
    assert app["security_opt"] == ["no-new-privileges:true"]
    assert app["ports"] == ["127.0.0.1:8080:8080"]
    assert set(app["environment"]) <= SETTINGS


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    """Verified by systemd itself, and hardened as far as the sandbox allows."""
    unit = tmp_path / "shoal.service"
    text = (DEPLOY / "shoal.service").read_text("utf-8")
    unit.write_text(text.replace("/opt/shoal/.venv/bin/python", sys.executable))
    assert "KillMode=process" in text, "runners outlive the app"
    for options in (["verify"], ["security", "--offline=true", "--threshold=40"]):
        done = subprocess.run(["systemd-analyze", *options, str(unit)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_runners_on_demand_are_described_with_real_settings() -> None:
    """The values are YAML, and every SHOAL_ variable in deploy/ exists."""
    values = yaml.safe_load((DEPLOY / "arc-values.yaml").read_text("utf-8"))
    assert values["template"]["spec"]["automountServiceAccountToken"] is False
    texts = [file.read_text("utf-8") for file in DEPLOY.iterdir()]
    words = {word.strip("().,`") for text in texts for word in text.replace("=", " ").replace(":", " ").split()}
    assert {word for word in words if word.startswith(PREFIX) and word.isupper()} <= SETTINGS


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_image_s_own_commands_make_an_app_without_the_embedded_github(tmp_path: Path) -> None:
    """The build stage as the builder would run it, at another prefix; what it makes starts, and refuses half of its settings."""
    prefix, source = tmp_path / "prefix", tmp_path / "src"
    source.mkdir()
    for verb, words in instructions(0):
        if verb == "COPY":
            for name in words.split()[:-1]:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, source / name)
        elif verb == "RUN":
            script = words.replace("/opt/shoal", str(prefix)).replace("python -m venv", f"{shlex.quote(sys.executable)} -m venv")
            subprocess.run(["sh", "-ec", script], cwd=source, check=True, env=environment({}), capture_output=True)
    python = [str(prefix / "bin" / "python"), "-I", "-m"]
    helped = subprocess.run([*python, "app", "--help"], capture_output=True, text=True, cwd=tmp_path)
    half = environment({"SHOAL_APP_ID": "7"})
    served = subprocess.run([*python, "app", "serve"], capture_output=True, text=True, cwd=tmp_path, env=half)
    gone = subprocess.run([*python, "app.localhub", "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert (helped.returncode, "serve" in helped.stdout) == (0, True)
    assert "SHOAL_WEBHOOK_SECRET is missing" in served.stderr
    assert gone.returncode != 0


@pytest.mark.slow
def test_process_1_hears_sigterm(tmp_path: Path) -> None:
    """The kernel shields process 1 from signals that it does not handle; the app needs no init to end in order."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    with running_harbour(tmp_path / "harbour") as harbour:
        at = harbour.world
        at.kill_app()
        env = environment(world.settings(at.folder, at.ways, at.identity))
        argv = ["unshare", *user, "--pid", "--fork", "--kill-child", sys.executable, "-I", "-m", "app", "serve"]
        with subprocess.Popen(argv, env=env, cwd=at.folder, stderr=subprocess.DEVNULL) as outside:
            journeys.wait_for(lambda: at.status() is not None)
            [first] = psutil.Process(outside.pid).children()
            first.send_signal(signal.SIGTERM)
            assert outside.wait(30) == 0
