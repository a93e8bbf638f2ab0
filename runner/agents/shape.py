"""What an adapter gives: the shape that every module of this folder has."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from runner.sandbox import Bind
from shared.models import AttemptBrief


class Pass(StrEnum):
    """One process of an agent."""

    RESEARCH = "research"
    IMPLEMENTATION = "implementation"
    REPAIR = "repair"
    REVIEW = "review"


class Call(NamedTuple):
    """What to start. The agent's answer is the file named by SHOAL_ANSWER if it wrote one, else what it printed."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    binds: tuple[Bind, ...] = ()


class Agent(Protocol):
    """A module; `call` is None when the agent cannot do that pass, and raises AttemptEnds when it cannot work at all."""

    def call(self, brief: AttemptBrief, which: Pass, prompt: Path) -> Call | None: ...
