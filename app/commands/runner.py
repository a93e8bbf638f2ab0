"""Asks the runner's code a question as a process: app and runner meet only in `shared`."""

import sys
import tempfile
from pathlib import Path

from shared.errors import UserError
from shared.process import Limits, environment, run

_SECONDS = 60


def ask(question: str, request: str, seconds: float = _SECONDS) -> str:
    """The answer, one JSON document; UserError with the runner's reason when it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "answer.json"
        ended = run(
            [sys.executable, "-I", "-m", "runner", question],
            cwd=Path(folder),
            env=environment({"SHOAL_LOG_LEVEL": "CRITICAL"}),
            stdin=request.encode(),
            limits=Limits(seconds=seconds),
            log=log,
        )
        if not ended.ok:
            raise UserError(f"the runner does not answer `{question}`: {ended.tail.strip()[-1000:] or ended.reason}")
        return log.read_text("utf-8").strip()
