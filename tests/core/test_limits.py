"""Stories about what an attempt may use, and that its runner is told."""

from app import brief
from app.limits import operator_limits, tightened
from app.settings import Settings, load
from shared.models import AttemptLimits, RepositorySettings
from tests.support.decisions import Desk


def settings(**more: object) -> Settings:
    """An operator who uses a real agent."""
    return load(webhook_secret="s" * 20, app_id="7", private_key="pem", **{"agent": "claude", **more})


def test_a_repository_makes_limits_tighter_and_never_looser() -> None:
    """The smaller number counts, whoever said it; what only the operator can say stays."""
    operator = AttemptLimits(minutes=60, memory_mib=4096, turns=None, tokens=1000, cost_usd=2, output_mib=7)
    asked = RepositorySettings(max_minutes=90, max_memory_mib=1024, max_turns=50, max_cost_usd=5)

    limits = tightened(operator, asked)

    assert limits == AttemptLimits(minutes=60, memory_mib=1024, turns=50, tokens=1000, cost_usd=2, output_mib=7)
    assert tightened(operator, RepositorySettings()) == operator


def test_the_brief_carries_limits_agent_and_permissions() -> None:
    """Whatever the operator set arrives at the runner, made tighter by the repository's own file."""
    told = settings(agent_model="opus", agent_options="--x y", attempt_cost_usd=3, setup_network=True, protected_changes="draft")
    desk = Desk()
    desk.plan(desk.issue(5), settings=RepositorySettings(max_turns=10))
    task = desk.task(5)
    assert task.snapshot is not None

    made = brief.make(
        told,
        desk.state.repository,
        desk.state.orchestrations[task.orchestration],
        task,
        desk.state.attempts[task.attempt],
        task.snapshot,
        read_token="t",
        shared_tokens=False,
        login="shoal[bot]",
        email="e",
    )

    assert (made.agent.name, made.agent.model, made.agent.options) == ("claude", "opus", ("--x", "y"))
    assert (made.limits.cost_usd, made.limits.turns, made.limits.minutes) == (3, 10, operator_limits(told).minutes)
    assert (made.setup_network, made.protected_changes, made.published) == (True, "draft", None)
