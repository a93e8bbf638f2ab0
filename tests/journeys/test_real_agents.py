"""The real command line of an agent, in the sandbox and behind the model proxy, against a scripted model."""

from pathlib import Path
from typing import Any

import pytest

from scripts.agent_clis import install
from shared.models import VerdictName
from tests.support.localhub import Hub
from tests.support.model_api import ModelApi, Story, Turn, model_api
from tests.support.workshop import SIDE_BY_SIDE, open_workshop

pytestmark = [pytest.mark.slow, pytest.mark.agents, pytest.mark.timeout(1800)]
KEY = "sk-real-key-of-the-operator-0123456789"


def stories(*numbers: int) -> list[Story]:
    """A plan, a file of its own for each issue, and a review without findings."""
    found = [Story(r"Write a plan for this issue", [Turn(text="1. Make the file.")])]
    found += [
        Story(
            rf"(?s)on its issue #{number}\.\n\nCarry out",
            [Turn(shell=f"echo 'answer = {number}' > made_{number}.py"), Turn(text=f"Made the file for {number}.")],
        )
        for number in numbers
    ]
    return [*found, Story("Review the diff", [Turn(text="Looks right.\n\n```json\n[]\n```")])]


def keys(folder: Path, api: ModelApi) -> Path:
    file = folder / "keys.toml"
    file.write_text(
        f'[anthropic]\nkey = "{KEY}"\nurl = "{api.url}"\n\n[openai]\nkey = "{KEY}"\nurl = "{api.url}/v1"\n', encoding="utf-8"
    )
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(("agent", "count"), [("claude", 8), ("codex", 2)])
async def test_real_agents_work_in_parallel_and_each_opens_its_own_pull_request(
    hub: Hub, tmp_path: Path, agent: str, count: int
) -> None:
    """No process of theirs has a network, a key or another task's files; what they used is counted by the proxy."""
    program = install() / agent
    numbers = range(1, count + 1)
    with model_api(*stories(*numbers), key=KEY) as api:
        settings: dict[str, Any] = {
            "agent": agent,
            "agent_command": (str(program),),
            "agent_model": "claude-sonnet-4-5" if agent == "claude" else "gpt-5",
            "model_keys": keys(tmp_path, api),
            "isolation": "required",
            "slots": count,
        }
        async with open_workshop(tmp_path, hub, files=SIDE_BY_SIDE, **settings) as workshop:
            issues = [workshop.issue(f"Make the file number {number}") for number in numbers]
            assert issues == list(numbers)
            workshop.label(*issues)
            tasks = await workshop.ended(*issues)
            assert {task.verdict.name for task in tasks if task.verdict} == {VerdictName.SUCCEEDED}, [t.verdict for t in tasks]
            pulls = [workshop.pulls(issue) for issue in issues]
            assert [len(found) for found in pulls] == [1] * count
            assert all(len(workshop.reviews(found[0])) == 1 for found in pulls)
            for issue, found in zip(issues, pulls, strict=True):
                files = workshop.get(f"/pulls/{found[0]['number']}/files")
                assert [file["filename"] for file in files] == [f"made_{issue}.py"]
            reports = [(await workshop.attempts(issue))[-1].report for issue in issues]
    assert all(report and report.usage.turns >= 3 and report.usage.cost_usd for report in reports)
    assert {request.key for request in api.generating} == {KEY}
    left = [path for path in (tmp_path / "work").rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert left == [], "the key is nowhere on disk but in the operator's file"
