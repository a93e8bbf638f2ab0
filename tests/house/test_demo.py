"""Stories about the demo's other ways, which the README names."""

import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
import pytest

from shared.process import environment

_DEMO = (sys.executable, "-I", "-m", "app", "demo")
_AGENT = """#!/bin/sh
# $1 is --prompt, $2 the file; what is printed is the plan or the review, and only one pass edits.
grep "You work in a checkout" "$2" || exit 1
[ "$SHOAL_PASS" != implementation ] || echo "# looked at" >> tidewater/money.py
"""


@pytest.mark.slow
def test_the_pages_stay_open_until_somebody_ends_it(tmp_path: Path) -> None:
    """After the summary every address that it names answers, and Ctrl-C ends it with 0."""
    argv = [*_DEMO, "--keep", "--serve", "--think-time", "0.2"]
    # Whoever starts the tests in the background has SIGINT ignored, and everything below inherits that; no terminal does it.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(argv, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True, preexec_fn=heard) as demo:  # noqa: PLW1509
        assert demo.stdout is not None
        try:
            told = [line.split() for line in iter(demo.stdout.readline, "Ctrl-C ends it.\n")]
            pages = [word for line in told for word in line if word.startswith("http://")]
            shown = {page: httpx.get(page, trust_env=False) for page in pages}
        finally:
            demo.send_signal(signal.SIGINT)
            demo.stdout.read()
    assert {page: answer.status_code for page, answer in shown.items()} == dict.fromkeys(pages, 200)
    assert "shoal[bot]" in next(answer.text for page, answer in shown.items() if page.endswith("/pulls"))
    assert "shoal_slots" in next(answer.text for page, answer in shown.items() if page.endswith("/metrics"))
    assert demo.wait() == 0
    assert (tmp_path / ".shoal-demo").is_dir()


@pytest.mark.slow
def test_any_command_can_be_the_agent(tmp_path: Path) -> None:
    """A program of one's own gets the prompt in a file and edits the checkout; every issue gets its verdict."""
    agent = tmp_path / "my-agent"
    agent.write_text(_AGENT)
    agent.chmod(0o755)
    argv = [*_DEMO, "--agent", f"{agent} --prompt {{prompt_file}}"]
    ended = subprocess.run(argv, cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout
    assert "8 issues, 8 pull requests" in ended.stdout
    assert "Every issue has its verdict" in ended.stdout
