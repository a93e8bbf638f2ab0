"""The forwarder in a real sandbox without any network: the agent finds its models there, and nothing of the operator's."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.models.proxy import INSIDE, inside_argv, inside_binds, serving
from runner.sandbox import Bind, Room, choose
from shared.models import AttemptLimits
from shared.process import Ended, Limits
from tests.runner.models.provider import REAL_KEY, ScriptedProvider, keys_for, providing, said

BUBBLEWRAP = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed here")

# Asks its model once, then looks for anything that it should not see.
AGENT = """
import json, os, pathlib, sys, urllib.request
body = json.dumps({"model": "claude-sonnet-4-6", "max_tokens": 10, "messages": []}).encode()
call = urllib.request.Request(sys.argv[1] + "/v1/messages", body, {"x-api-key": os.environ["KEY"]})
print("usage", json.load(urllib.request.urlopen(call))["usage"]["output_tokens"])
for process in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("environ", "cmdline"):
        try:
            print("seen", (process / name).read_bytes().decode(errors="replace").replace(chr(0), " "))
        except OSError as error:
            print("hidden", name)
print("file", (pathlib.Path.home() / ".tool/settings.json").read_text())
print("mine", os.environ.get("SHOAL_MODEL_KEY"), os.environ.get("SHOAL_FILES"))
try:
    urllib.request.urlopen(sys.argv[2])
except OSError as error:
    print("network", error)
"""


def run_in(sandbox_name: str, folder: Path, socket: Path, key: str, provider: ScriptedProvider) -> Ended:
    sandbox = choose("required", sandbox_name, folder)
    home = folder / "home"
    sandbox.give(home)
    script = folder / "agent.py"
    script.write_text(AGENT)
    files = {".tool/settings.json": '{"url": "{model_url}", "key": "{model_key}"}'}
    room = Room(
        cwd=home,
        home=home,
        binds=(Bind(home, writable=True), Bind(script), *inside_binds(socket)),
        env={"SHOAL_MODEL_KEY": key, "KEY": "{model_key}", "SHOAL_FILES": json.dumps(files)},
    )
    argv = inside_argv("python3", socket, ["python3", str(script), "{model_url}", provider.url])
    return sandbox.run(argv, room, limits=Limits(seconds=60))


@BUBBLEWRAP
def test_an_agent_without_network_reaches_its_model_and_sees_no_key(tmp_path: Path) -> None:
    """Not in its environment, not in its arguments, not in any process it can look into; by itself it reaches nobody.

    The folder lies deeper than a socket's address may be long.
    """
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    socket = folder / "door" / "models"
    with (
        providing(lambda call: call.answer(200, said(1, 42))) as provider,
        serving(socket, keys_for(provider.url), AttemptLimits()) as proxy,
    ):
        ended = run_in("inside", folder, socket, proxy.key, provider)
        assert ended.ok, ended.tail
        assert "usage 42" in ended.tail
        assert "seen" in ended.tail
        assert REAL_KEY not in ended.tail
        assert "network <urlopen error [Errno 111]" in ended.tail
        assert "mine None None" in ended.tail
        (written,) = (json.loads(line[5:]) for line in ended.tail.splitlines() if line.startswith("file "))
        assert written["key"] == proxy.key
        assert written["url"].startswith("http://127.0.0.1:")
        assert proxy.usage.output_tokens == 42
        assert proxy.key not in "".join(line for line in ended.tail.splitlines() if "agent.py" in line and "HOME=" not in line)


def forward(tmp_path: Path, *argv: str, files: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(INSIDE), str(tmp_path / "nothing"), "--", *argv],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], "SHOAL_MODEL_KEY": "k", "SHOAL_FILES": json.dumps(files or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("sh", "-c", "exit 7"), 7, ""),
        (("sh", "-c", "kill -9 $$"), 137, ""),
        (("/nowhere/agent",), 127, "/nowhere/agent cannot be started: No such file"),
        (("/",), 126, "cannot be started"),
        (("echo", "{model_key}"), 2, "never stands in an argument"),
    ],
)
def test_it_ends_as_the_agent_ends(tmp_path: Path, argv: tuple[str, ...], code: int, words: str) -> None:
    """The exit code is the agent's own, by the shell's custom where a signal ended it."""
    child = forward(tmp_path, *argv)
    _, errors = child.communicate(timeout=30)
    assert (child.returncode, words in errors) == (code, True)


def test_what_goes_in_and_out_is_the_agents_own(tmp_path: Path) -> None:
    """Standard input, output and error pass through."""
    child = forward(tmp_path, "sh", "-c", "cat; echo bad >&2")
    assert child.communicate("prompt", timeout=30) == ("prompt", "bad\n")


def test_signals_reach_the_agent(tmp_path: Path) -> None:
    """It may end in its own way."""
    child = forward(tmp_path, "sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.01; done")
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=30)[0] == "caught\n"
    assert child.returncode == 3


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a//b", "", "link/x", "link"])
def test_files_stay_below_home(tmp_path: Path, name: str) -> None:
    """Also when something left a link there before."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (home / "link").symlink_to(outside)
    child = forward(home, "true", files={name: "text"})
    child.communicate(timeout=30)
    assert child.returncode != 0
    assert list(outside.iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_a_file_is_the_owners_alone_and_replaces_an_older_one(tmp_path: Path) -> None:
    """It may hold the attempt's key."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("something longer than before")
    child = forward(tmp_path, "true", files={"a/old": "{model_key}", "b/c/new": "ü"})
    child.communicate(timeout=30)
    assert child.returncode == 0
    assert (tmp_path / "a" / "old").read_text() == "k"
    assert (tmp_path / "b" / "c" / "new").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700
