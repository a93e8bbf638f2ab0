"""Runners as jobs of GitHub Actions: one `workflow_dispatch` per attempt, with ids only; the job proves who it is by OIDC."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from app.backends.backend import Runners, Started
from app.backends.fleet import FIX, Fleet
from app.github.actions import RUN_NAME, ActionsClient, RunnerNow
from app.github.client import NotFound
from app.github.errors import Forbidden, Invalid
from app.github.repository import RepositoryClient
from app.planning.capacity import Machine, Sample
from shared.errors import TransientError, UserError
from shared.messages import RunnerLaunch

_LOOK_AGAIN = timedelta(seconds=2)
_NO_RUNNER = timedelta(seconds=30)
# Lists of runs lag behind: until then one that was dispatched is looked for, and not dispatched again.
_LISTED_SECONDS = 60.0
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
        self._fleet = Fleet(clock)
        self._unlisted: dict[str, float] = {}  # by name: when it was dispatched by a server that told no id
        self._unseen: set[str] = set()  # organisations of which it was said

    async def start(
        self, launch: RunnerLaunch, where: RepositoryClient, labels: Sequence[str] = (), *, again: bool = True
    ) -> Started:
        """Where it was tried before it looks first: a dispatch whose answer was lost may have taken effect."""
        actions, name = ActionsClient(where), f"{RUN_NAME}{launch.attempt_id}"
        try:
            run = await actions.run_named(self._workflow, name) if again else None
            if run is not None:
                self._unlisted.pop(name, None)
                return Started(run.id, float(run.attempt))
            if self._clock() - self._unlisted.get(name, float("-inf")) < _LISTED_SECONDS:
                raise _not_listed(name)
            await self._need_a_runner(where, self._wanted(labels))
            run_id = await actions.dispatch(self._workflow, await where.default_branch(), {"attempt": launch.attempt_id})
        except NotFound as error:
            raise UserError(
                f"`.github/workflows/{self._workflow}` is missing on the default branch of {where.full_name}: add it"
            ) from error
        except (Forbidden, Invalid) as error:
            raise UserError(f"the workflow `{self._workflow}` could not be started: {error}") from error
        if run_id is None:  # an older server: found by its name at the next look
            self._unlisted[name] = self._clock()
            raise _not_listed(name)
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
        """The organisation's only where none of the repository's own is idle."""
        own = await self._fleet.own(where)
        if own is None:
            return None
        wanted = self._wanted(labels)
        fitting = _online(own, wanted)
        if all(one.busy for one in fitting):
            shared = await self._shared(where)
            if shared is None and not fitting:
                return None
            fitting += _online(shared or (), wanted)
        return Runners(len(fitting), sum(not one.busy for one in fitting))

    def machine(self) -> Machine:
        """Its machines are not this one."""
        return Machine()

    def pressure(self) -> Sample | None:
        """Nor can we see theirs."""
        return None

    def _wanted(self, labels: Sequence[str]) -> frozenset[str]:
        return frozenset(label.lower() for label in labels or self._labels)

    async def _shared(self, where: RepositoryClient) -> tuple[RunnerNow, ...] | None:
        """That nobody knows is said once, until it is mended and breaks again."""
        found, owner = await self._fleet.shared(where), where.full_name.partition("/")[0]
        if found is not None:
            self._unseen.discard(owner)
        elif owner not in self._unseen:
            self._unseen.add(owner)
            log.warning("runners.unknown", organisation=owner, then="dispatched without knowing of any", fix=FIX)
        return found

    async def _need_a_runner(self, where: RepositoryClient, labels: frozenset[str]) -> None:
        """A mistyped label would wait in GitHub's queue for a day; a fleet that grows on demand has no runner before the job."""
        if self._on_demand or _online(self._fleet.remembered(where), labels):
            return
        own = await self._fleet.own(where)
        if own is None or _online(own, labels):
            return
        shared = await self._shared(where)
        if shared is None or _online(shared, labels):
            return
        wanted = ", ".join(sorted(labels))
        has = "; ".join(
            f"{one.name} ({'online' if one.online else 'offline'}): {', '.join(sorted(one.labels))}" for one in (*own, *shared)
        )
        log.warning("runner.missing", labels=wanted, runners=has or "none")
        raise TransientError(f"no online runner has the labels {wanted}; there are: {has or 'none'}", _NO_RUNNER)


def _not_listed(name: str) -> TransientError:
    return TransientError(f"the run `{name}` is not listed yet", _LOOK_AGAIN)


def _online(runners: Sequence[RunnerNow], labels: frozenset[str]) -> list[RunnerNow]:
    return [one for one in runners if one.online and labels <= one.labels]
