"""What a job of GitHub Actions hears from us: masks, outputs and the summary; nothing an agent printed is taken for a command."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from shared.github import cut

# In the environment of everything that a job starts, so that its last step finds what a killed process left behind.
JOB = "SHOAL_JOB"
# Variables with this prefix are the action's inputs; they are taken out of the environment before anything else starts.
INPUT = f"{JOB}_"
# Source: GitHub's documentation of workflow commands; more than that and the whole summary is lost.
_SUMMARY_LIMIT = 1024 * 1024 - 1024


@dataclass(frozen=True)
class Job:
    """The job that this process is a step of; `pause` is the word that ends a stretch without commands."""

    log: TextIO
    outputs: Path
    summary: Path | None
    pause: str

    def mask(self, secret: str) -> None:
        """From now on the job's log shows `***` in its place, whoever prints it."""
        lines = [line for line in secret.splitlines() if line.strip()]
        if not lines:
            return
        self._say(f"::{self.pause}::", *(f"::add-mask::{_escaped(line)}" for line in lines), self._stop)

    def put(self, **outputs: str) -> None:
        """The step's outputs; an underscore in a name stands for a hyphen."""
        end = f"end_{secrets.token_hex(16)}"  # a value could hold any word that is known beforehand
        lines = [f"{name.replace('_', '-')}<<{end}\n{value}\n{end}\n" for name, value in outputs.items()]
        with self.outputs.open("a", encoding="utf-8") as file:
            file.writelines(lines)

    def summarise(self, markdown: str) -> None:
        """The text on the run's page."""
        if self.summary is not None:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(cut(markdown, _SUMMARY_LIMIT, "\n\n*Cut here: GitHub's limit is reached.*") + "\n")

    @property
    def _stop(self) -> str:
        return f"::stop-commands::{self.pause}"

    def _say(self, *lines: str) -> None:
        self.log.write("".join(f"{line}\n" for line in lines))
        self.log.flush()


@contextmanager
def of_environment(environ: Mapping[str, str], log: TextIO) -> Iterator[Job | None]:
    """The job, if there is one; in the block nothing that is printed is a command, unless the job says it."""
    if not environ.get("GITHUB_OUTPUT"):
        yield None
        return
    summary = environ.get("GITHUB_STEP_SUMMARY")
    job = Job(log, Path(environ["GITHUB_OUTPUT"]), Path(summary) if summary else None, secrets.token_hex(16))
    job._say(job._stop)
    try:
        yield job
    finally:
        job._say(f"::{job.pause}::")


def annotate(environ: Mapping[str, str], log: TextIO, level: Literal["notice", "error"], text: str) -> None:
    """What a person should read first, on the page of the run; outside of `of_environment`, and nothing without a job."""
    if environ.get("GITHUB_OUTPUT"):
        log.write(f"::{level} title=Shoal::{_escaped(text)}\n")
        log.flush()


def default_work_dir(environ: Mapping[str, str]) -> Path:
    """Kept between jobs: mirrors are fetched once, and rescued work waits for its person."""
    cache = environ.get("RUNNER_TOOL_CACHE") or environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "shoal" / "work"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
