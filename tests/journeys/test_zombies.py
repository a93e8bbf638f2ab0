"""Runners that sleep longer than their lease and then wake up: they can do no harm, or what they did is adopted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from app.decide.state import Task
from shared.models import VerdictName
from tests.support.far_machine import FarMachines, far_machines
from tests.support.localhub import Hub
from tests.support.proxy import Proxy, Trap, running_proxy
from tests.support.workshop import Workshop, freeze, open_workshop, thaw, until

NOT_OURS = 3
LEASE = 600
_PUSH = ("GET", r"/info/refs\?service=git-receive-pack")
_PULL_REQUEST = ("POST", r"/pulls$")
_REVIEW = ("POST", r"/pulls/\d+/reviews$")


@dataclass
class Scene:
    """One issue, whose first runner is about to fall asleep."""

    workshop: Workshop
    machines: FarMachines
    proxy: Proxy
    issue: int = 0

    async def sleeps_at(self, trap: Trap) -> list[psutil.Process]:
        """Everything on the machine of the first attempt stops while this request is under way."""
        await trap.reached.wait()
        return freeze(await self.workshop.runner(self.issue))

    def lease_runs_out(self) -> None:
        self.workshop.clock.ahead += timedelta(seconds=LEASE + 1)

    async def over(self) -> Task:
        [task] = await self.workshop.ended(self.issue)
        return task


@asynccontextmanager
async def scene(folder: Path, hub: Hub, **scripts: str) -> AsyncIterator[Scene]:
    async with (
        running_proxy() as proxy,
        far_machines(folder / "machines", proxy.environment) as machines,
        open_workshop(folder, hub, machines, lease_seconds=LEASE) as workshop,
    ):
        yield Scene(workshop, machines, proxy, workshop.issue("Add a file", **scripts))


async def test_one_that_slept_at_its_push_cannot_push_any_more(tmp_path: Path, hub: Hub) -> None:
    """Its token was revoked before its successor began; the successor's pull request is the only one."""
    async with scene(tmp_path, hub) as it:
        push = it.proxy.hold(*_PUSH)
        it.workshop.label(it.issue)
        asleep = await it.sleeps_at(push)
        it.lease_runs_out()
        task = await it.over()
        push.opened.set()
        thaw(asleep)
        code = await it.machines.exit_code(f"{it.workshop.repository_id}-{it.issue}-1-1")

        assert task.verdict is not None
        assert task.verdict.name is VerdictName.SUCCEEDED
        assert task.attempts == 2
        assert len(it.workshop.pulls(it.issue)) == 1
        assert code == NOT_OURS
