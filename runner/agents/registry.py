"""Every agent that Shoal knows, by the name that the settings have for it."""

from collections.abc import Mapping

from runner.agents import claude, codex, command, patch, table
from runner.agents.program import Program
from runner.agents.shape import Agent, Configured, Provider
from shared.models import AgentName

AGENTS: Mapping[AgentName, Agent] = {
    "patch": patch,
    "command": command,
    "claude": claude,
    "codex": codex,
    "gemini": table.gemini,
    "opencode": table.opencode,
    "copilot": table.copilot,
    "aider": table.aider,
    "mini-swe-agent": table.mini_swe_agent,
}

# Those that are a program of their own, for whom there is something to probe.
PROGRAMS: Mapping[AgentName, Program] = {
    "claude": claude.PROGRAM,
    "codex": codex.PROGRAM,
    "gemini": table.gemini.program,
    "opencode": table.opencode.program,
    "copilot": table.copilot.program,
    "aider": table.aider.program,
    "mini-swe-agent": table.mini_swe_agent.program,
}


def provider_of(configured: Configured) -> Provider | None:
    """Whose key this agent needs: of those that speak to several it is the model's prefix; None when it calls no model of ours."""
    name = configured.agent.name
    providers = AGENTS[name].providers
    if len(providers) < 2:
        return providers[0] if providers else None
    return table.model_of(configured, name)[0]
