"""Which self-hosted runners a repository has: its own, and where these are not enough its organisation's."""

from collections.abc import Callable
from typing import NamedTuple

from app.github.actions import ActionsClient, RunnerNow
from app.github.registration import ORGANISATION
from app.github.repository import RepositoryClient

# A batch is dispatched within seconds: to look once for all of it is enough.
_REMEMBERED_SECONDS = 30.0
FIX = f"grant the App `{ORGANISATION}: read` and let the organisation's owner accept it, or set SHOAL_RUNNERS_ON_DEMAND=true"


class _Seen(NamedTuple):
    at: float
    runners: tuple[RunnerNow, ...] | None


class Fleet:
    """What was seen is remembered for half a minute; None stands for what nobody may know."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._own: dict[int, _Seen] = {}
        self._shared: dict[int, _Seen] = {}
        self._owned: dict[str, bool] = {}  # by account: whether it is an organisation

    def remembered(self, where: RepositoryClient) -> tuple[RunnerNow, ...]:
        """Every one that was seen a moment ago."""
        seen = (known.get(where.repository_id) for known in (self._own, self._shared))
        return tuple(one for found in seen if found and self._is_fresh(found) for one in found.runners or ())

    async def own(self, where: RepositoryClient) -> tuple[RunnerNow, ...] | None:
        """The repository's, as they are now."""
        found = await ActionsClient(where).runners()
        self._own[where.repository_id] = _Seen(self._clock(), found)
        return found

    async def shared(self, where: RepositoryClient) -> tuple[RunnerNow, ...] | None:
        """The organisation's that may serve the repository, as they were at most half a minute ago; a person has none."""
        key = (where.repository_id, "shared runners")
        found: tuple[RunnerNow, ...] | None = await where.reads.together(key, lambda: self._read_shared(where))
        return found

    async def _read_shared(self, where: RepositoryClient) -> tuple[RunnerNow, ...] | None:
        seen = self._shared.get(where.repository_id)
        if seen is None or not self._is_fresh(seen):
            found = await ActionsClient(where).shared_runners() if await self._is_of_organisation(where) else ()
            seen = self._shared[where.repository_id] = _Seen(self._clock(), found)
        return seen.runners

    async def _is_of_organisation(self, where: RepositoryClient) -> bool:
        owner = where.full_name.partition("/")[0]
        if owner not in self._owned:
            self._owned[owner] = (await where.about()).of_organisation
        return self._owned[owner]

    def _is_fresh(self, seen: _Seen) -> bool:
        return self._clock() - seen.at < _REMEMBERED_SECONDS
