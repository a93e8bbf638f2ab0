"""What each recorded stream of a real program comes to: verdict, limit, use, waiting, retries and denials, in one table."""

from typing import NamedTuple

import pytest

from runner.agents.heard import Heard, judge
from runner.agents.registry import AGENTS
from shared.models import AgentName, Usage, VerdictName
from shared.process import Ended
from tests.runner.agents.test_events import FOLDER, STREAMS

WELL, FAILED, AWAY, LIMIT = None, VerdictName.AGENT_FAILED, VerdictName.PROVIDER_LIMIT, VerdictName.LIMIT_REACHED


class Told(NamedTuple):
    """`words` stand in the reason; `exit_code` where the program's own is not 1 for a failure and 0 for none."""

    verdict: VerdictName | None
    words: str
    usage: Usage
    exit_code: int | None = None
    retries: int = 0
    limit: str = ""
    wait: float | None = None
    notes: tuple[str, ...] = ()


# Two answers of 1,000 tokens in and 50 out where all goes well. `529-twice`: refused twice, answered then.
TABLE: dict[tuple[AgentName, str], Told] = {
    ("aider", "400"): Told(FAILED, "BadRequestError", Usage(), exit_code=0),
    ("aider", "401"): Told(FAILED, "put a valid key", Usage(), exit_code=0),
    ("aider", "429"): Told(WELL, "", Usage(), retries=1),
    ("aider", "ok"): Told(WELL, "", Usage()),
    ("claude", "400"): Told(FAILED, "Prompt is too long", Usage(turns=1, cost_usd=0)),
    ("claude", "401"): Told(FAILED, "put a valid key", Usage(turns=1, cost_usd=0), retries=3),
    ("claude", "429"): Told(AWAY, "turned away", Usage(turns=1, cost_usd=0), retries=3, wait=20),
    ("claude", "529-twice"): Told(WELL, "", Usage(turns=2, input_tokens=2000, output_tokens=100, cost_usd=0.0075), retries=2),
    ("claude", "529"): Told(AWAY, "turned away", Usage(turns=1, cost_usd=0), retries=3),
    ("claude", "budget"): Told(
        LIMIT, "its own budget", Usage(turns=1, input_tokens=1000, output_tokens=50, cost_usd=0.00375), limit="cost_usd"
    ),
    ("claude", "denied"): Told(
        WELL,
        "",
        Usage(turns=2, input_tokens=2000, output_tokens=100, cost_usd=0.0075),
        notes=("the agent was denied: Bash: echo hi > new.txt",),
    ),
    ("claude", "no-key"): Told(FAILED, "put a valid key", Usage(turns=1, cost_usd=0)),
    ("claude", "ok"): Told(WELL, "", Usage(turns=2, input_tokens=2000, output_tokens=100, cost_usd=0.0075)),
    ("claude", "turns"): Told(
        LIMIT, "its limit of turns", Usage(turns=3, input_tokens=2000, output_tokens=100, cost_usd=0.0075), limit="turns"
    ),
    ("claude", "unknown-flag"): Told(FAILED, "--no-such-flag", Usage()),
    ("claude", "unknown-session"): Told(FAILED, "No conversation found", Usage(cost_usd=0)),
    ("codex", "400"): Told(FAILED, "prompt is too long", Usage()),
    ("codex", "401"): Told(FAILED, "put a valid key", Usage(), retries=3),
    ("codex", "429"): Told(AWAY, "turned away", Usage()),
    ("codex", "529-twice"): Told(WELL, "", Usage(input_tokens=2000, output_tokens=100)),
    ("codex", "529"): Told(AWAY, "turned away", Usage(), retries=3),
    ("codex", "ok"): Told(WELL, "", Usage(input_tokens=2000, output_tokens=100)),
    ("codex", "unknown-flag"): Told(FAILED, "--no-such-flag", Usage()),
    ("codex", "unknown-session"): Told(FAILED, "no rollout found", Usage()),
    ("copilot", "400"): Told(FAILED, "rejected the prompt as too long", Usage()),
    ("copilot", "401"): Told(FAILED, "put a valid key", Usage()),
    ("copilot", "ok"): Told(WELL, "", Usage(turns=2)),
    ("copilot", "unknown-session"): Told(FAILED, "No session, task, or name matched", Usage()),
    ("gemini", "400"): Told(FAILED, "prompt is too long", Usage()),
    ("gemini", "401"): Told(FAILED, "put a valid key", Usage()),
    ("gemini", "ok"): Told(WELL, "", Usage(input_tokens=2000, output_tokens=100)),
    ("gemini", "turns"): Told(LIMIT, "its limit of turns", Usage(input_tokens=2000, output_tokens=100), limit="turns"),
    ("gemini", "unknown-session"): Told(FAILED, "No previous sessions found", Usage()),
    ("mini-swe-agent", "400"): Told(FAILED, "BadRequestError", Usage(), retries=2),
    ("mini-swe-agent", "401"): Told(FAILED, "put a valid key", Usage()),
    ("mini-swe-agent", "ok"): Told(WELL, "", Usage()),
    ("opencode", "400"): Told(FAILED, "prompt is too long", Usage()),
    ("opencode", "401"): Told(FAILED, "put a valid key", Usage()),
    ("opencode", "denied"): Told(
        WELL,
        "",
        Usage(turns=2, input_tokens=2000, output_tokens=100),
        notes=("the agent was denied: Bash, which is not among its tools in this pass",),
    ),
    ("opencode", "ok"): Told(WELL, "", Usage(turns=2, input_tokens=2000, output_tokens=100)),
    ("opencode", "unknown-session"): Told(FAILED, "Session not found", Usage()),
}


@pytest.mark.parametrize(("name", "case"), TABLE)
def test_what_a_recorded_stream_comes_to(name: AgentName, case: str) -> None:
    """Judged as the runner judges a pass, with the exit code that the program ended with."""
    told, found, agent = TABLE[name, case], Heard(), AGENTS[name]
    for line in (FOLDER / f"{name}-{case}.jsonl").read_text(encoding="utf-8").splitlines():
        found.take(agent, line)
    code = told.exit_code if told.exit_code is not None else int(told.verdict is not None)

    verdict = judge(found, Ended("exited", code, 1, "", 0, 0), agent, "the agent's research")

    assert found.usage == told.usage
    assert (found.retries, found.notes) == (told.retries, told.notes)
    if verdict is None:
        assert told.verdict is WELL
        return
    assert (verdict.name, verdict.limit, verdict.retry_seconds) == (told.verdict, told.limit, told.wait), verdict.reason
    assert told.words in verdict.reason


def test_every_recorded_stream_is_in_the_table() -> None:
    """A stream that is only kept proves nothing."""
    assert sorted(f"{name}-{case}" for name, case in TABLE) == sorted(path.stem for path in STREAMS)
