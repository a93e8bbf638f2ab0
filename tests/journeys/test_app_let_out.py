"""The App is suspended, taken out of a repository or uninstalled in the middle of work, and let in again: all goes on by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from app.decide.state import AttemptStatus
from tests.support.localhub import Hub, Json
from tests.support.workshop import Workshop, open_workshop, until, until_there


@dataclass(frozen=True)
class Way:
    """What the account's owner does, undoes, and what people read meanwhile and afterwards."""

    out: Callable[[Workshop], None]
    back: Callable[[Workshop], None]
    waits_for: str
    was: str
    # Whether webhooks arrive; else the sweep has to find it.
    told: bool = True


def _installation(workshop: Workshop) -> int:
    return int(workshop.hub.ask("GET", "/installations")["ids"][0])


def _suspend(workshop: Workshop) -> None:
    workshop.hub.suspend(_installation(workshop))


def _unsuspend(workshop: Workshop) -> None:
    workshop.hub.suspend(_installation(workshop), is_suspended=False)


def _take_out(workshop: Workshop) -> None:
    workshop.hub.choose_repositories(_installation(workshop))


def _give_back(workshop: Workshop) -> None:
    workshop.hub.choose_repositories(_installation(workshop), workshop.full_name)


def _uninstall(workshop: Workshop) -> None:
    workshop.hub.uninstall(_installation(workshop))


def _install_again(workshop: Workshop) -> None:
    slug = workshop.app.github.login.removesuffix("[bot]")
    workshop.hub.ask("POST", f"/apps/{slug}/installations", {"repositories": [workshop.full_name]})


_TOKEN = "an operator's token"
_TO_UNSUSPEND, _SUSPENDED = "to unsuspend the GitHub App", "the GitHub App was suspended from "
WAYS = {
    "suspended": Way(_suspend, _unsuspend, _TO_UNSUSPEND, _SUSPENDED),
    "suspended, no webhook": Way(_suspend, _unsuspend, _TO_UNSUSPEND, _SUSPENDED, told=False),
    "taken out": Way(
        _take_out, _give_back, "to give the GitHub App this repository again", "had no access to this repository from "
    ),
    "uninstalled, no webhook": Way(
        _uninstall, _install_again, "to install the GitHub App here again", "the GitHub App was uninstalled from ", told=False
    ),
}


async def _tasks(workshop: Workshop) -> dict[int, Json]:
    """By issue, as /status.json has them."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {_TOKEN}"}, trust_env=False) as client:
        status = (await client.get(f"{workshop.app_url}/status.json")).json()
    return {task["issue"]: task for one in status["orchestrations"] for task in one["tasks"]}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_what_runs_ends_and_what_waits_starts_once_it_is_let_in(
    tmp_path: Path, hub: Hub, way: Way, capfd: pytest.CaptureFixture[str]
) -> None:
    """The runner keeps its lease and waits for its permit, the other issue says whom it waits for; then one pull request each."""
    works = f"touch {tmp_path}/there; until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo 1 > made.py"
    async with open_workshop(tmp_path, hub, slots=1, operator_token=SecretStr(_TOKEN)) as workshop:
        at_work, waiting = workshop.issue("Add a file", implementation=works), workshop.issue("Add another")
        workshop.label(at_work, waiting)
        await until_there(tmp_path / "there")

        hub.webhooks("in_order" if way.told else "drop")
        way.out(workshop)
        if not way.told:
            await workshop.app.sweep.once()

        async def said() -> bool:
            return all(way.waits_for in task["waiting_for"] for task in (await _tasks(workshop)).values())

        await until(said)
        (tmp_path / "go").touch()

        async def asks() -> bool:
            [attempt] = await workshop.attempts(at_work)
            return attempt.permit is not None

        await until(asks)
        await workshop.app.sweep.once()
        [attempt] = await workshop.attempts(at_work)
        assert (attempt.status, attempt.permit and attempt.permit.status) == (AttemptStatus.CLAIMED, "reading")
        assert await workshop.attempts(waiting) == []

        way.back(workshop)
        if not way.told:
            await workshop.app.sweep.once()
        tasks = await workshop.ended(at_work, waiting)

        assert [task.verdict and task.verdict.name for task in tasks] == ["succeeded", "succeeded"]
        for issue in (at_work, waiting):
            assert len(await workshop.attempts(issue)) == 1
            assert len(workshop.pulls(issue)) == 1
            assert len(workshop.comments(issue)) == 1
        [whole] = workshop.checks(str(workshop.get("/branches/main")["commit"]["sha"]))
        assert way.was in whole["output"]["text"]
        assert whole["conclusion"] is not None
    log = capfd.readouterr()
    assert "repository.gone" in log.out + log.err
