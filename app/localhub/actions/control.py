"""The control door of Actions: runners are declared and taken away, workflows disabled, keys changed, tokens forged."""

from typing import Any

from pydantic import BaseModel, Field
from starlette.routing import Route

from app.localhub.actions import runs
from app.localhub.actions.identity import Issuer
from app.localhub.control import Json, door
from app.localhub.errors import not_found
from app.localhub.hub import Hub
from app.localhub.records import SelfHostedRunner, Workflow


class Machine(BaseModel):
    """A self-hosted runner, maybe of a version that gets no jobs; `environment` is what its `.env` file would hold."""

    labels: list[str] = ["self-hosted"]
    online: bool = True
    outdated: bool = False
    environment: dict[str, str] = Field(default_factory=dict)


class WorkflowState(BaseModel):
    """Whether a workflow can be dispatched."""

    is_active: bool


class Forgery(BaseModel):
    """A token for a run, with claims of one's own."""

    run_id: int
    audience: str
    claims: dict[str, Any] = Field(default_factory=dict)


def routes(hub: Hub, issuer: Issuer) -> list[Route]:
    """The door's routes, below `/_localhub`."""

    def rotate(_hub: Hub, _path: Json, _wanted: None) -> Json:
        issuer.rotate()
        return {}

    def forge(_hub: Hub, _path: Json, wanted: Forgery) -> Json:
        row = hub.state.workflow_runs[wanted.run_id]
        return {"value": issuer.token(hub.state.repositories[row.repository_id], row, wanted.audience, **wanted.claims)}

    place = "/repositories/{owner}/{name}"
    return [
        door(hub, "PUT", f"{place}/runners/{{runner}}", declare, Machine),
        door(hub, "DELETE", f"{place}/runners/{{runner}}", take_away, None),
        door(hub, "PUT", f"{place}/workflows/{{file}}", set_workflow, WorkflowState),
        door(hub, "POST", "/issuer/rotate", rotate, None),
        door(hub, "POST", "/issuer/tokens", forge, Forgery),
    ]


def declare(hub: Hub, path: Json, wanted: Machine) -> Json:
    """A new runner, or what changed of a known one."""
    where, known = hub.state.repository(path["owner"], path["name"]), _runner(hub, path)
    if known is None:
        known = SelfHostedRunner(id=hub.state.next_id(), repository_id=where.id, name=path["runner"], labels=[])
    known.labels, known.online, known.environment = wanted.labels, wanted.online, wanted.environment
    known.outdated = wanted.outdated
    hub.state.runners.save(known)
    return {"id": known.id}


def take_away(hub: Hub, path: Json, _wanted: None) -> Json:
    """As if its plug were pulled: its job dies, and GitHub hears nothing of that."""
    known = _runner(hub, path)
    if known is None:
        raise not_found()
    hub.state.runners.remove(known.id)
    return {}


def set_workflow(hub: Hub, path: Json, wanted: WorkflowState) -> Json:
    for row in runs.workflows(hub, hub.state.repository(path["owner"], path["name"])):
        if row.path.endswith(f"/{path['file']}"):
            row.state = "active" if wanted.is_active else "disabled_manually"
            return {"id": _saved(hub, row)}
    raise not_found()


def _saved(hub: Hub, row: Workflow) -> int:
    return hub.state.workflows.save(row).id


def _runner(hub: Hub, path: Json) -> SelfHostedRunner | None:
    where = hub.state.repository(path["owner"], path["name"])
    return hub.state.runners.find(lambda row: row.repository_id == where.id and row.name == path["runner"])
