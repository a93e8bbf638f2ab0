"""Runs the installed console command as a person does."""

import json
import subprocess
import sys
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


def shoal(*arguments: object, stdin: str = "") -> Run:
    """`shoal ...`."""
    done = subprocess.run([str(SHOAL), *map(str, arguments)], input=stdin.encode(), capture_output=True, timeout=120)
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())
