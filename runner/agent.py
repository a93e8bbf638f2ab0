"""Starts a pass of the coding agent in the sandbox, listens to what it says, and reads its answer."""

import json
import os
import secrets
import tempfile
from pathlib import Path
from threading import Event
from typing import NamedTuple

from runner import instructions, prompt, verdict, worktree
from runner.agents.heard import Heard, judge
from runner.agents.registry import AGENTS
from runner.agents.shape import Agent, Call, Order, Pass
from runner.endings import AttemptEnds
from runner.meter import together
from runner.models.inside import inside_argv
from runner.models.keys import Keys
from runner.models.proxy import Proxy, serving
from runner.phase import Work
from runner.sandbox import Bind, Room, python_binds
from shared.models import Usage, Verdict, VerdictName
from shared.process import Ended

_ANSWER_LIMIT = 60_000


class Answer(NamedTuple):
    """What the agent has to say, and the last lines that it printed."""

    text: str
    printed: str


def told(work: Work) -> prompt.Told:
    """What every prompt of this attempt begins with."""
    found = prompt.Told(work.brief, secrets.token_hex(8), instructions.read(work.folder.mirror, work.brief))
    for removed in found.removed:
        work.state.note(removed)
    return found


def has_network(work: Work) -> bool:
    """A command without a model's key reaches its model by itself, except where isolation is required; nobody else has a network."""
    brief = work.brief
    return brief.agent.name == "command" and brief.isolation != "required" and not _keys(work)


def play(work: Work, which: Pass, text: str) -> Answer | None:
    """The agent's answer, None when it cannot do this pass; raises AttemptEnds when it failed."""
    agent, order = AGENTS[work.brief.agent.name], _order(work, which, text)
    call = agent.call(order)
    if call is None:
        return None
    worktree.empty(work, work.folder.out)
    heard = Heard()
    keys = _keys(work)
    if agent.providers and not keys.serve(agent.providers):
        raise AttemptEnds(VerdictName.AGENT_FAILED, keys.missing(agent.providers))
    with tempfile.TemporaryDirectory(prefix="shoal-") as folder, serving(Path(folder, "model.sock"), keys, work.brief.limits, work.state.usage) as proxy:
        ended = _run(work, which, agent, call, proxy, heard)
    ...
