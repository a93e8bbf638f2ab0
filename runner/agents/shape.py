"""What an adapter gives: the shape that every agent of this folder has."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from runner.sandbox import Bind
from shared.messages import AttemptBrief
from shared.models import AgentSettings, Usage

# Put into `argv` and `env` by an adapter, replaced inside the sandbox: where the attempt's model proxy listens, and what it
# takes for a key. Neither is known before the process starts, and the second never stands in an argument.
MODEL_URL = "{model_url}"
MODEL_KEY = "{model_key}"

Provider = Literal["anthropic", "openai", "gemini"]


class Pass(StrEnum):
    """One process of an agent."""

    RESEARCH = "research"
    IMPLEMENTATION = "implementation"
    REPAIR = "repair"
    DOCUMENTATION = "documentation"
    REVIEW = "review"
    FIX = "fix"
    FOLLOW_UP = "follow_up"


class Order(NamedTuple):
    """A pass that is to be run; `prompt` is a file that can be read inside, `session` an earlier pass's, empty: none."""

    brief: AttemptBrief
    which: Pass
    prompt: Path
    session: str = ""


class Call(NamedTuple):
    """What to start. `files` are written below HOME inside the sandbox before it starts.

    The agent's answer is the file named by SHOAL_ANSWER if it wrote one, else its last words, else what it printed.
    """

    argv: tuple[str, ...]
    stdin: bytes = b""
    binds: tuple[Bind, ...] = ()
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}


class Event(NamedTuple):
    """One thing that an agent said about itself, the same for all of them; what a kind does not need is empty.

    started: session, text (model and version) · said: text (a piece; pieces in a row are one message) ·
    tool: text (its name and what it did) · denied: text · retry: text (why), status (HTTP) ·
    turn: usage (of this turn alone), text (its id: the same one twice is one turn) · error: text ·
    result: ok, text (last words, or what went wrong), usage (of the whole process; `of_session`: of all its passes so far),
    status (HTTP, when that was the reason), limit (which of AttemptLimits it kept itself, when that was the reason)
    """

    kind: Literal["started", "said", "tool", "denied", "retry", "turn", "error", "result"]
    text: str = ""
    session: str = ""
    usage: Usage | None = None
    ok: bool = True
    status: int = 0
    limit: str = ""
    of_session: bool = False


class Probe(NamedTuple):
    """What a capability probe found; `problem` says what is missing and how to mend it, empty: all is well."""

    version: str = ""
    problem: str = ""
    # It was found well before, and not asked again.
    remembered: bool = False


class Configured(Protocol):
    """All that a probe must know of an attempt."""

    @property
    def agent(self) -> AgentSettings: ...


class Agent(Protocol):
    """A module or an entry of the table."""

    @property
    def providers(self) -> Sequence[Provider]:
        """The APIs it speaks, in the order of preference; empty: it calls no model of ours."""
        ...

    @property
    def says_result(self) -> bool:
        """Whether a process that ends without a `result` event has failed."""
        ...

    def call(self, order: Order) -> Call | None:
        """None when the agent cannot do that pass; raises AttemptEnds when it cannot work at all."""
        ...

    def read(self, line: str) -> Iterable[Event]:
        """What a line of its output means; a line that is not an event means nothing."""
        ...

    def probe(self, brief: Configured) -> Probe: ...
