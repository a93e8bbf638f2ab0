"""The only place that builds things."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette

from app import registration
from app.backends.actions import ActionsBackend
from app.backends.backend import Backend
from app.backends.local import LocalBackend
from app.decide.policy import Policy
from app.effects import Effects
from app.facts.capacity import cores
from app.front import CoreFront
from app.github.access import Access
from app.github.client import GitHubApp
from app.github.payloads import to_event
from app.github.usage import Meter, Usage
from app.held_work import HeldFolder
from app.holding import Holding
from app.loop import Loop
from app.metrics import Metrics
from app.oidc import Verifier
from app.planner import Planner
from app.replica import Membership
from app.reporter import Reporter
from app.settings import FREE_AGENTS, Place, Settings
from app.store.database import Database, hold_lock, open_engine
from app.sweep import Sweep
from app.tokens_held import TokensHeld
from app.trail import Trail
from app.watch import Watch
from app.web import server
from app.web.setup import SetUp
from shared.git import check_git

_START_TIMEOUT = timedelta(seconds=60)
_NO_JOB = (
    "no runner began it within {minutes:g} minutes (`SHOAL_QUEUE_MINUTES`); its run on GitHub shows whether one took the job: "
    "one that is busy, or whose version GitHub refuses, takes none"
)
_NOT_CLAIMED = (
    "{{runner}} took its job and did not begin within {minutes:g} minutes (`SHOAL_START_MINUTES`); the job's log on GitHub shows "
    "what it did instead: a download that hangs, or an app that it cannot reach"
)
_NO_PROCESS = f"its process did not report within {_START_TIMEOUT.seconds} seconds"


@dataclass
class App:
    """A running orchestrator: the web application to serve, and the door to its core."""

    web: Starlette
    loop: Loop
    database: Database
    github: Access
    backend: Backend
    reporter: Reporter
    sweep: Sweep
    github_url: str
    # Never ends by itself: when it does, the app must not go on half dead.
    work: "asyncio.Task[None]"


def utc_now() -> datetime:
    """The clock of a real app; tests may hand in another."""
    return datetime.now(UTC)


@asynccontextmanager
async def running(
    settings: Settings,
    backend: Backend | None = None,
    clock: Callable[[], datetime] = utc_now,
    access: Callable[[Meter], AbstractAsyncContextManager[Access]] | None = None,
    *,
    attended: bool = True,
) -> AsyncIterator[App]:
    """Everything that an app is, from the lock on its database to its background work; ended in the reverse order."""
    check_git()
    lock = hold_lock(settings.database_url)
    metrics, held, trail = Metrics(), TokensHeld(), Trail(clock)
    usage = Usage(*metrics.github)
    where = backend or chosen_backend(settings)
    opened = access(usage) if access else GitHubApp(settings, clock=clock, wrote=trail.wrote, meter=usage)
    async with opened as github:
        loop = Loop(
            policy=policy(settings, github.login, attended=attended),
            translate=to_event,
            clock=clock,
            machine=where.machine,
            writes_left=github.writes_left,
            pressure=where.pressure if settings.adaptive_slots and settings.backend == "local" else None,
            metrics=metrics,
            tick_seconds=0.5,
            membership=Membership(clock, timedelta(seconds=settings.replica_lease_seconds)),
        )
        database = loop.database = trail.database = Database(open_engine(settings.database_url), loop.forget)
        reporter = Reporter(database, settings.github_url, clock, timedelta(seconds=settings.refresh_seconds))
        planner = Planner(settings, database, where.machine)
        effects = Effects(settings, database, github, where, planner, reporter, held, metrics, loop.membership.me, usage)
        verifier = Verifier(settings.oidc_issuer, settings.runner_url.rstrip("/"))
        holding = Holding(HeldFolder(settings.held_dir), database, loop)
        front = CoreFront(settings, database, loop, github, reporter, held, metrics, verifier, usage, holding)
        web = server.build(front, settings, metrics.registry)
        watch, sweep = Watch(database, loop, where), Sweep(settings, database, loop, github, metrics, holding)
        work = asyncio.create_task(_work(loop.run(effects.perform), watch.run(), sweep.run()))
        try:
            yield App(web, loop, database, github, where, reporter, sweep, settings.github_url, work)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            where.close()
            await database.close()
            if lock is not None:
                lock.close()


def set_up(place: Place) -> SetUp:
    """What a machine without a GitHub App serves until it has one."""
    registration.prepare(place.work_dir)
    return SetUp(place)


def chosen_backend(settings: Settings) -> Backend:
    """Where the operator wants WorkflowManagers to run."""
    if settings.backend == "actions":
        return ActionsBackend(settings.workflow_file, settings.runner_labels, on_demand=settings.runners_on_demand)
    return LocalBackend(
        settings.work_dir,
        settings.memory_reserve_mib,
        slots=settings.slots,
        ahead=min(settings.slots, cores()),
        keys_in_file=settings.model_keys is not None,
    )


async def _work(*steps: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(step)


def policy(settings: Settings, app_login: str, *, attended: bool = True) -> Policy:
    """The part of the settings that decisions depend on."""
    by_jobs = settings.backend == "actions"
    return Policy(
        label=settings.label,
        intake=timedelta(seconds=settings.intake_seconds),
        intake_max=timedelta(seconds=settings.intake_max_seconds),
        lease=timedelta(seconds=settings.lease_seconds),
        start_timeout=timedelta(minutes=settings.queue_minutes) if by_jobs else _START_TIMEOUT,
        begin_timeout=timedelta(minutes=settings.start_minutes) if by_jobs else None,
        not_claimed=_NOT_CLAIMED.format(minutes=settings.start_minutes),
        not_begun=_NO_JOB.format(minutes=settings.queue_minutes) if by_jobs else _NO_PROCESS,
        slots=settings.slots,
        task_memory_mib=settings.task_memory_mib,
        counts_runners=by_jobs and not settings.runners_on_demand,
        patience=timedelta(minutes=settings.patience_minutes),
        attempt_cost_usd=0 if settings.agent in FREE_AGENTS else settings.attempt_cost_usd,
        attempt_tokens=0 if settings.agent in FREE_AGENTS else settings.attempt_tokens,
        orchestration_cost_usd=settings.orchestration_cost_usd,
        day_cost_usd=settings.day_cost_usd,
        ci_wait=timedelta(minutes=settings.ci_minutes) if attended else timedelta(0),
        attended=attended,
        hold=timedelta(hours=settings.hold_hours),
        allow_public=settings.allow_public_repositories,
        allowed_bots=settings.allowed_bots,
        app_login=app_login,
    )
