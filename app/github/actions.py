"""GitHub Actions in one repository as the app uses it: runs of our workflow, and the runners that could take them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.found import RunNow
from app.github.errors import Forbidden, Invalid, NotFound
from app.github.repository import RepositoryClient

# What a workflow that shoal did not write would have to be called.
RUN_NAME = "Shoal "


@dataclass(frozen=True, slots=True)
class RunnerNow:
    """A self-hosted runner as GitHub lists it."""

    name: str
    labels: frozenset[str]
    online: bool
    busy: bool
    group: int = 0


@dataclass(frozen=True, slots=True)
class ActionsClient:
    """Every call is paced and tried again like all others of the repository."""

    repository: RepositoryClient

    async def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int | None:
        """The id of the new run; None where the server does not tell it (before 2026)."""
        path, body = f"{self._root}/workflows/{workflow}/dispatches", {"ref": ref, "inputs": dict(inputs)}
        try:
            answer = await self.repository.calls.write("POST", path, {**body, "return_run_details": True})
        except Invalid as error:
            if "return_run_details" not in error.words:
                raise
            answer = await self.repository.calls.write("POST", path, body)
        return int(answer["workflow_run_id"]) if answer and "workflow_run_id" in answer else None

    async def run_named(self, workflow: str, name: str) -> RunNow | None:
        """The newest run of that name, among the latest hundred."""
        return next((run for run in await self.runs(workflow) if run.name == name), None)

    async def runs(self, workflow: str) -> tuple[RunNow, ...]:
        """The latest hundred that were dispatched, newest first."""
        path = f"{self._root}/workflows/{workflow}/runs"
        found = await self.repository.calls.get(path, {"event": "workflow_dispatch", "per_page": 100})
        return tuple(_run(item) for item in found["workflow_runs"])

    async def run(self, run_id: int) -> RunNow | None:
        """None when GitHub has forgotten it."""
        try:
            return _run(await self.repository.calls.get(f"{self._root}/runs/{run_id}"))
        except NotFound:
            return None

    async def cancel(self, run_id: int) -> None:
        """Asks for it; one that is over already is none of our business."""
        try:
            await self.repository.calls.write("POST", f"{self._root}/runs/{run_id}/cancel")
        except (Invalid, NotFound):
            return

    async def runners(self) -> tuple[RunnerNow, ...] | None:
        """None when the App may not list them: then nobody knows."""
        try:
            pages = self.repository.calls.pages(f"{self._root}/runners", key="runners")
            return tuple([_runner(item) async for item in pages])
        except (Forbidden, NotFound):
            return None

    async def shared_runners(self) -> tuple[RunnerNow, ...] | None:
        """Those of the organisation and of its enterprise, of groups that may serve the repository; None: nobody knows."""
        owner, _, name = self.repository.full_name.partition("/")
        root = f"orgs/{owner}/actions"
        try:
            found = [_runner(item) async for item in self.repository.calls.pages(f"{root}/runners", key="runners")]
        except (Forbidden, NotFound):
            return None
        try:
            query = {"visible_to_repository": name}
            groups = [item async for item in self.repository.calls.pages(f"{root}/runner-groups", query, key="runner_groups")]
            for group in groups:
                if group.get("inherited"):
                    pages = self.repository.calls.pages(f"{root}/runner-groups/{group['id']}/runners", key="runners")
                    found += [replace(_runner(item), group=group["id"]) async for item in pages]
        except (Forbidden, NotFound):
            return tuple(found)  # whom a group serves cannot be read: all may
        serving = {group["id"] for group in groups}
        return tuple({(one.name, one.group): one for one in found if one.group in serving or not one.group}.values())

    @property
    def _root(self) -> str:
        return f"repos/{self.repository.full_name}/actions"


def _run(item: Mapping[str, Any]) -> RunNow:
    return RunNow(
        id=item["id"],
        name=item.get("display_title") or "",
        status=item.get("status") or "",
        conclusion=item.get("conclusion") or "",
        attempt=item.get("run_attempt") or 1,
    )


def _runner(item: Mapping[str, Any]) -> RunnerNow:
    labels = frozenset(label["name"].lower() for label in item.get("labels") or [])
    group = int(item.get("runner_group_id") or 0)
    return RunnerNow(item.get("name") or "", labels, item.get("status") == "online", bool(item.get("busy")), group)
