"""The action's first step, as GitHub's runner starts it."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment_step(action: Path, tool_cache: Path, mode: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The action's first step as GitHub's runner starts it; its output is in `outputs` beside the tool cache."""
    outputs = tool_cache.with_name("outputs")
    outputs.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "UV_"))}
    told = {"RUNNER_TOOL_CACHE": str(tool_cache), "GITHUB_OUTPUT": str(outputs), "SHOAL_JOB_MODE": mode, **more}
    return subprocess.run(
        [str(action / "scripts/action/environment.sh")], env={**kept, **told}, cwd="/", capture_output=True, text=True, check=False
    )
