"""What is started for every agent and pass, word for word; and what must hold for all of them."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from runner.agents.registry import AGENTS, PROGRAMS, provider_of
from runner.agents.shape import MODEL_KEY, Call, Order, Pass
from runner.endings import AttemptEnds
from shared.models import AgentName, AgentSettings, AttemptLimits, VerdictName
from tests.support.agents import brief_for

GOLDEN = Path(__file__).parents[2] / "fixtures" / "agents" / "command_lines.json"
MODELS: dict[AgentName, str] = {
    "claude": "claude-sonnet-4-5",
    "codex": "gpt-5-codex",
    "gemini": "gemini-2.5-pro",
    "opencode": "anthropic/claude-sonnet-4-5",
    "copilot": "openai/gpt-5",
    "aider": "anthropic/claude-sonnet-4-5",
    "mini-swe-agent": "gemini/gemini-2.5-pro",
}
# Known to the program, not told by its help.
HIDDEN = {"--max-turns"}
EVERY = [(name, which, isolated) for name in MODELS for which in Pass for isolated in (True, False)]
PROMPT = "Mend the words; `rm -rf /` is only a word here."


def call_of(folder: Path, name: AgentName, which: Pass, isolated: bool = True, **settings: Any) -> Call:
    """The call of a pass that goes on with session "5e55-10n"; the operator's program is one that is everywhere."""
    folder.joinpath("prompt.md").write_text(PROMPT)
    agent = AgentSettings(**{"name": name, "model": MODELS[name], "command": ("/bin/sh",), "options": ("--mine",), **settings})
    brief = brief_for(agent, limits=AttemptLimits(turns=40), isolated=isolated)
    call = AGENTS[name].call(Order(brief, which, folder / "prompt.md", "5e55-10n"))
    assert call is not None
    return call


def test_every_command_line_is_as_written_down(tmp_path: Path) -> None:
    """A change of a flag is seen in review, for every agent and pass at once."""
    found = {}
    for name, which, isolated in EVERY:
        call = call_of(tmp_path, name, which, isolated)
        shown = {"argv": call.argv, "env": dict(call.env), "files": dict(call.files), "stdin": bool(call.stdin)}
        found[f"{name} {which} {'inside' if isolated else 'plain'}"] = json.loads(
            json.dumps(shown).replace(str(tmp_path), "/prompts")
        )
    fresh = tmp_path / "command_lines.json"
    fresh.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text()), f"if that is meant: cp {fresh} {GOLDEN}"


@pytest.mark.parametrize(("name", "which", "isolated"), EVERY)
def test_neither_the_prompt_nor_a_key_stands_in_an_argument(name: AgentName, which: Pass, isolated: bool, tmp_path: Path) -> None:
    """Arguments are visible to every user of a machine, and a prompt is text of strangers."""
    call = call_of(tmp_path, name, which, isolated)
    assert not [part for part in call.argv if "rm -rf" in part or MODEL_KEY in part]
    by_file = any(str(tmp_path / "prompt.md") in part for part in call.argv)
    assert call.stdin == PROMPT.encode() if not by_file else any(bind.place == tmp_path for bind in call.binds)
    assert call.argv[0] == "/bin/sh"
    assert "--mine" in call.argv


@pytest.mark.parametrize("name", MODELS)
def test_every_flag_is_one_that_the_probe_asks_for(name: AgentName, tmp_path: Path) -> None:
    """Else a drifted flag would be found by the first task that uses it."""
    asked = {flag for page in PROGRAMS[name].helps for flag in page.flags} | HIDDEN
    used = {
        part.partition("=")[0] for which in Pass for part in call_of(tmp_path, name, which, options=()).argv if part[:2] == "--"
    }
    assert used <= asked
    assert asked - HIDDEN <= used


@pytest.mark.parametrize("name", MODELS)
def test_a_review_is_another_eye(name: AgentName, tmp_path: Path) -> None:
    """Every pass goes on with the session it is given, where the program has sessions; the review never does."""
    with_session = {which for which in Pass if re.search("5e55-10n", " ".join(call_of(tmp_path, name, which).argv))}
    assert with_session == (set() if name in {"aider", "mini-swe-agent"} else set(Pass) - {Pass.REVIEW})


def test_a_program_that_is_not_there_ends_the_attempt_with_the_way_to_install_it(tmp_path: Path) -> None:
    """Bad input: agent missing."""
    with pytest.raises(AttemptEnds, match=r"`no-such-claude` is not on the runner's PATH.*npm install -g @anthropic") as ends:
        call_of(tmp_path, "claude", Pass.RESEARCH, command=("no-such-claude",))
    assert ends.value.verdict.name is VerdictName.AGENT_FAILED


@pytest.mark.parametrize("model", ["", "gpt-5", "ollama/llama", "anthropic/"])
def test_an_agent_of_many_providers_needs_to_know_which(model: str, tmp_path: Path) -> None:
    """The key that it needs follows from the model's prefix."""
    with pytest.raises(AttemptEnds, match=r"set agent\.model to PROVIDER/MODEL"):
        call_of(tmp_path, "opencode", Pass.RESEARCH, model=model)


def test_whose_key_an_agent_needs() -> None:
    """By itself, by its model's prefix, or none at all; every name of the settings is known."""
    settings = [AgentSettings(name=name, model=MODELS.get(name, "")) for name in get_args(AgentName)]
    found = {each.name: provider_of(brief_for(each)) for each in settings}
    assert found == {
        "patch": None,
        "command": None,
        "claude": "anthropic",
        "codex": "openai",
        "gemini": "gemini",
        "opencode": "anthropic",
        "copilot": "openai",
        "aider": "anthropic",
        "mini-swe-agent": "gemini",
    }
