"""Our own action as a repository on the embedded GitHub, and runners whose environment for it is made already."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the action needs of this checkout; a tag of ours has more, and nothing of it is used.
_PARTS = (
    "action.yml",
    "app",
    "runner",
    "shared",
    "scripts",
    "pyproject.toml",
    "uv.lock",
    "constraints.txt",
    "README.md",
    "LICENSE",
)


def copy_of_action(folder: Path) -> Path:
    """The files of this checkout that git knows, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *_PARTS],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0")[:-1]:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def environment_step(action: Path, tool_cache: Path, mode: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The action's first step as GitHub's runner starts it; its output is in `outputs` beside the tool cache."""
    outputs = tool_cache.with_name("outputs")
    outputs.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "UV_"))}
    told = {"RUNNER_TOOL_CACHE": str(tool_cache), "GITHUB_OUTPUT": str(outputs), "SHOAL_JOB_MODE": mode, **more}
    return subprocess.run(
        [str(action / "scripts/action/environment.sh")], env={**kept, **told}, cwd="/", capture_output=True, text=True, check=False
    )
