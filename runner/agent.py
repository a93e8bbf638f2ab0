"""Starts a pass of the coding agent in the sandbox and reads its answer."""

from collections.abc import Mapping
from typing import NamedTuple

from runner import verdict, worktree
from runner.agents import command, patch
from runner.agents.shape import Agent, Order, Pass
from runner.endings import AttemptEnds
from runner.phase import Work
from shared.models import AttemptBrief, VerdictName
from shared.process import Limits

AGENTS: Mapping[str, Agent] = {"patch": patch, "command": command}
_ANSWER_LIMIT = 60_000


class Answer(NamedTuple):
    """What the agent has to say, and the last lines that it printed."""

    text: str
    printed: str


def has_network(brief: AttemptBrief) -> bool:
    """A command reaches its model over the network, except where isolation is required; a prepared change needs none."""
    return brief.agent.name == "command" and brief.isolation != "required"


def play(work: Work, which: Pass, prompt: str) -> Answer | None:
    """The agent's answer, None when it cannot do this pass; raises AttemptEnds when it failed."""
    brief, folder = work.brief, work.folder
    folder.prompts.mkdir(exist_ok=True)
    prompt_file = folder.prompts / f"{which}.md"
    prompt_file.write_text(prompt, encoding="utf-8")
    prompt_file.chmod(0o644)
    call = AGENTS[brief.agent.name].call(Order(brief, which, prompt_file))
    if call is None:
        return None
    worktree.empty(work, folder.out)
    answer = folder.out / "answer.md"
    env = {"SHOAL_ANSWER": str(answer), "SHOAL_PASS": which}
    room = worktree.agent_room(work, network=has_network(brief), binds=call.binds, env=env)
    limits = Limits(seconds=brief.settings.agent_minutes * 60)
    try:
        ended = work.run(call.argv, room, log=which, limits=limits, stdin=call.stdin)
    except FileNotFoundError as error:
        raise AttemptEnds(VerdictName.AGENT_FAILED, f"the agent could not be started: {error.filename or call.argv[0]}") from error
    work.state.agent_seconds += ended.seconds
    if bad := verdict.of_command(ended, f"the agent's {which}"):
        raise AttemptEnds(bad.name, bad.reason, bad.detail)
    written = worktree.read_left_file(answer, _ANSWER_LIMIT).decode(errors="replace")
    return Answer((written or ended.tail[-_ANSWER_LIMIT:]).strip(), ended.tail)
