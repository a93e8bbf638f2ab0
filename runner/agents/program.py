"""The program behind a named agent: where it is, what it needs of this machine, and whether it still knows our flags."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from runner.agents.shape import Configured, Probe
from runner.endings import AttemptEnds
from runner.sandbox import Bind, program_binds
from shared.models import VerdictName
from shared.process import Ended, Limits, environment, run

_PATIENCE = Limits(seconds=30)
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?[\w.+-]*")


class Help(NamedTuple):
    """The flags that one page of help must name."""

    arguments: tuple[str, ...]
    flags: tuple[str, ...]


class Program(NamedTuple):
    """`tried` is the version that Shoal was tried with, `install` the command that brings it; `version` makes it say its own."""

    name: str
    tried: str
    install: str
    helps: tuple[Help, ...]
    version: str = "--version"


class Start(NamedTuple):
    """How its command line begins."""

    argv: tuple[str, ...]
    binds: tuple[Bind, ...]


def start(configured: Configured, program: Program) -> Start:
    """By its whole path, since PATH is another one inside the sandbox; raises AttemptEnds when it is not there."""
    argv = configured.agent.command or (program.name,)
    place = find(argv)
    if place is None:
        raise AttemptEnds(VerdictName.AGENT_FAILED, _missing(argv, program))
    return Start((str(place), *argv[1:]), program_binds(argv))


def find(argv: Sequence[str]) -> Path | None:
    """On the machine's PATH without our own venv."""
    place = shutil.which(argv[0], path=environment()["PATH"])
    return Path(place) if place else None


def probe(configured: Configured, program: Program) -> Probe:
    """Its version, and that its help still names every flag that our command lines use: they drift within months."""
    argv = configured.agent.command or (program.name,)
    if find(argv) is None:
        return Probe(problem=_missing(argv, program))
    ended, said = _ask((*argv, program.version))
    if not ended.ok:
        last = next((line.strip()[:300] for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
        what = f"`{' '.join(argv)} {program.version}` failed ({_how(ended)}: {last})"
        return Probe(problem=f"{what}: install {program.name} >= {program.tried} anew ({program.install})")
    if not (found := _VERSION.search(said)):
        what = f"`{' '.join(argv)} {program.version}` names no version, it says `{' '.join(said.split())[:100]}`"
        return Probe(problem=f"{what}: is it {program.name}? Install that ({program.install}), or name it in agent.command")
    version = found[0].rstrip(".")
    for page in program.helps:
        ended, said = _ask((*argv, *page.arguments))
        missing = [flag for flag in page.flags if not re.search(rf"(?<![\w-]){flag}(?![\w-])", said)]
        if missing:
            what = f"{program.name} {version} does not know {', '.join(missing)}, which Shoal needs"
            return Probe(version, f"{what}: install {program.name} >= {program.tried} ({program.install})")
    return Probe(version)


def _missing(argv: Sequence[str], program: Program) -> str:
    return f"`{argv[0]}` is not on the runner's PATH: install it ({program.install}), or name the program in agent.command"


def _ask(argv: tuple[str, ...]) -> tuple[Ended, str]:
    """In an empty folder that is its home, too: nothing of this machine changes by asking."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="shoal-probe-") as nowhere:
        env = environment({"HOME": nowhere, "NO_COLOR": "1"})
        try:
            ended = run(argv, cwd=Path(nowhere), env=env, limits=_PATIENCE, on_line=lines.append)
        except OSError as error:
            return Ended("exited", 126, 0, "", 0, 0), error.strerror or str(error)
    return ended, "\n".join(lines)


def _how(ended: Ended) -> str:
    return f"exit code {ended.exit_code}" if ended.reason == "exited" else ended.reason
