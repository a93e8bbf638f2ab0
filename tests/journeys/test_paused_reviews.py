"""A provider that refuses once the pull request is open: the review waits for it, and all that was done before stays as it is."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from app.decide.state import Task, TaskStatus
from shared.models import PhaseName, VerdictName
from tests.journeys.test_real_agents import KEY, keys
from tests.support.asking import ASK
from tests.support.localhub import Hub
from tests.support.model_api import Refusal, Story, Turn, model_api
from tests.support.workshop import Workshop, open_workshop, until

pytestmark = pytest.mark.timeout(120)
_BUSY = {429: "rate limit of your organization", 529: "Overloaded"}
_FINDING = [{"path": "made_1.py", "line": 1, "must_fix": True, "text": "it says nothing of the question"}]


def scripts(folder: Path) -> dict[str, str]:
    """What the agent does in each pass: it writes down which one it is; reviewer and mender ask the model."""
    done = {
        "research": "echo a plan",
        "implementation": "echo 'answer = 1' > made_1.py",
        "review": f"{ASK}ask review 500",
        "fix": f"echo 'question = 2' >> made_1.py\n{ASK}ask fix 500",
    }
    return {which: f"echo {which} >> {folder}/passes\n{lines}" for which, lines in done.items()}


def passes(folder: Path) -> list[str]:
    return (folder / "passes").read_text(encoding="utf-8").split()


async def paused(workshop: Workshop, issue: int) -> Task:
    """The task, once its attempt is over and it waits for the provider."""

    async def waits() -> Task | None:
        task = await workshop.task(issue)
        return task if task and task.status is TaskStatus.WAITING and task.waits_for_provider else None

    return await until(waits)


@pytest.mark.parametrize(("status", "is_kept"), [(429, True), pytest.param(529, False, marks=pytest.mark.slow)])
async def test_a_refused_review_is_done_after_the_pause_and_nothing_else_is(
    hub: Hub, tmp_path: Path, status: int, is_kept: bool
) -> None:
    """Paused and rescheduled, no attempt lost; on the same disk, and on one that knows nothing of the first attempt."""
    review = Story("^review$", [Turn(text="Looks right.\n\n```json\n[]\n```")], [Refusal(status, 1, _BUSY[status])])
    with model_api(review, key=KEY) as api:
        async with open_workshop(tmp_path, hub, model_keys=keys(tmp_path, api)) as workshop:
            issue = workshop.issue("Make the file number 1", **scripts(tmp_path))
            workshop.label(issue)
            task = await paused(workshop, issue)
            assert task.note.startswith("paused until ")
            assert "the agent's review was turned away by its model's provider" in task.note
            assert _BUSY[status] in task.note
            [pull] = workshop.pulls(issue)
            assert workshop.reviews(pull) == []
            assert passes(tmp_path) == ["research", "implementation", "review"]
            if not is_kept:
                shutil.rmtree(tmp_path / "work" / "tasks")

            workshop.clock.ahead += timedelta(minutes=2)

            [task] = await workshop.ended(issue)
            assert task.verdict is not None
            assert (task.verdict.name, task.losses) == (VerdictName.SUCCEEDED, 0), task.verdict
            first, second = await workshop.attempts(issue)
            assert first.report is not None
            assert first.report.verdict.name is VerdictName.PROVIDER_LIMIT
            assert second.report is not None
            assert second.report.phases[-1].name is PhaseName.REVIEW
            assert second.report.phases[-1].status == "passed"
            assert passes(tmp_path) == ["research", "implementation", "review", "review"]
            assert [one["number"] for one in workshop.pulls(issue)] == [pull["number"]]
            [shown] = workshop.reviews(pull)
            assert "Looks right." in shown["body"]
            assert shown["commit_id"] == pull["head"]["sha"], "nothing was pushed again"


async def test_a_refused_answer_to_the_review_is_given_after_the_pause(hub: Hub, tmp_path: Path) -> None:
    """The review stands, once; the fix begins anew from the reviewed files, not from what the refused pass had left in them."""
    review = Story("^review$", [Turn(text=f"Hm.\n\n```json\n{json.dumps(_FINDING)}\n```")])
    fix = Story("^fix$", [Turn(text="It says so now.")], [Refusal(429, 1, _BUSY[429], {"retry-after": "1"})])
    with model_api(review, fix, key=KEY) as api:
        async with open_workshop(tmp_path, hub, model_keys=keys(tmp_path, api)) as workshop:
            issue = workshop.issue("Make the file number 1", **scripts(tmp_path))
            workshop.label(issue)
            [task] = await workshop.ended(issue)
            assert task.verdict is not None
            assert (task.verdict.name, task.losses) == (VerdictName.SUCCEEDED, 0), task.verdict
            first, second = await workshop.attempts(issue)
            assert first.report is not None
            assert first.report.verdict.name is VerdictName.PROVIDER_LIMIT
            assert second.report is not None
            assert passes(tmp_path) == ["research", "implementation", "review", "fix", "fix"]
            [pull] = workshop.pulls(issue)
            said, answer = (review["body"] for review in workshop.reviews(pull))
            assert "it says nothing of the question" in said
            assert "It says so now." in answer
            assert "dropped" not in answer
            [file] = workshop.get(f"/pulls/{pull['number']}/files")
            assert [line[1:] for line in file["patch"].splitlines() if line.startswith("+")] == ["answer = 1", "question = 2"]
