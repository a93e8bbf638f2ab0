"""Lines of agents become events: on streams recorded from the real programs, and on anything else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.agents.heard import Heard, judge
from runner.agents.registry import AGENTS
from runner.agents.shape import Event
from shared.models import AgentName, Usage, VerdictName
from shared.process import Ended

FOLDER = Path(__file__).parents[2] / "fixtures" / "agents"
STREAMS = sorted(FOLDER.glob("*.jsonl"))
SPOKEN: list[AgentName] = ["claude", "codex", "gemini", "opencode", "copilot", "aider", "mini-swe-agent"]
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RECORDED = [json.loads(line) for path in STREAMS for line in path.read_text().splitlines() if line.startswith("{")]


def heard(name: AgentName, case: str) -> tuple[Heard, list[Event]]:
    found = Heard()
    lines = (FOLDER / f"{name}-{case}.jsonl").read_text().splitlines()
    return found, [event for line in lines for event in found.take(AGENTS[name], line)]


@pytest.mark.parametrize("name", ["claude", "codex", "gemini", "opencode", "copilot"])
def test_the_same_deeds_sound_the_same(name: AgentName) -> None:
    """Each of them was asked to add a file, said so, ran one command and ended: one form for all."""
    found, events = heard(name, "ok")
    kinds = [event.kind for event in events if event.kind in {"said", "tool"}]
    assert kinds == ["said", "tool", "said"]
    assert next(event.text for event in events if event.kind == "tool").endswith(("echo hi > new.txt", "echo hi > new.txt'"))
    assert found.words == "All done."
    assert found.session
    assert found.tools == 1


def test_aider_and_mini_swe_agent_are_read_from_what_they_tell_people() -> None:
    """They print no events: the version, the edit and the last words are found all the same, and nothing is called trouble."""
    aider, mini = heard("aider", "ok")[0], heard("mini-swe-agent", "ok")[0]
    assert (aider.version, aider.tools, aider.trouble) == ("aider v0.86.2", 1, None)
    assert "All done." in aider.words
    assert "All done." in mini.words
    assert mini.trouble is None


@pytest.mark.parametrize("name", ["aider", "mini-swe-agent"])
@pytest.mark.parametrize(("case", "words"), [("401", "put a valid key of anthropic"), ("400", "BadRequestError: ")])
def test_a_refusal_is_no_success_whatever_the_exit_code_says(name: AgentName, case: str, words: str) -> None:
    """aider ends with 0 after every error of its provider."""
    found, _ = heard(name, case)
    verdict = judge(found, Ended("exited", 0, 1, "", 0, 0), AGENTS[name], "the agent's research")
    assert verdict is not None
    assert verdict.name is VerdictName.AGENT_FAILED
    assert words in verdict.reason


def test_a_rate_limit_that_aider_got_over_is_no_trouble_and_one_that_it_did_not_is_the_providers() -> None:
    """The same stream, whole and cut before the model answered at last."""
    whole, _ = heard("aider", "429")
    assert (whole.trouble, whole.retries > 0) == (None, True)
    lines = (FOLDER / "aider-429.jsonl").read_text().splitlines()
    cut = Heard()
    for line in lines[: max(index for index, line in enumerate(lines) if "RateLimitError" in line) + 1]:
        cut.take(AGENTS["aider"], line)
    verdict = judge(cut, Ended("exited", 0, 1, "", 0, 0), AGENTS["aider"], "the agent's research")
    assert verdict is not None
    assert verdict.name is VerdictName.PROVIDER_LIMIT


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("claude", Usage(turns=2, input_tokens=2000, output_tokens=100, cost_usd=0.0075)),
        ("codex", Usage(input_tokens=2000, output_tokens=100)),
        ("gemini", Usage(input_tokens=2000, output_tokens=100)),
        ("opencode", Usage(turns=2, input_tokens=2000, output_tokens=100)),
    ],
)
def test_what_the_programs_say_of_their_use(name: AgentName, usage: Usage) -> None:
    """Two answers of 1,000 tokens in and 50 out; only Claude knows what that costs."""
    found, _ = heard(name, "ok")
    assert found.usage == usage


def test_what_claude_stopped_by_its_limit_used_is_counted() -> None:
    """Its `usage` leaves the last turn out; its figures by model do not."""
    found, _ = heard("claude", "turns")
    assert (found.usage.input_tokens, found.usage.output_tokens) == (2000, 100)


def test_a_denied_tool_is_noted() -> None:
    """Claude ends with exit code 0 and subtype success: only a list in its result tells."""
    found, _ = heard("claude", "denied")
    assert found.notes == ("the agent was denied: Bash: echo hi > new.txt",)


@pytest.mark.parametrize("name", ["claude", "codex", "gemini", "opencode", "copilot"])
def test_a_session_that_is_gone_is_recognised(name: AgentName) -> None:
    """Its home was lost: the pass can be tried in a new session, while other failures cannot."""
    assert heard(name, "unknown-session")[0].lost_session
    assert not heard(name, "401")[0].lost_session


@pytest.mark.parametrize("name", SPOKEN)
@given(line=st.text() | ANY_JSON.map(json.dumps))
def test_no_line_trips_a_reader(name: AgentName, line: str) -> None:
    """Whatever an agent prints, it is read; what is kept of it can be written down."""
    for event in AGENTS[name].read(line):
        event.text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("name", SPOKEN)
@given(data=st.data())
def test_no_drifted_event_trips_a_reader(name: AgentName, data: st.DataObject) -> None:
    """A recorded event in which something means something else in the next version."""
    event = data.draw(st.sampled_from(RECORDED))
    place = event
    while isinstance(place, dict) and place:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or data.draw(st.booleans()):
            changed = {**place, key: data.draw(ANY_JSON)}
            line = json.dumps(event).replace(json.dumps(place), json.dumps(changed), 1)
            found = Heard()
            found.take(AGENTS[name], line)
            found.usage.model_dump_json()
            assert isinstance(found.words, str)
            break
        place = place[key]
