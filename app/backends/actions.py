"""Runners as jobs of GitHub Actions: one `workflow_dispatch` per attempt, with ids only; the job proves who it is by OIDC."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from app.backends.backend import Runners, Started
from app.github.actions import RUN_NAME, ActionsClient, RunnerNow
from app.github.client import NotFound
from app.github.errors import Forbidden, Invalid
from app.github.repository import RepositoryClient
from app.planning.capacity import Machine, Sample
from shared.errors import TransientError, UserError
from shared.messages import RunnerLaunch

_LOOK_AGAIN = timedelta(seconds=2)
_NO_RUNNER = timedelta(seconds=30)
_REMEMBERED_SECONDS = 30.0
log = structlog.get_logger()


class ActionsBackend:
    """A handle is the run's id and its attempt; only GitHub can end it, and nothing proves that it is dead."""

    def __init__(
        self, workflow: str, labels: Sequence[str], *, on_demand: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workflow = workflow
        self._on_demand = on_demand
        self._labels = labels
        self._clock = clock
        self._online: dict[int, tuple[float, list[RunnerNow]]] = {}  # by repository: when they were seen

    async def start(
        self, launch: RunnerLaunch, where: RepositoryClient, labels: Sequence[str] = (), *, again: bool = True
    ) -> Started:
        """Where it was tried before it looks first: a dispatch whose answer was lost may have taken effect."""
        actions, name = ActionsClient(where), f"{RUN_NAME}{launch.attempt_id}"
        try:
            run = await actions.run_named(self._workflow, name) if again else None
            if run is not None:
                return Started(run.id, float(run.attempt))
            await self._need_a_runner(where, self._wanted(labels))
            run_id = await actions.dispatch(self._workflow, await where.default_branch(), {"attempt": launch.attempt_id})
        except NotFound as error:
            raise UserError(
                f"`.github/workflows/{self._workflow}` is missing on the default branch of {where.full_name}: add it"
            ) from error
        except (Forbidden, Invalid) as error:
            raise UserError(f"the workflow `{self._workflow}` could not be started: {error}") from error
        if run_id is None:  # an older server: found by its name at the next look
            raise TransientError(f"the run `{name}` is not listed yet", _LOOK_AGAIN)
        return Started(run_id, 1.0)

    async def prepare(self) -> None:
        """GitHub starts runners when there is a job."""

    def close(self) -> None:
        """There is nothing to close."""

    async def stop(self, pid: int, _started_at: float, where: RepositoryClient) -> bool:
        """False unless GitHub says that the run is over: its machine may be out of reach and still at work."""
        actions = ActionsClient(where)
        run = await actions.run(pid)
        if run is not None and run.status == "completed":
            return True
        await actions.cancel(pid)
        return False

    def alive(self, _pid: int, _started_at: float) -> bool:
        """Nobody here can know: leases, webhooks of its job and the sweep tell."""
        return True

    async def count_runners(self, where: RepositoryClient, labels: Sequence[str] = ()) -> Runners | None:
        """Of this repository; those of an organisation are listed to others."""
        found = await self._runners(where)
        if found is None:
            return None
        online = [one for one in found if one.online and self._wanted(labels) <= one.labels]
        return Runners(len(online), sum(not one.busy for one in online))

    def machine(self) -> Machine:
        """Its machines are not this one."""
        return Machine()

    def pressure(self) -> Sample | None:
        """Nor can we see theirs."""
        return None

    def _wanted(self, labels: Sequence[str]) -> frozenset[str]:
        return frozenset(label.lower() for label in labels or self._labels)

    async def _runners(self, where: RepositoryClient) -> tuple[RunnerNow, ...] | None:
        found = await ActionsClient(where).runners()
        self._online[where.repository_id] = self._clock(), [one for one in found or () if one.online]
        return found

    async def _need_a_runner(self, where: RepositoryClient, labels: frozenset[str]) -> None:
        """A mistyped label would wait in GitHub's queue for a day; a fleet that grows on demand has no runner before the job."""
        if self._on_demand:
            return
        seen_at, online = self._online.get(where.repository_id, (0.0, []))
        if self._clock() - seen_at < _REMEMBERED_SECONDS and any(labels <= one.labels for one in online):
            return  # a batch is dispatched within seconds: once for all of it is enough
        runners = await self._runners(where)
        if runners is None or any(one.online and labels <= one.labels for one in runners):
            return
        wanted = ", ".join(sorted(labels))
        has = "; ".join(f"{one.name} ({'online' if one.online else 'offline'}): {', '.join(sorted(one.labels))}" for one in runners)
        log.warning("runner.missing", labels=wanted, runners=has or "none")
        raise TransientError(f"no online runner has the labels {wanted}; there are: {has or 'none'}", _NO_RUNNER)
