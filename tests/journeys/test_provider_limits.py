"""A model's provider that refuses for a while: the task waits and ends well, and nobody calls that a failure."""

from pathlib import Path
from typing import Any

import pytest

from scripts.agent_clis import install
from shared.models import VerdictName
from tests.journeys.test_real_agents import KEY, keys
from tests.support.localhub import Hub
from tests.support.model_api import Refusal, Story, Turn, model_api
from tests.support.workshop import open_workshop

pytestmark = [pytest.mark.slow, pytest.mark.agents, pytest.mark.timeout(1800)]
# More often than the program itself tries again within one pass.
_MANY = 5


async def test_a_refused_task_waits_and_goes_on(hub: Hub, tmp_path: Path) -> None:
    """The pull request is there in the end, and the refused attempts are none of those that a task may lose."""
    refusal = Refusal(429, _MANY, "rate limit of your organization", {"retry-after": "1"})
    told = [
        Story(r"Write a plan for this issue", [Turn(text="1. Make the file.")], [refusal]),
        Story(r"Carry out", [Turn(shell="echo 'answer = 1' > made_1.py"), Turn(text="Made the file.")]),
        Story("Review the diff", [Turn(text="Looks right.\n\n```json\n[]\n```")]),
    ]
    with model_api(*told, key=KEY) as api:
        settings: dict[str, Any] = {
            "agent": "claude",
            "agent_command": (str(install() / "claude"),),
            "agent_model": "claude-sonnet-4-5",
            "model_keys": keys(tmp_path, api),
        }
        async with open_workshop(tmp_path, hub, **settings) as workshop:
            issue = workshop.issue("Make the file number 1")
            workshop.label(issue)
            [task] = await workshop.ended(issue)
            attempts = await workshop.attempts(issue)
            assert task.verdict is not None
            assert task.verdict.name is VerdictName.SUCCEEDED, task.verdict
            assert len(workshop.pulls(issue)) == 1
            refused = [one.report.verdict for one in attempts[:-1] if one.report]
            assert refused
            assert {verdict.name for verdict in refused} == {VerdictName.PROVIDER_LIMIT}
            assert task.losses == 0
            assert not any("failed" in comment for comment in workshop.comments(issue))
    assert sum(request.status == refusal.status for request in api.generating) == _MANY
