"""Runners that sleep for longer than their lease and then wake up: they can do no harm, or what they did is adopted."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from app.decide.state import AttemptStatus, Task
from shared.models import VerdictName
from tests.support.far_machine import FarMachines, far_machines
from tests.support.localhub import Hub, running_localhub
from tests.support.proxy import Proxy, Trap, running_proxy
from tests.support.workshop import Workshop, freeze, open_workshop, thaw, until, until_there

# Minutes together: `.ci/run` runs them, `make test` does not.
pytestmark = pytest.mark.slow

NOT_OURS = 3
BEFORE_PUSH = ("GET", r"/info/refs\?service=git-receive-pack")
PUSH = ("POST", r"/git-receive-pack$")
PULL_REQUEST = ("POST", r"/pulls$")
REVIEW = ("POST", r"/api/graphql$", "addPullRequestReview")


@dataclass
class Scene:
    """One issue, whose first runner is about to fall asleep on its machine."""

    workshop: Workshop
    machines: FarMachines
    proxy: Proxy
    issue: int

    async def falls_asleep(self) -> list[psutil.Process]:
        """The runner and all it has started, as when the machine is suspended."""
        return freeze(await self.workshop.runner(self.issue))

    async def falls_asleep_at(self, trap: Trap) -> list[psutil.Process]:
        """While this request is under way."""
        await trap.reached.wait()
        return await self.falls_asleep()

    async def lease_runs_out(self) -> None:
        await self.workshop.lease_runs_out(self.issue)

    async def arrives(self, trap: Trap) -> None:
        """The request that was under way goes on without its sender."""
        trap.opened.set()

        async def done() -> bool:
            found = self.workshop.hub.requests(trap.method, trap.path.removesuffix("$").rpartition("/")[2])
            return any(row["status"] < 300 for row in found)

        await until(done)

    async def asks_for_a_permit(self) -> bool:
        found = await self.workshop.attempts(self.issue)
        return bool(found) and found[0].permit is not None

    async def revocation_failed(self) -> bool:
        """More than once: the app goes on trying."""
        asked = self.workshop.hub.requests("DELETE", "/installation/token")
        return len([row for row in asked if row["status"] == 502]) >= 2

    async def over(self) -> Task:
        """What became of the task, whose one pull request and concluded checks GitHub shows."""
        [task] = await self.workshop.ended(self.issue)
        [pull] = self.workshop.pulls(self.issue)
        checks = self.workshop.checks(pull["head"]["sha"])
        assert task.pull_request == pull["number"]
        assert [check["conclusion"] for check in checks] == ["success"]
        assert task.verdict is not None
        assert task.verdict.name is VerdictName.SUCCEEDED, task.verdict
        return task

    async def zombie_ends(self) -> int:
        """The first runner's exit code, once it has noticed."""
        return await self.machines.exit_code(f"{self.workshop.repository_id}-{self.issue}-1-1")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One for all stories here; each has a repository and an App of its own."""
    with running_localhub(tmp_path_factory.mktemp("localhub")) as running:
        yield running


@asynccontextmanager
async def scene(folder: Path, hub: Hub, **scripts: str) -> AsyncIterator[Scene]:
    async with (
        running_proxy() as proxy,
        far_machines(folder / "machines", proxy.environment) as machines,
        open_workshop(folder, hub, machines) as workshop,
    ):
        yield Scene(workshop, machines, proxy, workshop.issue("Add a file", **scripts))


async def test_one_that_slept_over_its_work_finds_it_done(tmp_path: Path, hub: Hub) -> None:
    """It had nothing but a lease; its successor's pull request is the only one."""
    go = tmp_path / "go"
    waits = f"touch {tmp_path}/at-work; until [ -e {go} ]; do sleep 0.05; done; echo 'answer = 1' > made.py"
    async with scene(tmp_path, hub, implementation=waits) as it:
        it.workshop.label(it.issue)
        await until_there(tmp_path / "at-work")
        asleep = await it.falls_asleep()
        go.touch()
        await it.lease_runs_out()
        task = await it.over()
        thaw(asleep)

        assert await it.zombie_ends() == NOT_OURS
        assert task.attempts == 2
        assert len(it.workshop.pulls(it.issue)) == 1


async def test_one_that_slept_while_it_asked_for_a_permit_gets_none(tmp_path: Path, hub: Hub) -> None:
    """GitHub's answer came after its lease had run out: no token is made for it."""
    async with scene(tmp_path, hub) as it:
        hub.fault(r"/api/graphql$", latency_seconds=2, times=1000)
        it.workshop.label(it.issue)
        await until(it.asks_for_a_permit)
        asleep = await it.falls_asleep()
        await it.lease_runs_out()
        hub.clear_faults()
        task = await it.over()
        thaw(asleep)

        assert await it.zombie_ends() == NOT_OURS
        assert task.attempts == 2
        assert len(it.workshop.pulls(it.issue)) == 1


async def test_one_that_slept_before_its_push_cannot_push_any_more(tmp_path: Path, hub: Hub) -> None:
    """No successor starts while its token may write; once that is revoked, the successor's pull request is the only one."""
    async with scene(tmp_path, hub) as it:
        push = it.proxy.hold(*BEFORE_PUSH)
        it.workshop.label(it.issue)
        asleep = await it.falls_asleep_at(push)
        hub.fault(r"/installation/token$", 502, method="DELETE", times=1000)
        await it.lease_runs_out()
        await until(it.revocation_failed)
        assert [one.status for one in await it.workshop.attempts(it.issue)] == [AttemptStatus.LOST]
        hub.clear_faults()
        task = await it.over()
        push.opened.set()
        thaw(asleep)

        assert await it.zombie_ends() == NOT_OURS
        assert task.attempts == 2
        assert len(it.workshop.pulls(it.issue)) == 1
        assert len(it.workshop.reviews(it.workshop.pulls(it.issue)[0])) == 1


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(PUSH, id="push"),
        pytest.param(PULL_REQUEST, id="pull request", marks=pytest.mark.slow),
        pytest.param(REVIEW, id="review", marks=pytest.mark.slow),
    ],
)
async def test_what_arrives_while_its_sender_sleeps_is_adopted(tmp_path: Path, hub: Hub, request_: tuple[str, ...]) -> None:
    """The app finds the work on GitHub and does what is missing; a second attempt does only the review, on another machine."""
    async with scene(tmp_path, hub) as it:
        held = it.proxy.hold(*request_)
        it.workshop.label(it.issue)
        asleep = await it.falls_asleep_at(held)
        await it.arrives(held)
        await it.lease_runs_out()
        task = await it.over()
        thaw(asleep)

        assert await it.zombie_ends() == NOT_OURS
        assert task.attempts == 2
        [pull] = it.workshop.pulls(it.issue)
        assert len(it.workshop.reviews(pull)) == 1


@pytest.mark.parametrize(
    "request_", [pytest.param(PULL_REQUEST, id="pull request"), pytest.param(REVIEW, id="review", marks=pytest.mark.slow)]
)
async def test_what_arrives_after_the_lease_is_refused(tmp_path: Path, hub: Hub, request_: tuple[str, ...]) -> None:
    """The app has opened the pull request itself where it was missing; the zombie's token is worth nothing."""
    async with scene(tmp_path, hub) as it:
        held = it.proxy.hold(*request_)
        it.workshop.label(it.issue)
        asleep = await it.falls_asleep_at(held)
        await it.lease_runs_out()
        task = await it.over()
        held.opened.set()
        thaw(asleep)

        assert await it.zombie_ends() == NOT_OURS
        assert task.attempts == 2
        [pull] = it.workshop.pulls(it.issue)
        assert len(it.workshop.reviews(pull)) == 1


async def test_one_that_sleeps_on_our_own_machine_is_ended(tmp_path: Path, hub: Hub) -> None:
    """The local backend can do better than wait: the process is gone, the next attempt goes on, and the lost lease is a number."""
    go = tmp_path / "go"
    waits = f"touch {tmp_path}/at-work; until [ -e {go} ]; do sleep 0.05; done; echo 'answer = 1' > made.py"
    async with open_workshop(tmp_path, hub) as workshop:
        issue = workshop.issue("Add a file", implementation=waits)
        workshop.label(issue)
        await until_there(tmp_path / "at-work")
        runner = await workshop.runner(issue)
        asleep = freeze(runner)
        go.touch()
        await workshop.lease_runs_out(issue)
        [task] = await workshop.ended(issue)

        assert task.verdict is not None
        assert task.verdict.name is VerdictName.SUCCEEDED, task.verdict
        assert task.attempts == 2
        assert len(workshop.pulls(issue)) == 1
        assert (await workshop.reconciled())["lease"] == 1
        assert not [process for process in asleep if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
