"""Any command as an agent: one process per pass, the prompt in the file that the template names, else on standard input."""

from pathlib import Path

from runner.agents.shape import Call, Pass
from runner.endings import AttemptEnds
from runner.sandbox import Bind, program_binds
from shared.models import AttemptBrief, VerdictName

_PLACE = "{prompt_file}"


def call(brief: AttemptBrief, which: Pass, prompt: Path) -> Call | None:
    template = brief.agent.command
    if not template:
        raise AttemptEnds(VerdictName.AGENT_FAILED, "the command agent has no command: set agent.command in the app's settings")
    argv = tuple(part.replace(_PLACE, str(prompt)).replace("{pass}", which) for part in template)
    in_file = any(_PLACE in part for part in template)
    binds = (*program_binds(template), Bind(prompt.parent))
    return Call(argv, stdin=b"" if in_file else prompt.read_bytes(), binds=binds)
