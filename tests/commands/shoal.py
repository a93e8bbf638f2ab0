"""Runs the installed console command as a person does."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHOAL = Path(sys.executable).parent / "shoal"


@dataclass(frozen=True)
class Run:
    """How it ended and what it said."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.stdout)


def shoal(*arguments: object, stdin: str = "", env: Mapping[str, str] | None = None) -> Run:
    """`shoal ...`, with a cache of its own and these variables more."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache, **(env or {})}
        command = [str(SHOAL), *map(str, arguments)]
        done = subprocess.run(command, input=stdin.encode(), capture_output=True, timeout=600, env=environment)
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())
