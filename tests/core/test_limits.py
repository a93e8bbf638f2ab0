"""Stories about what an attempt may use, and that its runner is told."""

from functools import partial

import pytest

from app import brief
from app.brief import agent_settings, chosen_agent
from app.facts.settings_file import SettingsMistake, parse
from app.limits import not_allowed, operator_limits, tightened
from app.settings import Settings, load
from shared.errors import UserError
from shared.models import AgentSettings, AttemptLimits
from shared.repository_settings import RepositorySettings
from tests.support.decisions import Desk


def settings(**more: object) -> Settings:
    """An operator who uses a real agent."""
    return load(webhook_secret="s" * 20, app_id="7", private_key="pem", **{"agent": "claude", **more})


def test_a_repository_makes_limits_tighter_and_never_looser() -> None:
    """The smaller number counts, whoever said it; what only the operator can say stays."""
    operator = AttemptLimits(minutes=60, memory_mib=4096, turns=None, tokens=1000, cost_usd=2, output_mib=7)
    asked = RepositorySettings(max_minutes=90, max_memory_mib=1024, max_turns=50, max_tokens=900, max_cost_usd=5)

    limits = tightened(operator, asked)

    assert limits == AttemptLimits(minutes=60, memory_mib=1024, turns=50, tokens=900, cost_usd=2, output_mib=7)
    assert tightened(operator, RepositorySettings()) == operator


def test_the_brief_carries_limits_agent_and_permissions() -> None:
    """Whatever the operator set arrives at the runner, made tighter by the repository's own file."""
    told = settings(
        isolation="preferred",
        agent_model="opus",
        agent_options="--x y",
        attempt_cost_usd=3,
        setup_network=True,
        protected_changes="draft",
    )
    desk = Desk()
    desk.plan(desk.issue(5), settings=RepositorySettings(max_turns=10, isolation="required"))
    task = desk.task(5)
    assert task.snapshot is not None

    made = brief.make(
        told,
        desk.state.repository,
        desk.state.orchestrations[task.orchestration],
        task,
        desk.state.attempts[task.attempt],
        task.snapshot,
        shared_tokens=False,
        login="shoal[bot]",
        email="e",
    )

    assert (made.agent.name, made.agent.model, made.agent.options) == ("claude", "opus", ("--x", "y"))
    assert (made.limits.cost_usd, made.limits.turns, made.limits.minutes) == (3, 10, operator_limits(told).minutes)
    assert (made.setup_network, made.protected_changes, made.published, made.isolation) == (True, "draft", None, "required")


def test_a_repository_chooses_among_what_the_operator_allows() -> None:
    """Another agent is started by its own name, without the operator's options for the usual one; isolation only gets stricter."""
    operator = settings(agent_model="opus", agent_options="--x", allowed_agents="codex", allowed_models="gpt-5,sonnet")
    assert chosen_agent(operator, RepositorySettings()) == agent_settings(operator)
    assert chosen_agent(operator, RepositorySettings(model="sonnet")).model == "sonnet"
    assert chosen_agent(operator, RepositorySettings(agent="codex", model="gpt-5")) == AgentSettings(name="codex", model="gpt-5")

    text = "test_command: make\nagent: {}\nmodel: {}\n"
    assert parse(text.format("codex", "gpt-5"), partial(not_allowed, operator)).agent == "codex"
    with pytest.raises(SettingsMistake, match="line 2: `agent`: `gemini` is not allowed here; choose one of claude, codex"):
        parse(text.format("gemini", "opus"), partial(not_allowed, operator))
    with pytest.raises(SettingsMistake, match="line 3: `model`: `haiku` is not allowed here; allowed: gpt-5, opus, sonnet"):
        parse(text.format("claude", "haiku"), partial(not_allowed, operator))
    with pytest.raises(SettingsMistake, match="line 1: `isolation`"):
        parse("isolation: none")


def test_an_agent_without_a_price_cannot_stand_beside_others() -> None:
    """What is reserved for an attempt is the operator's figure."""
    with pytest.raises(UserError, match="SHOAL_ALLOWED_AGENTS needs a SHOAL_AGENT whose cost is counted"):
        settings(agent="command", agent_command="x", allowed_agents="codex")
    with pytest.raises(UserError, match="`patch` has no name of its own"):
        settings(allowed_agents="patch")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_orchestration_tokens: 5000", "line 1: `max_orchestration_tokens` needs `max_tokens`"),
        (
            "max_tokens: 9000\nmax_orchestration_tokens: 5000",
            "line 2: .* 5,000 is less than one attempt may take .9,000.*set `max_tokens`",
        ),
        ("\nmax_orchestration_cost_usd: 5", "line 2: .*is less than one attempt may take .10.*set `max_cost_usd`"),
    ],
)
def test_a_budget_that_no_attempt_fits_into_is_a_mistake_in_the_file(text: str, words: str) -> None:
    """Nothing would ever start; with an attempt that fits, all is well, and where nothing is paid for there is nothing to say."""
    with pytest.raises(SettingsMistake, match=words):
        parse(text, partial(not_allowed, settings()))
    fits = "max_tokens: 5000\nmax_orchestration_tokens: 5000\nmax_cost_usd: 5\nmax_orchestration_cost_usd: 5\n"
    assert parse(fits, partial(not_allowed, settings())).max_orchestration_tokens == 5000
    assert parse(text, partial(not_allowed, settings(agent="command", agent_command="x")))
