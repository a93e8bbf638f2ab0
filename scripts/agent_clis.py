"""Installs the agents that tests drive, in pinned versions, into the git-ignored folder `.agents/`, unless they are there.

python scripts/agent_clis.py                        # those of npm; prints the folder of their programs
python scripts/agent_clis.py aider mini-swe-agent    # also these of PyPI, each in a venv of its own (1.5 GB together)
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent / ".agents"
PROGRAMS = FOLDER / "node_modules" / ".bin"
PINNED = {
    "@anthropic-ai/claude-code": "2.1.197",
    "@github/copilot": "1.0.102",
    "@google/gemini-cli": "0.61.0",
    "@openai/codex": "0.169.0",
    "opencode-ai": "1.18.33",
}
_PYTHON_PINNED = {"aider": ("aider-chat==0.86.2",), "mini-swe-agent": ("mini-swe-agent==2.4.6", "mcp")}
PYTHON_PROGRAMS = {
    "aider": FOLDER / "python" / "aider" / "bin" / "aider",
    "mini-swe-agent": FOLDER / "python" / "mini-swe-agent" / "bin" / "mini",
}
# The one install script that is needed: it puts the program where a placeholder lies. The others compile things nobody uses here.
_SCRIPTS = (("@anthropic-ai/claude-code", "install.cjs"), ("opencode-ai", "postinstall.mjs"))


def install() -> Path:
    """The folder of the programs; one process at a time, however many tests ask."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_complete():
            _install()
    return PROGRAMS


def _is_complete() -> bool:
    marker = FOLDER / "installed.json"
    return (
        marker.is_file() and json.loads(marker.read_text()) == PINNED and all((PROGRAMS / n).exists() for n in ("claude", "codex"))
    )


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed, and the agents come from it: apt-get install nodejs npm (Node 20 or newer)")
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    packages = [f"{name}@{version}" for name, version in PINNED.items()]
    subprocess.run([npm, "install", "--prefix", str(FOLDER), *quiet, *packages], check=True, stdout=sys.stderr)
    for package, script in _SCRIPTS:
        place = FOLDER / "node_modules" / package
        subprocess.run(["node", script], cwd=place, check=True, stdout=sys.stderr, env={**os.environ, "INIT_CWD": str(FOLDER)})
    (FOLDER / "installed.json").write_text(json.dumps(PINNED))


def install_python(name: str) -> Path:
    """A venv of its own, since their dependencies are many and pinned."""
    place = FOLDER / "python" / name
    if not PYTHON_PROGRAMS[name].exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        command = [str(place / "bin" / "pip"), "install", "--quiet", *_PYTHON_PINNED[name]]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return PYTHON_PROGRAMS[name]


if __name__ == "__main__":
    print(install())
    for wanted in sys.argv[1:]:
        print(install_python(wanted))
