"""The real programs of agents, one pass each against a scripted model on loopback: what they print is what our readers know."""

from pathlib import Path

import pytest

from runner.agents.shape import Pass
from scripts.agent_clis import PYTHON_PROGRAMS, install
from shared.git import git
from shared.models import AgentName, VerdictName
from tests.support.agents import Stage
from tests.support.model_api import Refusal, Story, Turn, model_api

pytestmark = [pytest.mark.slow, pytest.mark.agents, pytest.mark.timeout(1800)]
ASK = "Add the file new.txt that says hi."
EDIT = [Turn(text="I will add the file.", shell="echo hi > new.txt"), Turn(text="All done.")]
# Each speaks its own language to the model: aider in whole files, mini-swe-agent with a last command.
WHOLE_FILE = [Turn(text="I will add the file.\n\nnew.txt\n```\nhi\n```\n\nAll done.")]
LAST_COMMAND = [EDIT[0], Turn(text="All done.", shell="echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT")]
MODELS: dict[AgentName, tuple[str, list[Turn]]] = {
    "claude": ("claude-sonnet-4-5", EDIT),
    "codex": ("gpt-5-codex", EDIT),
    "gemini": ("gemini-2.5-flash", EDIT),
    "opencode": ("anthropic/claude-sonnet-4-5", EDIT),
    "copilot": ("openai/gpt-5", EDIT),
    "aider": ("openai/gpt-scripted", WHOLE_FILE),
    "mini-swe-agent": ("openai/gpt-scripted", LAST_COMMAND),
}


def program(name: AgentName) -> Path:
    """From npm, installed when it is not there; those from PyPI are 1.5 GB and are driven where somebody installed them."""
    if name not in {"aider", "mini-swe-agent"}:
        return install() / name
    place = PYTHON_PROGRAMS[name]
    if not place.exists():
        pytest.skip(f"python scripts/agent_clis.py {name} installs it")
    return place


def stage(folder: Path, url: str, name: AgentName) -> Stage:
    made = Stage(folder, url, name, program(name), MODELS[name][0])
    made.tree.mkdir()
    git("init", "--quiet", str(made.tree), cwd=folder)
    return made


@pytest.mark.parametrize("name", MODELS)
def test_a_pass_is_heard_as_it_went(name: AgentName, tmp_path: Path) -> None:
    """The file is there, its last words are known, and nothing went wrong."""
    with model_api(Story(r"Add the file|\.md first", MODELS[name][1])) as api:
        played = (at := stage(tmp_path, api.url, name)).play(Pass.IMPLEMENTATION, ASK)
    assert played.verdict is None, (played.verdict, played.ended.tail[-2000:])
    assert (at.tree / "new.txt").read_text() == "hi\n"
    assert "All done." in played.heard.words
    assert played.heard.tools or name == "mini-swe-agent"
    assert len(api.generating) == len(MODELS[name][1])


@pytest.mark.parametrize("name", MODELS)
def test_a_refused_key_is_told_as_one(name: AgentName, tmp_path: Path) -> None:
    """Within the program's own few retries."""
    with model_api(Story(r"Add the file|\.md first", MODELS[name][1], [Refusal(401, 99)])) as api:
        played = stage(tmp_path, api.url, name).play(Pass.IMPLEMENTATION, ASK)
    assert played.verdict is not None
    assert played.verdict.name is VerdictName.AGENT_FAILED
    assert "put a valid key of" in played.verdict.reason
