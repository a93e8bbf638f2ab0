"""A repository is archived, made public or renamed in the middle of work: ended where it must be, said, and else it goes on."""

from pathlib import Path

import pytest

from tests.support.localhub import Hub
from tests.support.workshop import Workshop, open_workshop, until, until_there

TOLD = pytest.mark.parametrize("told", [True, False], ids=["webhook", "no webhook"])


def works(folder: Path) -> str:
    """An agent that is at work until it may go on."""
    return f"touch {folder}/there; until [ -e {folder}/go ]; do sleep 0.05; done; echo 1 > made.py"


async def change(workshop: Workshop, *, told: bool, **what: object) -> None:
    """By an admin; the sweep comes when no webhook does."""
    workshop.hub.webhooks("in_order" if told else "drop")
    workshop.hub.change_repository(workshop.full_name, **what)
    workshop.full_name = f"acme/{what.get('name', workshop.full_name.partition('/')[2])}"
    if not told:
        await workshop.app.sweep.once()


@TOLD
async def test_an_archived_one_ends_its_work_and_tells_it_when_it_may(tmp_path: Path, hub: Hub, *, told: bool) -> None:
    """The runner is ended and nothing is pushed; GitHub takes no word then, so check and comment say it after the unarchiving."""
    async with open_workshop(tmp_path, hub, slots=1) as workshop:
        at_work, waiting = workshop.issue("Add a file", implementation=works(tmp_path)), workshop.issue("Add another")
        workshop.label(at_work, waiting)
        await until_there(tmp_path / "there")
        await change(workshop, told=told, archived=True)
        tasks = await workshop.ended(at_work, waiting)

        for task in tasks:
            assert task.verdict is not None
            assert (task.verdict.name, "was archived" in task.verdict.reason) == ("cancelled", True)
        assert len(await workshop.attempts(at_work)) == 1
        assert await workshop.attempts(waiting) == []
        assert workshop.pulls(at_work) == []

        await change(workshop, told=told, archived=False)

        async def said() -> bool:
            return all("was archived" in "".join(workshop.comments(issue)) for issue in (at_work, waiting))

        await until(said)
        [whole] = workshop.checks(str(workshop.get("/branches/main")["commit"]["sha"]))
        assert whole["conclusion"] == "neutral"


@TOLD
async def test_one_that_was_made_public_ends_its_work(tmp_path: Path, hub: Hub, *, told: bool) -> None:
    """Unless the operator allows it: check and comment name the setting."""
    async with open_workshop(tmp_path, hub) as workshop:
        issue = workshop.issue("Add a file", implementation=works(tmp_path))
        workshop.label(issue)
        await until_there(tmp_path / "there")
        await change(workshop, told=told, private=False)
        [task] = await workshop.ended(issue)

        assert task.verdict is not None
        assert task.verdict.name == "cancelled"
        assert workshop.pulls(issue) == []
        [comment] = workshop.comments(issue)
        assert "SHOAL_ALLOW_PUBLIC_REPOSITORIES" in comment.replace("\\", "")


@TOLD
async def test_work_goes_on_under_a_new_name(tmp_path: Path, hub: Hub, *, told: bool) -> None:
    """The one at work pushes by the old address, which GitHub leads on, and opens its pull request; the next begins at the new."""
    async with open_workshop(tmp_path, hub, slots=1) as workshop:
        at_work, waiting = workshop.issue("Add a file", implementation=works(tmp_path)), workshop.issue("Add another")
        workshop.label(at_work, waiting)
        await until_there(tmp_path / "there")
        await change(workshop, told=told, name=f"{workshop.full_name.partition('/')[2]}-by-another-name")
        (tmp_path / "go").touch()
        tasks = await workshop.ended(at_work, waiting)

        assert [task.verdict and task.verdict.name for task in tasks] == ["succeeded", "succeeded"]
        for issue in (at_work, waiting):
            assert len(await workshop.attempts(issue)) == 1
            assert [pull["base"]["repo"]["full_name"] for pull in workshop.pulls(issue)] == [workshop.full_name]
            assert len(workshop.comments(issue)) == 1
