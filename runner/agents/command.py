"""Any command as an agent: one process per pass, the prompt in the file that the template names, else on standard input."""

import shutil
from collections.abc import Iterable, Sequence

from runner.agents.shape import Call, Configured, Event, Order, Probe, Provider
from runner.endings import AttemptEnds
from runner.sandbox import Bind, program_binds
from shared.models import VerdictName
from shared.process import environment

_PLACE = "{prompt_file}"


providers: Sequence[Provider] = ()
says_result = False


def call(order: Order) -> Call | None:
    """The prompt goes to standard input unless the template names its file."""
    brief, which, prompt, _ = order
    template = brief.agent.command
    if not template:
        raise AttemptEnds(VerdictName.AGENT_FAILED, "the command agent has no command: set agent.command in the app's settings")
    argv = tuple(part.replace(_PLACE, str(prompt)).replace("{pass}", which) for part in template)
    in_file = any(_PLACE in part for part in template)
    binds = (*program_binds(template), Bind(prompt.parent))
    return Call(argv, stdin=b"" if in_file else prompt.read_bytes(), binds=binds)


def read(_line: str) -> Iterable[Event]:
    """It prints what it likes."""
    return ()


def probe(brief: Configured) -> Probe:
    """Only whether the program is there: what it can do is between it and the operator."""
    program = brief.agent.command[0] if brief.agent.command else ""
    place = shutil.which(program, path=environment()["PATH"]) if program else None
    if place is None:
        return Probe(problem=f"`{program}` is not on the runner's PATH: install it, or set SHOAL_AGENT_COMMAND")
    return Probe(version=place)
